/** Arithmetic of ranges of whole numbers, both ends included. Pure. */
import type { NumberRange } from "../types/retro.ts";

/** Ascending, without overlaps, neighbours joined. */
export function mergeRanges(ranges: readonly NumberRange[]): NumberRange[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.filter((range) => range.from <= range.to).toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** What of `ranges` is in none of `taken`; both in any order. */
export function subtractRanges(ranges: readonly NumberRange[], taken: readonly NumberRange[]): NumberRange[] {
  const gone = mergeRanges(taken);
  return mergeRanges(ranges).flatMap((range) => {
    const left: NumberRange[] = [];
    let from = range.from;
    for (const cut of gone) {
      if (cut.to < from || cut.from > range.to) continue;
      if (cut.from > from) left.push({ from, to: cut.from - 1 });
      from = cut.to + 1;
    }
    return from <= range.to ? [...left, { from, to: range.to }] : left;
  });
}

/** How many numbers they hold; `ranges` do not overlap. */
export function countNumbers(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
