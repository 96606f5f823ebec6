/** A wait that can be cut short: a wake during work is not lost, it ends the next wait at once. */
import { sleep } from "./sleep.ts";

export interface Waker {
  wake(): void;
  /** Ends after `ms`, at `wake()` (also one since the last wait), or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createWaker(): Waker {
  let woken = false;
  let end: (() => void) | null = null;
  return {
    wake() {
      woken = true;
      end?.();
    },
    async wait(ms, signal) {
      if (!woken) {
        const waiting = new AbortController();
        const stop = () => waiting.abort();
        end = stop;
        signal.addEventListener("abort", stop, { once: true });
        if (!signal.aborted) await sleep(ms, waiting.signal);
        signal.removeEventListener("abort", stop);
        end = null;
      }
      woken = false;
    },
  };
}
