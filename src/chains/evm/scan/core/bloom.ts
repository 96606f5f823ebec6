/**
 * Log blooms: 2048 bits, three for each address and topic, from its Keccak (Yellow Paper 4.4.1). Blocks repeat their
 * tokens and topics, so the bits of what was hashed last are kept, in a table that later items overwrite.
 */
import { T_BLOOM_CACHE } from "./layout.ts";
import { keccakTo } from "./keccak.ts";
import { byteAt, copyBytes, intAt, sameBytes, setByte, setInt } from "./memory.ts";
import { table } from "./question.ts";

export const BLOOM_BYTES: i32 = 256;

/** A power of two. */
const CACHE_ENTRIES: i32 = 8192;
/** The item's length, three bit positions, then the item, at most 32 bytes. */
const CACHE_ENTRY_BYTES: i32 = 48;

/** Sets the bits of the `count` bytes at `item`, an address or a topic. */
export function addToBloom(bloom: i32, item: i32, count: i32): void {
  // The last bytes: addresses in topics begin with twelve zeros.
  const last = item + count - 4;
  const hash = byteAt(last) | (byteAt(last + 1) << 8) | (byteAt(last + 2) << 16) | (byteAt(last + 3) << 24);
  const entry = table(T_BLOOM_CACHE) + CACHE_ENTRY_BYTES * ((hash ^ (hash >>> 13)) & (CACHE_ENTRIES - 1));
  if (intAt(entry) !== count || !sameBytes(entry + 16, item, count)) {
    setInt(entry, count);
    copyBytes(entry + 16, item, count);
    keepPositions(entry, item, count);
  }
  setBit(bloom, intAt(entry + 4));
  setBit(bloom, intAt(entry + 8));
  setBit(bloom, intAt(entry + 12));
}

let digest: i32 = 0;

/** Room of 32 bytes for the digests. */
export function useForDigest(at: i32): void {
  digest = at;
}

function keepPositions(entry: i32, item: i32, count: i32): void {
  keccakTo(digest, item, count);
  for (let part: i32 = 0; part < 3; part += 1)
    setInt(entry + 4 + 4 * part, ((byteAt(digest + 2 * part) << 8) | byteAt(digest + 2 * part + 1)) & 2047);
}

function setBit(bloom: i32, position: i32): void {
  const at = bloom + BLOOM_BYTES - 1 - (position >> 3);
  setByte(at, byteAt(at) | (1 << (position & 7)));
}
