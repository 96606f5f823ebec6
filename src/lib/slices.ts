/** Long computations in pieces, written as generators that stop wherever something else may run. */
import { setImmediate } from "node:timers/promises";

// Half of what a person or a head feed notices; a turn of the event loop costs some microseconds.
const SLICE_MS = 5;

/** All at once. */
export function runThrough<T>(work: Generator<void, T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** With pauses in which the event loop runs. Rejects with the signal's reason when it is aborted; the work then ends where it is. */
export async function inSlices<T>(work: Generator<void, T>, signal: AbortSignal): Promise<T> {
  const pause = createPauses(signal);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** A function that waits for a turn of the event loop when the last one was a slice ago. */
export function createPauses(signal: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    await setImmediate(undefined, { signal });
    since = performance.now();
  };
}
