/** A balance as pieces in the order they came (FIFO-1, UTX-3). Pure. */
import type { Lot } from "../types/flow.ts";
import { smaller } from "./arithmetic.ts";

export function sizeOf(lots: readonly Lot[]): bigint {
  return lots.reduce((sum, { amount }) => sum + amount, 0n);
}

export function taintIn(lots: readonly Lot[]): bigint {
  return lots.reduce((sum, { amount, hop }) => (hop === null ? sum : sum + amount), 0n);
}

/** The least hop of what is tainted; null: all of it is clean. */
export function hopOf(lots: readonly Lot[]): number | null {
  return lots.reduce<number | null>((least, { hop }) => (hop === null ? least : Math.min(least ?? hop, hop)), null);
}

/** `amount` from the front. Where there is less, the rest of what is taken is clean: it came unseen. */
export function takeFront(lots: readonly Lot[], amount: bigint): { readonly taken: Lot[]; readonly left: Lot[] } {
  const taken: Lot[] = [];
  let open = amount;
  let at = 0;
  for (; at < lots.length && open > 0n; at += 1) {
    const lot = lots[at] as Lot;
    const part = smaller(lot.amount, open);
    taken.push({ ...lot, amount: part });
    open -= part;
    if (part < lot.amount) return { taken, left: [{ ...lot, amount: lot.amount - part }, ...lots.slice(at + 1)] };
  }
  if (open > 0n) taken.push({ amount: open, hop: null });
  return { taken: joined(taken), left: lots.slice(at) };
}

/** One behind the other; neighbours of one kind become one, empty ones go. */
export function joined(...parts: readonly (readonly Lot[])[]): Lot[] {
  const all: Lot[] = [];
  for (const lot of parts.flat()) {
    const last = all.at(-1);
    if (lot.amount === 0n) continue;
    if (last !== undefined && last.hop === lot.hop) all[all.length - 1] = { ...last, amount: last.amount + lot.amount };
    else all.push(lot);
  }
  return all;
}

/** The same pieces at another hop. */
export function atHop(lots: readonly Lot[], hopOfLot: (hop: number) => number): Lot[] {
  return joined(lots.map((lot) => (lot.hop === null ? lot : { ...lot, hop: hopOfLot(lot.hop) })));
}

/** `tainted` in front, the rest behind: for what has no order of its own (swaps, payments of a bridge). */
export function lotsOf(amount: bigint, tainted: bigint, hop: number): Lot[] {
  return joined([
    { amount: tainted, hop },
    { amount: amount - tainted, hop: null },
  ]);
}
