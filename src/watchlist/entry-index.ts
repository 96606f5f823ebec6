/**
 * Watched entries by chain and address: in memory the table that scanners probe, everything else in a storage that is read
 * for a hit only. Exact: a fingerprint found leads to the records of its slot, and these name their addresses in full.
 */
import { createHash } from "node:crypto";
import { assert } from "../lib/assert.ts";
import type { AddressTable } from "../types/address-table.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { WatchEntry } from "../types/watch.ts";
import { type AddressIndex, loadAddressIndex } from "./address-index.ts";
import {
  createSlots,
  HEAD_BYTES,
  isWhole,
  PLACE_NUMBER_BYTES,
  placesAt,
  readHead,
  tableBytes,
  tableOn,
  type Trailer,
} from "./entry-layout.ts";
import {
  decodeRecord,
  type EntryRecord,
  entryIdOf,
  inOrderFor,
  PLACE_BYTES,
  RECORD_HEAD_BYTES,
  recordLength,
} from "./entry-record.ts";
import type { ReadableStorage } from "./entry-storage.ts";
import { isMatchedOn } from "./matched-on.ts";

export interface EntryIndex<F> {
  readonly count: number;
  /** The same entries have the same one, in any process; hex. */
  readonly digest: string;
  /** What the builder was given. */
  readonly facts: F;
  readonly addresses: AddressTable;
  /** So many more addresses can be admitted. */
  readonly room: number;
  /** Scanners stop at this address too from now on. What is known about it stays as it is. */
  admit(chain: ChainId, address: Address): void;
  /**
   * The entries of exactly this chain, then those of the same account on other chains, both in list order. Throws
   * ConfigError where the storage is damaged.
   */
  entriesOf(chain: ChainId, address: Address): readonly WatchEntry[];
  /** Nothing is asked any more; the space of a replaced file is free again. */
  close(): void;
}

export interface EntryIndexParts<F> {
  readonly index: AddressIndex;
  /** End of the records in the storage. */
  readonly recordsEnd: number;
  readonly trailer: Trailer<F>;
}

// A megabyte is read and hashed in about a millisecond: what is done at once while others wait.
const CHUNK_BYTES = 2 ** 20;
// Most records are shorter: one read has them whole.
const FIRST_READ_BYTES = 512;
const NO_ENTRIES: readonly WatchEntry[] = Object.freeze([]);

/** Reads the storage through, and stops in between. Throws ConfigError when it is foreign, cut or changed. */
export function* openEntryIndex<F>(storage: ReadableStorage): Generator<void, EntryIndex<F>> {
  const head = readHead(storage);
  const content = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let at = HEAD_BYTES; at < storage.size; at += CHUNK_BYTES) {
    const part = chunk.subarray(0, storage.size - at);
    storage.read(part, at);
    content.update(part);
    yield;
  }
  if (!isWhole(head.bytes, content)) throw storage.unfit("its content is not what was written");
  const { recordsEnd, trailerAt } = head;
  const trailerBytes = Buffer.alloc(storage.size - trailerAt);
  storage.read(trailerBytes, trailerAt);
  const trailer = JSON.parse(trailerBytes.toString()) as Trailer<F>;
  const index = loadAddressIndex(trailer.index);
  const table = tableBytes(index.table);
  for (let at = 0; at < table.length; at += CHUNK_BYTES) {
    storage.read(table.subarray(at, at + CHUNK_BYTES), recordsEnd + at);
    yield;
  }
  return createEntryIndex(storage, { index, recordsEnd, trailer });
}

