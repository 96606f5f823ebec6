/** The request cap of one node: at most so many under way, at most so many a second. The exchange's own traffic comes first. */
import { sleep } from "../../lib/sleep.ts";

export interface RequestGate {
  /** Waits for a place; the returned function gives it back. Throws the signal's reason when aborted. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export interface RequestGateOptions {
  readonly maxConcurrent: number;
  readonly maxPerSecond: number;
}

export function createRequestGate({ maxConcurrent, maxPerSecond }: RequestGateOptions): RequestGate {
  let running = 0;
  let nextStart = 0;
  const waiting: (() => void)[] = [];

  async function takePlace(signal: AbortSignal): Promise<void> {
    while (running >= maxConcurrent) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          resolve();
        };
        waiting.push(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
      signal.throwIfAborted();
    }
    running += 1;
  }

  function givePlace(): void {
    running -= 1;
    waiting.shift()?.();
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      await takePlace(signal);
      const now = performance.now();
      // Starts are spaced evenly: a burst would hit the node exactly when it is busiest.
      nextStart = Math.max(nextStart + 1000 / maxPerSecond, now);
      if (nextStart - now > 1) await sleep(nextStart - now, signal);
      if (signal.aborted) {
        givePlace();
        signal.throwIfAborted();
      }
      let given = false;
      return () => {
        if (!given) givePlace();
        given = true;
      };
    },
  };
}
