/** The request cap of one node: at most so many under way, at most so many a second. The exchange's own traffic comes first. */
import { sleep } from "../lib/sleep.ts";

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
  const waiting = new Set<() => void>();

  /** False: aborted while waiting, and no place was taken. */
  function takePlace(signal: AbortSignal): Promise<boolean> {
    if (running < maxConcurrent) {
      running += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve(true);
      };
      const leave = () => {
        waiting.delete(enter);
        resolve(false);
      };
      waiting.add(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** The place goes straight to whoever waited longest: a wake-up that nobody uses would leave the others waiting for ever. */
  function givePlace(): void {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (!(await takePlace(signal))) signal.throwIfAborted();
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
