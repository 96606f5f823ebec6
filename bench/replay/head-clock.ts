/** Which block is the head now, and when it became so. Stands still, or steps once a tick until the chain's end. */

export interface HeadClock {
  /** Place of the head in the chain. */
  head(): number;
  /** Steps forward one block at a time, telling each; or back at once, telling nothing. */
  moveTo(place: number): void;
  startTicks(everyMs: number): void;
  stopTicks(): void;
  /** When each block was told, on the monotonic clock that all processes of a machine share. */
  told(): readonly { readonly place: number; readonly atNs: bigint }[];
}

export function createHeadClock(options: {
  readonly start: number;
  readonly last: number;
  readonly tell: (place: number) => void;
}): HeadClock {
  let head = options.start;
  let timer: NodeJS.Timeout | null = null;
  const told: { place: number; atNs: bigint }[] = [];

  function step(): void {
    if (head >= options.last) {
      stopTicks();
      return;
    }
    head += 1;
    told.push({ place: head, atNs: process.hrtime.bigint() });
    options.tell(head);
  }

  function stopTicks(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
  }

  return {
    head: () => head,
    moveTo(place) {
      const target = Math.min(place, options.last);
      if (target < head) head = target;
      while (head < target) step();
    },
    startTicks(everyMs) {
      stopTicks();
      timer = setInterval(step, everyMs);
    },
    stopTicks,
    told: () => told,
  };
}
