/**
 * Is this 20-byte address watched on this chain? Asked about 2,000 times a block and almost always answered no.
 *
 * A table of 64-bit fingerprints in one piece of memory: open addressing, linear probing, no objects, so ten million
 * addresses are 133 MB and no garbage collector walks them. A fingerprint found is a question, not an answer: the caller
 * confirms it exactly. So a listed address is never missed and an unlisted one never reported.
 *
 * The fingerprint is a tabulation hash: each of the 20 bytes picks a random word, the words are xored. The random words
 * are drawn for each table: what an attacker writes into a log cannot be aimed at it.
 *
 * The memory is WebAssembly's, so that a scanner compiled to it probes the same table in place: see FingerprintTable.
 */
import { randomFillSync } from "node:crypto";
import { assert } from "../lib/assert.ts";
import { type FingerprintTable, RESERVED_BYTES, type TableSeed } from "../types/address-table.ts";
import type { Address, ChainId } from "../types/chain.ts";

export const ADDRESS_BYTES = 20;

/** Watched addresses of one chain, 20 bytes each, one after the other. */
export interface AddressBytes {
  readonly chain: ChainId;
  readonly bytes: Uint8Array;
}

/** The exact answer for the 20 bytes at `offset`; asked only when the fingerprint is there. */
export type ConfirmAddress = (bytes: Uint8Array, offset: number) => boolean;

export interface AddressIndexOptions {
  /** How many addresses `lists` holds: the table is made for so many. */
  readonly count: number;
  /** Read once, in pieces of any size: the addresses need not be in memory together. */
  readonly lists: Iterable<AddressBytes>;
  /** Fills the hash with random words. Only tests give another than the system's. */
  readonly fillRandom?: FillRandom;
}

type FillRandom = (words: Int32Array<ArrayBuffer>) => void;

/** The probe of one chain. */
export interface AddressProbe {
  /** Of the 20 bytes at `offset`. */
  hasBytes(bytes: Uint8Array, offset: number): boolean;
  /** Of `0x` and 40 hex digits in either case; any other text is not in the index. */
  hasText(address: Address): boolean;
}

export interface AddressIndex {
  /** Distinct chain and address pairs (two of equal fingerprint count once: in one of 400,000 indexes of ten million). */
  readonly size: number;
  readonly table: FingerprintTable;
  /** A chain without addresses gets a probe that always says no. */
  of(chain: ChainId, confirm: ConfirmAddress): AddressProbe;
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

const NEVER: AddressProbe = { hasBytes: () => false, hasText: () => false };

export function createAddressIndex(options: AddressIndexOptions): AddressIndex {
  const { count, lists, fillRandom = randomFillSync } = options;
  const layout = layOut(count);
  const seek = createSeek(layout, fillRandom);
  // Keyed in, so that one address on two chains is two unrelated fingerprints.
  const seeds = new Map<ChainId, TableSeed>();
  let given = 0;
  let size = 0;
  for (const { chain, bytes } of lists) {
    assert(bytes.length % ADDRESS_BYTES === 0, `the addresses of ${chain} are not 20 bytes each`);
    given += bytes.length / ADDRESS_BYTES;
    // Before they are put in: a table without an empty slot would be searched for ever.
    assert(given <= count, `more addresses than the ${count} announced`);
    if (bytes.length === 0) continue;
    const seed = seeds.get(chain) ?? drawSeed(fillRandom);
    seeds.set(chain, seed);
    for (let offset = 0; offset < bytes.length; offset += ADDRESS_BYTES)
      if (!seek(bytes, offset, seed, true)) size += 1;
  }
  return {
    size,
    table: { ...layout, seedOf: (chain) => seeds.get(chain) ?? null },
    of(chain, confirm) {
      const seed = seeds.get(chain);
      return seed === undefined ? NEVER : createProbe(seek, seed, confirm);
    },
  };
}

function drawSeed(fillRandom: FillRandom): TableSeed {
  const words = new Int32Array(2);
  fillRandom(words);
  return { low: words[0] ?? 0, high: words[1] ?? 0 };
}

function createProbe(seek: Seek, seed: TableSeed, confirm: ConfirmAddress): AddressProbe {
  const scratch = new Uint8Array(ADDRESS_BYTES);
  const hasBytes = (bytes: Uint8Array, offset: number) => seek(bytes, offset, seed, false) && confirm(bytes, offset);
  return {
    hasBytes,
    hasText: (address) => writeAddress(address, scratch, 0) && hasBytes(scratch, 0),
  };
}

type Layout = Omit<FingerprintTable, "seedOf">;

function layOut(count: number): Layout {
  const slots = Math.max(SLOTS_MIN, Math.ceil(count / LOAD));
  assert(slots <= SLOTS_MAX, `at most ${Math.floor(SLOTS_MAX * LOAD)} watched addresses fit the index`);
  const wordsAt = RESERVED_BYTES;
  const fingerprintsAt = aligned(wordsAt + WORDS * Int32Array.BYTES_PER_ELEMENT);
  const freeFrom = aligned(fingerprintsAt + 2 * slots * Int32Array.BYTES_PER_ELEMENT);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((freeFrom + ROOM_BYTES) / PAGE_BYTES) });
  return { memory, wordsAt, fingerprintsAt, slots, freeFrom };
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** Whether the fingerprint of 20 bytes is there; with `insert` it is afterwards. */
type Seek = (bytes: Uint8Array, offset: number, seed: TableSeed, insert: boolean) => boolean;

function createSeek({ memory, wordsAt, fingerprintsAt, slots }: Layout, fillRandom: FillRandom): Seek {
  const end = 2 * slots;
  const takeWords = () => new Int32Array(memory.buffer, wordsAt, WORDS);
  const takeFingerprints = () => new Int32Array(memory.buffer, fingerprintsAt, end);
  let words = takeWords();
  let fingerprints = takeFingerprints();
  fillRandom(words);

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
      if (fingerprints[place] === low && fingerprints[place + 1] === high) return true;
      place += 2;
      if (place === end) place = 0;
    }
    if (insert) {
      fingerprints[place] = low;
      fingerprints[place + 1] = high;
    }
    return false;
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
