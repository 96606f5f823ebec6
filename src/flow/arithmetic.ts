/** Whole numbers only (INT): shares of amounts, with the remainder always accounted for. Pure. */
import { assert } from "../lib/assert.ts";

/** INT-1: the part of `tainted` that goes with `amount` out of `balance`. What is rounded off stays behind; a full drain takes all. */
export function shareOf(tainted: bigint, amount: bigint, balance: bigint): bigint {
  return (tainted * amount) / balance;
}

/**
 * INT-2: `whole` split over parts in proportion to them, in order. The results always sum to `whole`; each is the exact
 * share rounded down or up. `parts` must not sum to 0 where `whole` is more than 0.
 */
export function apportion(whole: bigint, parts: readonly bigint[]): bigint[] {
  const sum = parts.reduce((total, part) => total + part, 0n);
  if (whole === 0n) return parts.map(() => 0n);
  assert(sum > 0n, "something is split over parts that weigh nothing");
  let passed = 0n;
  let given = 0n;
  return parts.map((part) => {
    passed += part;
    const upTo = (whole * passed) / sum;
    const one = upTo - given;
    given = upTo;
    return one;
  });
}

/** So much tainted of so much. `whole` is more than 0. */
export interface Ratio {
  readonly tainted: bigint;
  readonly whole: bigint;
}

/** INT-3: compared by cross multiplication, so that nothing is rounded. */
export function isLarger(a: Ratio, b: Ratio): boolean {
  return a.tainted * b.whole > b.tainted * a.whole;
}

export function bpsOf({ tainted, whole }: Ratio): number {
  return Number((tainted * 10_000n) / whole);
}

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function largest(first: bigint, ...others: readonly bigint[]): bigint {
  return others.reduce((most, one) => (one > most ? one : most), first);
}
