/**
 * Which height was known when: an operator lags when it lacks a block that others have named for some time. Pure.
 * Only blocks that were answered count: a claimed head moves nothing.
 */

export interface FrontEntry {
  readonly number: number;
  readonly at: number;
}

// More than a chain of 0.2 s makes in the longest grace; older ones are merged.
const ENTRIES_MAX = 128;

/** The front after `number` was named at `now`; entries that are no longer needed for `keepMs` are dropped. */
export function noteFront(
  front: readonly FrontEntry[],
  { number, now, keepMs }: { number: number; now: number; keepMs: number },
): readonly FrontEntry[] {
  const last = front.at(-1);
  if (last !== undefined && number <= last.number) return front;
  const grown = [...front, { number, at: now }];
  // The newest of those older than `keepMs` says what was known back then.
  const firstNeeded = grown.findLastIndex(({ at }) => at <= now - keepMs);
  return grown.slice(Math.max(firstNeeded, grown.length - ENTRIES_MAX, 0));
}

/** The highest number known at `time`; -1 when none was. */
export function frontAt(front: readonly FrontEntry[], time: number): number {
  return front.findLast(({ at }) => at <= time)?.number ?? -1;
}
