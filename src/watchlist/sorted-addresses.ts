/** 20-byte addresses in one sorted buffer, 20 bytes each: made from any order, found by binary search. */
import { assert } from "../lib/assert.ts";
import { ADDRESS_BYTES } from "./address-index.ts";

// A sort key is the address's first 29 bits above its position in the list: 53 bits, all that a double holds exactly.
const PREFIX_BITS = 29;
const POSITION_SCALE = 2 ** 24;

/** The 20 bytes at `at`. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** A sorted copy without repetitions. A typed array of doubles sorts without calling back: ten million in seconds. */
export function sortAddresses(bytes: Uint8Array): Uint8Array {
  assert(bytes.length % ADDRESS_BYTES === 0, "the addresses are not 20 bytes each");
  const count = bytes.length / ADDRESS_BYTES;
  assert(count <= POSITION_SCALE, `at most ${POSITION_SCALE} addresses can be sorted`);
  const keys = new Float64Array(count);
  for (let position = 0; position < count; position += 1)
    keys[position] = prefixOf(bytes, position * ADDRESS_BYTES) * POSITION_SCALE + position;
  keys.sort();
  sortEqualPrefixes(keys, bytes);
  const sorted = new Uint8Array(bytes.length);
  let end = 0;
  for (const key of keys) {
    const from = positionOf(key) * ADDRESS_BYTES;
    if (end > 0 && compareAddresses({ bytes, at: from }, { bytes: sorted, at: end - ADDRESS_BYTES }) === 0) continue;
    sorted.set(bytes.subarray(from, from + ADDRESS_BYTES), end);
    end += ADDRESS_BYTES;
  }
  return sorted.subarray(0, end);
}

/** The position of the last address of `sorted` that is not above the wanted one; -1: all are. */
export function lastNotAbove(sorted: Uint8Array, wanted: Place): number {
  let low = 0;
  let high = sorted.length / ADDRESS_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAddresses({ bytes: sorted, at: middle * ADDRESS_BYTES }, wanted) > 0) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

/** Below zero: `a` stands before `b`. */
export function compareAddresses(a: Place, b: Place): number {
  for (let index = 0; index < ADDRESS_BYTES; index += 1) {
    const difference = (a.bytes[a.at + index] ?? 0) - (b.bytes[b.at + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function prefixOf(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> (32 - PREFIX_BITS);
}

function positionOf(key: number): number {
  return key % POSITION_SCALE;
}

/** Addresses that begin alike (vanity addresses do) stand together by now, in the order of the list. */
function sortEqualPrefixes(keys: Float64Array, bytes: Uint8Array): void {
  const prefixAt = (place: number) => Math.floor((keys[place] ?? 0) / POSITION_SCALE);
  const byAddress = (a: number, b: number) =>
    compareAddresses({ bytes, at: positionOf(a) * ADDRESS_BYTES }, { bytes, at: positionOf(b) * ADDRESS_BYTES });
  let start = 0;
  for (let place = 1; place <= keys.length; place += 1) {
    if (place < keys.length && prefixAt(place) === prefixAt(start)) continue;
    if (place - start > 1) keys.subarray(start, place).sort(byAddress);
    start = place;
  }
}
