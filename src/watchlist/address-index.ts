/**
 * Is this 20-byte address watched? Asked about 2,000 times a block and almost always answered no.
 *
 * A table of 64-bit fingerprints in one piece of memory: open addressing, linear probing, no objects, so ten million
 * addresses are 133 MB and no garbage collector walks them. A fingerprint found is a question, not an answer: the caller
 * confirms it exactly, by what it keeps about the fingerprint's slot. So a listed address is never missed and an unlisted
 * one never reported.
 *
 * The fingerprint is a tabulation hash: each of the 20 bytes picks a random word, the words are xored. The random words
 * are drawn for each table: what an attacker writes into a log cannot be aimed at it.
 *
 * The memory is WebAssembly's, so that a scanner compiled to it probes the same table in place: see FingerprintTable.
 */
import { randomFillSync } from "node:crypto";
import { assert } from "../lib/assert.ts";
import { type FingerprintTable, RESERVED_BYTES, type TableSeed } from "../types/address-table.ts";

export const ADDRESS_BYTES = 20;

export interface AddressIndexOptions {
  /** The table is made for so many addresses. */
  readonly count: number;
  /** Fills the hash with random words. Only tests give another than the system's. */
  readonly fillRandom?: FillRandom;
}

type FillRandom = (words: Int32Array<ArrayBuffer>) => void;

/** Addresses that are told apart from the same bytes elsewhere: one address in two spaces is two unrelated fingerprints. */
export interface AddressSpace {
  /** The slot of the 20 bytes at `offset`; they are in the table afterwards. */
  add(bytes: Uint8Array, offset: number): number;
  /** The slot whose fingerprint is that of the 20 bytes at `offset`; -1: they were never added. */
  find(bytes: Uint8Array, offset: number): number;
}

export interface AddressIndex {
  /** Distinct addresses added (two of equal fingerprint count once: in one of 400,000 indexes of ten million). */
  readonly size: number;
  /** So many fit, with the empty slots that a quick "no" needs. */
  readonly capacity: number;
  readonly table: AddressTableLayout;
  /** What the fingerprints of a space start from; null: nothing was added to it. */
  seedOf(space: string): TableSeed | null;
  of(space: string): AddressSpace;
  /** All that is needed to answer in another process, besides the words and fingerprints in the memory. */
  save(): SavedIndex;
}

export type AddressTableLayout = Omit<FingerprintTable, "seedOf">;

export interface SavedIndex {
  readonly size: number;
  readonly slots: number;
  readonly seeds: readonly (readonly [space: string, seed: TableSeed])[];
}

// Six slots in ten are full: a miss looks at 3.6 slots on average, mostly in one cache line. At 0.75 it would be 8.5.
const LOAD = 0.6;
const SLOTS_MIN = 8;
// A slot is chosen by multiplying 28 bits with the number of slots, which a double does exactly up to 2^53.
const SLOT_BITS = 28;
const SLOTS_MAX = 2 ** (53 - SLOT_BITS);
const SLOT_SCALE = 2 ** -SLOT_BITS;
const WORDS_PER_BYTE = 256 * 2;
const WORDS = ADDRESS_BYTES * WORDS_PER_BYTE;

const PAGE_BYTES = 65_536;
const ALIGNMENT = 16;
// A scanner's first room; more is its own to ask for.
const ROOM_BYTES = 2 ** 20;

/** An empty table. */
export function createAddressIndex({ count, fillRandom = randomFillSync }: AddressIndexOptions): AddressIndex {
  const slots = Math.max(SLOTS_MIN, Math.ceil(count / LOAD));
  assert(slots <= SLOTS_MAX, `at most ${Math.floor(SLOTS_MAX * LOAD)} watched addresses fit the index`);
  const table = layOut(slots);
  fillRandom(new Int32Array(table.memory.buffer, table.wordsAt, WORDS));
  return indexOn(table, { size: 0, slots, seeds: [] }, { count, fillRandom });
}

/** The table of a saved index; whoever loads it writes its words and fingerprints into the memory before it is asked. */
export function loadAddressIndex(saved: SavedIndex): AddressIndex {
  return indexOn(layOut(saved.slots), saved, { count: Math.floor(saved.slots * LOAD), fillRandom: randomFillSync });
}

