/** Starts services in order and stops them in reverse; every stop runs, each with a deadline, whatever the others do. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { Log } from "../types/log.ts";
import type { Service } from "../types/service.ts";

// All stops together stay under the 30 s after which Kubernetes and compose kill; the slowest (workers) has 15 s.
const STOP_TIMEOUT_MS = 18_000;

export interface Supervisor {
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  readonly services: readonly Service[];
}

export function createSupervisor(services: readonly Service[], log: Log): Supervisor {
  const started: Service[] = [];
  return {
    services,
    async start(signal) {
      for (const service of services) {
        started.push(service);
        await service.start(signal);
        log.debug({ service: service.name }, "service started");
      }
    },
    async stop() {
      const errors: unknown[] = [];
      for (const service of started.toReversed()) {
        try {
          await withDeadline(service.stop(), service.name);
        } catch (error) {
          errors.push(error);
          log.error({ service: service.name, error: redactText(describeError(error)) }, "service did not stop cleanly");
        }
      }
      started.length = 0;
      if (errors.length > 0) throw new AggregateError(errors, "not everything stopped cleanly");
    },
  };
}

async function withDeadline(work: Promise<void>, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${name} did not stop within ${STOP_TIMEOUT_MS / 1000} s`)),
      STOP_TIMEOUT_MS,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // Told as the deadline already.
  }
}
