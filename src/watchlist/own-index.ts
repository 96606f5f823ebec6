/**
 * Own addresses, found by chain and address: millions of them, at less than a hundred bytes each. An open table of record
 * places; every answer is compared with the record's whole text, so that no two addresses are ever taken for one another.
 */
import { randomBytes } from "node:crypto";
import { digestOf } from "../lib/canonical-json.ts";
import { runThrough } from "../lib/slices.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { OwnAddress, Watchlist } from "../types/watch.ts";
import { digestOfRecords } from "./own-digest.ts";
import { createOwnRecords, type OwnRecords, type Place } from "./own-records.ts";

export interface OwnIndex {
  readonly of: Watchlist["ownOf"];
  /** An address that a file and the database name counts twice. */
  readonly count: number;
  /** Of all that is told about them, whatever their order. */
  readonly digest: string;
  /** What the table and its records take. */
  readonly bytes: number;
  /** Each of them, made as it is asked for: to be walked through, not kept. */
  all(): Iterable<OwnAddress>;
}

export interface OwnIndexBuilder {
  /** Null: it is known from now on. Otherwise who said it first, which stays. */
  add(own: OwnAddress, from: Place): { readonly own: OwnAddress; readonly from: Place } | null;
  /** Nothing more finds room. */
  readonly isFull: boolean;
  /** Stops in between, so that others can run. Nothing is added afterwards. */
  finish(): Generator<void, OwnIndex>;
}

const SLOTS_MIN = 1024;
// Above it misses, the common answer, probe long.
const LOAD_MAX = 0.75;
const SLOT_WORDS = 2; // the hash (0: empty) and the record's place
const NOWHERE: Place = { source: 0, line: 0 };

/** Of what fits in memory as objects. The first of two with one address stays. */
export function createOwnIndex(own: Iterable<OwnAddress>): OwnIndex {
  const builder = createOwnIndexBuilder();
  for (const one of own) builder.add(one, NOWHERE);
  return runThrough(builder.finish());
}

/** Both as one. What the first says of an address stands. */
export function joinOwn(first: OwnIndex, second: OwnIndex): OwnIndex {
  if (second.count === 0) return first;
  return {
    of: (chain, address) => first.of(chain, address) ?? second.of(chain, address),
    count: first.count + second.count,
    digest: digestOf([first.digest, second.digest]),
    bytes: first.bytes + second.bytes,
    *all() {
      yield* first.all();
      for (const one of second.all()) if (first.of(one.chain, one.address) === null) yield one;
    },
  };
}

export const NO_OWN: OwnIndex = createOwnIndex([]);

export function createOwnIndexBuilder(): OwnIndexBuilder {
  const records = createOwnRecords();
  const seed = randomBytes(4).readInt32LE();
  let table = new Uint32Array(SLOTS_MIN * SLOT_WORDS);
  let count = 0;

  function grow(): void {
    const larger = new Uint32Array(2 * table.length);
    const mask = larger.length - SLOT_WORDS;
    for (let from = 0; from < table.length; from += SLOT_WORDS) {
      const hashed = table[from] as number;
      if (hashed === 0) continue;
      let to = (hashed * SLOT_WORDS) & mask;
      while (larger[to] !== 0) to = (to + SLOT_WORDS) & mask;
      larger[to] = hashed;
      larger[to + 1] = table[from + 1] as number;
    }
    table = larger;
  }

  return {
    add(own, from) {
      const hashed = hashOf(seed, own.chain, own.address);
      const slot = slotOf({ table, records, hashed, chain: records.chainNumber(own.chain), address: own.address });
      if (table[slot] !== 0) {
        const at = table[slot + 1] as number;
        return { own: records.read(at), from: records.placeOf(at) };
      }
      table[slot] = hashed;
      table[slot + 1] = records.append(own, from);
      count += 1;
      if (count * SLOT_WORDS > table.length * LOAD_MAX) grow();
      return null;
    },

    get isFull() {
      return records.isFull;
    },

    *finish() {
      const digest = yield* digestOfRecords(records);
      return {
        of(chain, address) {
          const number = records.chainNumber(chain);
          if (number === -1) return null;
          const slot = slotOf({ table, records, hashed: hashOf(seed, chain, address), chain: number, address });
          return table[slot] === 0 ? null : records.read(table[slot + 1] as number, address);
        },
        count,
        digest,
        bytes: table.byteLength + records.bytes,
        *all() {
          for (const at of records.places()) yield records.read(at);
        },
      };
    },
  };
}

interface Asked {
  readonly table: Uint32Array;
  readonly records: OwnRecords;
  readonly hashed: number;
  readonly chain: number;
  readonly address: Address;
}

/** Where the address is, or the empty slot where it would be. */
function slotOf({ table, records, hashed, chain, address }: Asked): number {
  const mask = table.length - SLOT_WORDS;
  let slot = (hashed * SLOT_WORDS) & mask;
  while (table[slot] !== 0) {
    if (table[slot] === hashed && records.isOf(table[slot + 1] as number, chain, address)) return slot;
    slot = (slot + SLOT_WORDS) & mask;
  }
  return slot;
}

/** Never 0. The seed is another one in each process: nobody can make addresses that all fall into one slot of it. */
function hashOf(seed: number, chain: ChainId, address: Address): number {
  let mixed = mixIn(mixIn(seed, chain), address);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0 || 1;
}

/** A round of MurmurHash3 (32 bits) for each sign. */
function mixIn(start: number, text: string): number {
  let mixed = start;
  for (let index = 0; index < text.length; index += 1) {
    const sign = Math.imul(text.charCodeAt(index), 0xcc9e2d51);
    mixed ^= Math.imul((sign << 15) | (sign >>> 17), 0x1b873593);
    mixed = (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
  }
  return mixed;
}