/** On what was just written, or found whole. */
export function createEntryIndex<F>(storage: ReadableStorage, parts: EntryIndexParts<F>): EntryIndex<F> {
  const { index, recordsEnd, trailer } = parts;
  const lastOfChain = new Map(trailer.lastOfChain);
  const slotOf = createSlots(index, "find");
  const slotFor = createSlots(index, "add");
  // Their slots have no records in the storage, so a slot without one is damage all the same.
  const admitted = new Set<number>();
  const lastPlacesAt = placesAt(recordsEnd, index.table);
  // A closed file's number may be another file's by now.
  let isOpen = true;
  const recordAt = (place: number) => readRecord(storage, { at: place * PLACE_BYTES, recordsEnd });
  const lastPlaceOf = (slot: number): number => {
    const number = Buffer.alloc(PLACE_NUMBER_BYTES);
    storage.read(number, lastPlacesAt + slot * PLACE_NUMBER_BYTES);
    return number.readUInt32LE(0);
  };
  const isListedBefore = (record: EntryRecord, { chain, address }: Pick<WatchEntry, "chain" | "address">): boolean => {
    for (let place = record.previous; place !== 0; ) {
      const other = recordAt(place);
      if (partsOf(other)[0] === address && entryOf(other, recordAt(other.common)).chain === chain) return true;
      place = other.previous;
    }
    return false;
  };
  function* addressesOf(chain: ChainId): Generator<Address, void> {
    for (let place = lastOfChain.get(chain) ?? 0; place !== 0; ) {
      assert(isOpen, "the watchlist is open");
      const record = recordAt(place);
      const [address] = partsOf(record);
      // Several lists may name it: told for the first of them.
      if (!isListedBefore(record, { chain, address })) yield address;
      place = record.previousOfChain;
    }
  }
  return {
    count: trailer.count,
    digest: trailer.digest,
    facts: trailer.facts,
    addresses: tableOn(index, addressesOf),
    room: Math.max(0, index.capacity - index.size),
    admit(chain, address) {
      if (slotOf(chain, address) !== -1) return;
      const slot = slotFor(chain, address);
      // An address left out would be watched in word only.
      assert(slot !== -1, `${address} is not an EVM address`);
      admitted.add(slot);
    },
    entriesOf(chain, address) {
      assert(isOpen, "the watchlist is open");
      const slot = slotOf(chain, address);
      if (slot === -1 || admitted.has(slot)) return NO_ENTRIES;
      const found: WatchEntry[] = [];
      let place = lastPlaceOf(slot);
      do {
        const record = recordAt(place);
        if (record.slot !== slot) throw storage.unfit(`the record at ${place} is another address's`);
        if (partsOf(record)[0] === address) {
          const entry = entryOf(record, recordAt(record.common));
          if (isMatchedOn(entry, chain)) found.push(entry);
        }
        place = record.previous;
      } while (place !== 0);
      return inOrderFor(chain, found);
    },
    close() {
      isOpen = false;
      storage.close();
    },
  };
}

function readRecord(storage: ReadableStorage, { at, recordsEnd }: { at: number; recordsEnd: number }): EntryRecord {
  const damaged = () => storage.unfit(`the record at byte ${at} is damaged`);
  const most = recordsEnd - at;
  if (at < HEAD_BYTES || most < RECORD_HEAD_BYTES) throw damaged();
  let bytes = Buffer.alloc(Math.min(FIRST_READ_BYTES, most));
  storage.read(bytes, at);
  const length = recordLength(bytes);
  if (length < RECORD_HEAD_BYTES || length > most) throw damaged();
  if (length > bytes.length) {
    bytes = Buffer.alloc(length);
    storage.read(bytes, at);
  }
  const record = decodeRecord(bytes.subarray(0, length));
  if (record === null) throw damaged();
  return record;
}

type OwnPart = readonly [address: Address, label: string, note: string | null];

/** What is the entry's own. */
function partsOf({ json }: EntryRecord): OwnPart {
  return JSON.parse(json) as OwnPart;
}

function entryOf(own: EntryRecord, common: EntryRecord): WatchEntry {
  const [address, label, note] = partsOf(own);
  const rest = JSON.parse(common.json) as Omit<WatchEntry, "id" | "address" | "label" | "note">;
  return { id: entryIdOf({ ...rest, address }), ...rest, address, label, note };
}
