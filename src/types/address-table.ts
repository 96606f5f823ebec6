/** The watched addresses as a scanner of blocks sees them: a table in a memory that it imports. */
/** Page 0 of the memory belongs to the scanner's module: its static data and its stack. The table begins behind it. */
export const RESERVED_BYTES = 65_536;

/**
 * Addresses of 20 bytes that somebody watches as a table a scanner probes: may say yes to a stranger
 * (about once in 2^40 questions at ten million addresses), never no to a watched one.
 *
 * | bytes | what |
 * |---|---|
 * | 0 to 65,535, page 0 | the scanner's static data and stack |
 * | `wordsAt`, 40,960 bytes | the hash's random words |
 * | `fingerprintsAt`, 8 bytes a slot | the fingerprints; four slots in ten are empty |
 * | `freeFrom` to the end, at first at least 1 MiB | the scanner's room; it grows the memory when it needs more |
 *
 * All numbers in the memory are little-endian. To ask about the bytes b[0] to b[19] on a chain:
 *
 * 1. (low, high) = `seedOf(chain)`; for p from 0 to 19, xor word pair (p * 256 + b[p]) to it.
 * 2. If low is 0, it is 1.
 * 3. slot = floor((high >>> 4) * slots / 2^28), the product not cut to 32 bits.
 * 4. From there on, slot by slot and from the last to slot 0: low 0 means not watched; both words equal means watched.
 *
 * Scanners of several chains take turns in the room, and each scan leaves nothing there that another needs. Whoever
 * writes before `freeFrom` changes what is watched.
 */
export interface FingerprintTable {
  /** Not shared between threads. Growing it detaches every view of it taken before, in this process's code too. */
  readonly memory: WebAssembly.Memory;
  /**
   * Byte offset of the random words: 20 x 256 pairs (low, high) of int32, that of byte value v at place p
   * (p * 256 + v) * 8 bytes further. 16-byte aligned.
   */
  readonly wordsAt: number;
  /** Byte offset of the fingerprints: `slots` pairs (low, high) of int32; low 0 is an empty slot. 16-byte aligned. */
  readonly fingerprintsAt: number;
  /** At most 2^25. */
  readonly slots: number;
  /** First byte behind the table, 16-byte aligned. */
  readonly freeFrom: number;
  /**
   * What the fingerprints of a chain (its CAIP-2 id) start from, two int32; null: nothing of this chain is in the table.
   * All EVM chains have one seed, because an ordinary account is watched on each of them.
   */
  seedOf(chain: string): TableSeed | null;
}

export interface AddressTable extends FingerprintTable {
  /**
   * Every address listed on a chain once, as canonical text, in no order. Chains whose addresses are not 20 bytes build a
   * table of their own from it.
   */
  addressesOf(chain: string): Iterable<string>;
  /** What it was made from, and where it may differ; absent: from nothing. */
  readonly since?: ChangesSince;
}

export interface ChangesSince {
  /** The same object for all that was made from it. */
  readonly base: AddressTable;
  /** Each address of the chain once that may be listed here and not in `base`, or the other way round; and whether it is here. */
  changedOn(chain: string): Iterable<{ readonly address: string; readonly isListed: boolean }>;
}

export interface TableSeed {
  readonly low: number;
  readonly high: number;
}
