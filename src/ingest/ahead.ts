/**
 * How many blocks are fetched side by side when behind: more while answers come quickly, fewer at once when they do not.
 * Pure. Always at least 1; bounded by count and by what the last blocks held, so memory is bounded too.
 */

export const AHEAD_START = 8;
// A block may be some 10 MB of JSON while it is decoded.
const AHEAD_MAX = 32;
const QUICK_MS = 2_000;
const SLOW_MS = 5_000;
// About 300 bytes each: 60 MB of transfers at once.
const TRANSFERS_MAX = 200_000;

export interface Batch {
  readonly tookMs: number;
  readonly failed: boolean;
  readonly blocks: number;
  readonly transfers: number;
}

/** The size of the next batch after one of size `ahead` went as told. */
export function nextAhead(ahead: number, { tookMs, failed, blocks, transfers }: Batch): number {
  const wanted = failed || tookMs > SLOW_MS ? Math.floor(ahead / 2) : tookMs < QUICK_MS ? ahead + 2 : ahead;
  const perBlock = blocks === 0 ? 0 : transfers / blocks;
  const fits = perBlock === 0 ? AHEAD_MAX : Math.floor(TRANSFERS_MAX / perBlock);
  return Math.max(1, Math.min(wanted, AHEAD_MAX, fits));
}
