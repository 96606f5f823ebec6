/** A fast hash of short byte strings for tables in memory. Not for proofs. */
import { randomInt } from "node:crypto";

/** Random, so that nobody can prepare bytes that crowd one place of a table. */
export interface HashKey {
  readonly start: number;
  /** Odd. */
  readonly factor: number;
}

export function randomHashKey(): HashKey {
  return { start: randomInt(2 ** 32), factor: randomInt(2 ** 31) * 2 + 1 };
}

/** 32 bits that depend on each of the `length` bytes at `at`. */
export function hashBytes(view: DataView, at: number, length: number, { start, factor }: HashKey): number {
  let hash = start ^ Math.imul(length, 0x9e37_79b1);
  // The last word may overlap the one before: no bytes are left over.
  const last = at + length - 4;
  for (let place = at; place < last; place += 4) hash = mixed(hash ^ view.getUint32(place, true), factor);
  if (length >= 4) hash = mixed(hash ^ view.getUint32(last, true), factor);
  else for (let place = at; place < at + length; place += 1) hash = mixed(hash ^ view.getUint8(place), factor);
  // Spreads the last word over all bits (the end of MurmurHash3).
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

function mixed(hash: number, factor: number): number {
  const product = Math.imul(hash, factor);
  return product ^ (product >>> 15);
}
