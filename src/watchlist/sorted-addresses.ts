/**
 * 20-byte addresses in one sorted buffer: 20 bytes each, found by binary search. Exact, compact, and about a
 * microsecond an answer: it confirms what the address index found.
 */
import { assert } from "../lib/assert.ts";
import { ADDRESS_BYTES, type ConfirmAddress } from "./address-index.ts";

// A sort key is the address's first 29 bits above its position in the list: 53 bits, all that a double holds exactly.
const PREFIX_BITS = 29;
const POSITION_SCALE = 2 ** 24;

/** `bytes` holds the addresses one after the other, in any order; it is copied. Says whether an address is among them. */
export function createSortedAddresses(bytes: Uint8Array): ConfirmAddress {
  assert(bytes.length % ADDRESS_BYTES === 0, "the addresses are not 20 bytes each");
  const sorted = sortAddresses(bytes);
  return (address, offset) => {
    let low = 0;
    let high = sorted.length / ADDRESS_BYTES - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compare({ bytes: sorted, at: middle * ADDRESS_BYTES }, { bytes: address, at: offset });
      if (order === 0) return true;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  };
}

/** A typed array of doubles sorts without calling back: ten million in seconds. */
function sortAddresses(bytes: Uint8Array): Uint8Array {
  const count = bytes.length / ADDRESS_BYTES;
  assert(count <= POSITION_SCALE, `at most ${POSITION_SCALE} addresses can be sorted`);
  const keys = new Float64Array(count);
  for (let position = 0; position < count; position += 1)
    keys[position] = prefixOf(bytes, position * ADDRESS_BYTES) * POSITION_SCALE + position;
  keys.sort();
  sortEqualPrefixes(keys, bytes);
  const sorted = new Uint8Array(bytes.length);
  keys.forEach((key, place) => {
    const from = positionOf(key) * ADDRESS_BYTES;
    sorted.set(bytes.subarray(from, from + ADDRESS_BYTES), place * ADDRESS_BYTES);
  });
  return sorted;
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
    compare({ bytes, at: positionOf(a) * ADDRESS_BYTES }, { bytes, at: positionOf(b) * ADDRESS_BYTES });
  let start = 0;
  for (let place = 1; place <= keys.length; place += 1) {
    if (place < keys.length && prefixAt(place) === prefixAt(start)) continue;
    if (place - start > 1) keys.subarray(start, place).sort(byAddress);
    start = place;
  }
}

interface Place {
  readonly bytes: Uint8Array;
  readonly at: number;
}

function compare(a: Place, b: Place): number {
  for (let index = 0; index < ADDRESS_BYTES; index += 1) {
    const difference = (a.bytes[a.at + index] ?? 0) - (b.bytes[b.at + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
