/** Starts services in order and stops them in reverse; every stop runs, each with a deadline, whatever the others do. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { Log } from "../types/log.ts";
import type { Service } from "../types/service.ts";

// The slowest stop (workers) has 15 s for running POSTs.
const STOP_TIMEOUT_MS = 18_000;
// All stops together: with what store and process need after them under 25 s; Kubernetes and compose kill at 30.
const STOP_ALL_MS = 19_000;
// What a stop gets when the others have used up the time: enough for one that only has to be told. There are some twenty.
const STOP_LAST_MS = 100;

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
        if (signal.aborted) return; // What starts after the stop would never be stopped.
        started.push(service);
        await service.start(signal);
        log.debug({ service: service.name }, "service started");
      }
    },
    async stop() {
      const errors: unknown[] = [];
      const until = performance.now() + STOP_ALL_MS;
      for (const service of started.toReversed()) {
        try {
          await withDeadline(service.stop(), { name: service.name, until });
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

async function withDeadline(work: Promise<void>, { name, until }: { name: string; until: number }): Promise<void> {
  const timeoutMs = Math.min(STOP_TIMEOUT_MS, Math.max(until - performance.now(), STOP_LAST_MS));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${name} did not stop within ${Math.round(timeoutMs / 100) / 10} s`)),
      timeoutMs,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // Told as the deadline already.
  }
}
