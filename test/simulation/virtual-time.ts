/**
 * Time that only moves when everything that could run has run. While installed, `setTimeout` of the code under test is
 * ours: sleeps, leases and retry waits of hours pass in microseconds, always in the same order.
 */

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export interface VirtualTime {
  now(): number;
  /** Runs `what` after `ms`; returns a way to call it off. */
  after(ms: number, what: () => void): () => void;
  sleep(ms: number): Promise<void>;
  /** Lets time pass until `done` says so, at most to `end`. True when it did. */
  run(until: { readonly done: () => boolean; readonly end: number }): Promise<boolean>;
  /** How many timers have fired: the length of the history. */
  steps(): number;
}

// The real ones: what is installed below must not drive itself.
const realSetTimeout = globalThis.setTimeout;
const realClearTimeout = globalThis.clearTimeout;
const realSetImmediate = globalThis.setImmediate;

/** Ends when no promise callback is left: immediates run after all microtasks. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

export function createVirtualTime(startMs: number): VirtualTime {
  let now = startMs;
  let order = 0;
  let steps = 0;
  const heap = createHeap();
  const cancelled = new Set<number>();

  function after(ms: number, run: () => void): () => void {
    order += 1;
    const id = order;
    heap.push({ at: now + Math.max(0, ms), order: id, run });
    return () => cancelled.add(id);
  }

  return {
    now: () => now,
    after,
    sleep: (ms) =>
      new Promise((resolve) => {
        after(ms, resolve);
      }),
    async run({ done, end }) {
      const uninstall = install(after);
      try {
        for (;;) {
          await microtasksDone();
          if (done()) return true;
          const timer = heap.pop();
          if (timer === undefined || timer.at > end) return false;
          if (cancelled.delete(timer.order)) continue;
          now = Math.max(now, timer.at);
          steps += 1;
          timer.run();
        }
      } finally {
        uninstall();
      }
    },
    steps: () => steps,
  };
}

/** Puts our timers in place of the real ones; returns a way back. */
function install(after: VirtualTime["after"]): () => void {
  const set = (run: () => void, ms = 0) => after(ms, run);
  const clear = (cancel: unknown) => {
    if (typeof cancel === "function") (cancel as () => void)();
  };
  Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  return () => {
    Object.assign(globalThis, { setTimeout: realSetTimeout, clearTimeout: realClearTimeout });
  };
}

/** A binary heap: earliest first, then in the order they were set. */
function createHeap(): { push(timer: Timer): void; pop(): Timer | undefined } {
  const timers: Timer[] = [];
  const isBefore = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);
  const at = (index: number) => timers[index] as Timer;
  const swap = (a: number, b: number) => {
    const kept = at(a);
    timers[a] = at(b);
    timers[b] = kept;
  };
  return {
    push(timer) {
      let index = timers.push(timer) - 1;
      for (let parent = (index - 1) >> 1; index > 0 && isBefore(timer, at(parent)); parent = (index - 1) >> 1) {
        swap(index, parent);
        index = parent;
      }
    },
    pop() {
      const first = timers[0];
      const last = timers.pop();
      if (first === undefined || last === undefined || timers.length === 0) return first;
      timers[0] = last;
      for (let index = 0; ; ) {
        let least = index;
        for (const child of [2 * index + 1, 2 * index + 2]) {
          if (child < timers.length && isBefore(at(child), at(least))) least = child;
        }
        if (least === index) return first;
        swap(index, least);
        index = least;
      }
    },
  };
}
