import { describeError } from "../lib/errors.ts";
import type { Health, Service } from "../types/service.ts";

/** A loop as a service: started, told to stop by its signal, and waited for. */
export function loopService(name: string, loop: (signal: AbortSignal) => Promise<void>): Service {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let failure: string | null = null;
  return {
    name,
    start() {
      running = loop(stopping.signal).catch((error: unknown) => {
        failure = describeError(error);
        throw error;
      });
      // A loop that throws is a bug: the process stops loudly (unhandledRejection) instead of running without it.
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    health: (): Health => ({ ok: failure === null, detail: failure ?? "running" }),
  };
}