function indexOn(table: AddressTableLayout, saved: SavedIndex, options: Required<AddressIndexOptions>): AddressIndex {
  const seek = createSeek(table);
  const seeds = new Map(saved.seeds);
  let { size } = saved;
  const seedFor = (space: string): TableSeed => {
    const known = seeds.get(space);
    if (known !== undefined) return known;
    const seed = drawSeed(options.fillRandom);
    seeds.set(space, seed);
    return seed;
  };
  return {
    get size() {
      return size;
    },
    capacity: options.count,
    table,
    seedOf: (space) => seeds.get(space) ?? null,
    of: (space) => ({
      add(bytes, offset) {
        const slot = seek(bytes, offset, seedFor(space), true);
        if (slot >= 0) return slot;
        size += 1;
        // A table without an empty slot would be searched for ever; it has room for a few more than announced.
        assert(size <= options.count, `more addresses than the ${options.count} announced`);
        return ~slot;
      },
      find(bytes, offset) {
        const seed = seeds.get(space);
        if (seed === undefined) return -1;
        const slot = seek(bytes, offset, seed, false);
        return slot >= 0 ? slot : -1;
      },
    }),
    save: () => ({ size, slots: table.slots, seeds: [...seeds] }),
  };
}

function drawSeed(fillRandom: FillRandom): TableSeed {
  const words = new Int32Array(2);
  fillRandom(words);
  return { low: words[0] ?? 0, high: words[1] ?? 0 };
}

function layOut(slots: number): AddressTableLayout {
  const wordsAt = RESERVED_BYTES;
  const fingerprintsAt = aligned(wordsAt + WORDS * Int32Array.BYTES_PER_ELEMENT);
  const freeFrom = aligned(fingerprintsAt + 2 * slots * Int32Array.BYTES_PER_ELEMENT);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((freeFrom + ROOM_BYTES) / PAGE_BYTES) });
  return { memory, wordsAt, fingerprintsAt, slots, freeFrom };
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** The slot of the fingerprint of 20 bytes, or the complement (~) of the empty one it belongs in; `insert` puts it there. */
type Seek = (bytes: Uint8Array, offset: number, seed: TableSeed, insert: boolean) => number;

function createSeek({ memory, wordsAt, fingerprintsAt, slots }: AddressTableLayout): Seek {
  const end = 2 * slots;
  const takeWords = () => new Int32Array(memory.buffer, wordsAt, WORDS);
  const takeFingerprints = () => new Int32Array(memory.buffer, fingerprintsAt, end);
  let words = takeWords();
  let fingerprints = takeFingerprints();

  return (bytes, offset, seed, insert) => {
    // A scanner grew the memory and so detached the views: they read nothing at all.
    if (words.length === 0) {
      words = takeWords();
      fingerprints = takeFingerprints();
    }
    let low = seed.low;
    let high = seed.high;
    for (let index = 0; index < ADDRESS_BYTES; index += 1) {
      const word = index * WORDS_PER_BYTE + 2 * (bytes[offset + index] as number);
      low ^= words[word] as number;
      high ^= words[word + 1] as number;
    }
    // Zero is an empty slot: the one fingerprint of zero becomes another.
    if (low === 0) low = 1;
    let place = 2 * Math.floor((high >>> (32 - SLOT_BITS)) * slots * SLOT_SCALE);
    // Ends at the latest at an empty slot: four in ten are.
    while (fingerprints[place] !== 0) {
      if (fingerprints[place] === low && fingerprints[place + 1] === high) return place >>> 1;
      place += 2;
      if (place === end) place = 0;
    }
    if (insert) {
      fingerprints[place] = low;
      fingerprints[place + 1] = high;
    }
    return ~(place >>> 1);
  };
}

const NOT_HEX = 255;
const HEX_VALUES = new Uint8Array(128).fill(NOT_HEX);
for (const [value, digit] of "0123456789abcdef".split("").entries()) {
  HEX_VALUES[digit.charCodeAt(0)] = value;
  HEX_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Writes the 20 bytes of `0x` and 40 hex digits; false, with nothing promised about `into`, for any other text. */
export function writeAddress(text: string, into: Uint8Array, offset: number): boolean {
  if (text.length !== 2 + 2 * ADDRESS_BYTES || !text.startsWith("0x")) return false;
  for (let index = 0; index < ADDRESS_BYTES; index += 1) {
    const first = text.charCodeAt(2 + 2 * index);
    const second = text.charCodeAt(3 + 2 * index);
    if ((first | second) >= HEX_VALUES.length) return false;
    const high = HEX_VALUES[first] as number;
    const low = HEX_VALUES[second] as number;
    if ((high | low) === NOT_HEX) return false; // A digit is below 16, so only NOT_HEX gives 255.
    into[offset + index] = (high << 4) | low;
  }
  return true;
}
