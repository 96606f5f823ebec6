/** A fast hash of byte strings for tables in memory. Not for proofs. */
import { randomInt } from "node:crypto";

/** Random, so that nobody knows which bytes share a place of a table. */
export interface HashKey {
  readonly start: number;
  /** Odd, as the other one. */
  readonly factor: number;
  readonly otherFactor: number;
}

export function randomHashKey(): HashKey {
  return { start: randomInt(2 ** 32), factor: randomOdd(), otherFactor: randomOdd() };
}

function randomOdd(): number {
  return randomInt(2 ** 31) * 2 + 1;
}

/**
 * 32 bits that depend on the length, the first eight and the last four of the bytes at `at`: nearly all scripts hold a
 * hash or a key there. Bytes that differ elsewhere share a hash, whoever made them; tables must bear that.
 */
export function hashBytes(view: DataView, at: number, length: number, key: HashKey): number {
  if (length < 8) return hashShort(view, at, length, key);
  const first = Math.imul(view.getUint32(at, true) ^ key.start, key.factor);
  const second = Math.imul(view.getUint32(at + 4, true) ^ length, key.otherFactor);
  return finished(first ^ (second >>> 16) ^ (second << 16) ^ view.getUint32(at + length - 4, true));
}

function hashShort(view: DataView, at: number, length: number, key: HashKey): number {
  let hash = length ^ key.start;
  for (let place = at; place < at + length; place += 1) hash = Math.imul(hash ^ view.getUint8(place), key.factor);
  return finished(hash);
}

/** Spreads what differs over all bits (as the end of MurmurHash3). */
function finished(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
