/**
 * Entries, one after the other, to an entry index. Of a list of ten million nothing is held but the table, a place for
 * each slot of it, and a megabyte that is not written yet.
 */
import { createHash } from "node:crypto";
import { assert } from "../lib/assert.ts";
import type { ChainId } from "../types/chain.ts";
import type { WatchEntry } from "../types/watch.ts";
import { createAddressIndex } from "./address-index.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { createEntryIndex, type EntryIndex } from "./entry-index.ts";
import { createSlots, encodeHead, HEAD_BYTES, tableBytes, type Trailer } from "./entry-layout.ts";
import { encodeRecord, entryIdOf, NO_SLOT, PLACE_BYTES } from "./entry-record.ts";
import type { EntryStorage } from "./entry-storage.ts";

export interface EntryIndexBuilder<F> {
  /** In any order. */
  add(entry: WatchEntry): void;
  /** Stops in between, so that others can run. Nothing is added afterwards. */
  finish(facts: F): Generator<void, EntryIndex<F>>;
}

const PLACES_MAX = 2 ** 32;
// A megabyte is hashed and written in one or two milliseconds: what is done at once while others wait.
const CHUNK_BYTES = 2 ** 20;
// Entries of one list have most of what is said about them in common; a list whose entries do not must not fill the memory.
const COMMON_MAX = 4096;

/** `count`: at most so many entries are added. The storage is empty and becomes the index's own. */
export function createEntryIndexBuilder<F>(options: { count: number; storage: EntryStorage }): EntryIndexBuilder<F> {
  const { count, storage } = options;
  const index = createAddressIndex({ count });
  const slotFor = createSlots(index, "add");
  const lastOfSlot = new Uint32Array(index.table.slots);
  const lastOfChain = new Map<ChainId, number>();
  const commons = createCommons();
  const out = createWriter(storage);
  const content = createHash("sha256");
  let added = 0;

  const commonPlace = (part: object): number =>
    commons.placeOf(part, (json) => {
      content.update(json);
      return out.append(encodeRecord({ slot: NO_SLOT, previous: 0, previousOfChain: 0, common: 0, json }));
    });
  return {
    add(entry) {
      const { id, address, label, note, ...rest } = entry;
      const { chain } = rest;
      const slot = slotFor(chain, address);
      // An address left out would be watched in word only.
      assert(slot !== -1, `${address} is not an EVM address`);
      assert(id === entryIdOf(entry), `${id} is named after its list, chain and address`);
      const common = commonPlace(rest);
      const json = JSON.stringify([address, label, note]);
      content.update(`${common}${json}`);
      const place = out.append(
        encodeRecord({
          slot,
          previous: lastOfSlot[slot] ?? 0,
          previousOfChain: lastOfChain.get(chain) ?? 0,
          common,
          json,
        }),
      );
      lastOfSlot[slot] = place;
      lastOfChain.set(chain, place);
      added += 1;
    },
    *finish(facts) {
      const recordsEnd = out.flush();
      yield* out.appendAll(tableBytes(index.table));
      yield* out.appendAll(new Uint8Array(lastOfSlot.buffer));
      const places = [...lastOfChain];
      const digest = content.digest("hex");
      const trailer: Trailer<F> = { index: index.save(), lastOfChain: places, count: added, digest, facts };
      out.seal(recordsEnd, trailer);
      return createEntryIndex(storage, { index, recordsEnd, trailer });
    },
  };
}

/** Where the common parts of the entries before are. */
function createCommons(): { placeOf(part: object, write: (json: string) => number): number } {
  const places = new Map<string, number>();
  // The same, by text as it comes: to put the keys in order takes longer than all else that is done with an entry.
  const asTheyCame = new Map<string, number>();
  return {
    placeOf(part, write) {
      const text = JSON.stringify(part);
      const known = asTheyCame.get(text);
      if (known !== undefined) return known;
      const json = canonicalJson(part);
      let place = places.get(json);
      if (place === undefined) {
        place = write(json);
        // Places follow from the order of the entries alone, so both are forgotten together.
        if (places.size === COMMON_MAX) {
          places.clear();
          asTheyCame.clear();
        }
        places.set(json, place);
      }
      if (asTheyCame.size === COMMON_MAX) asTheyCame.clear();
      asTheyCame.set(text, place);
      return place;
    },
  };
}

interface Writer {
  /** The record's place. */
  append(record: Uint8Array): number;
  /** The end of what was appended. */
  flush(): number;
  appendAll(bytes: Uint8Array): Generator<void, void>;
  seal(recordsEnd: number, trailer: object): void;
}

/** Collects small pieces, hashes what it writes, and writes the head last: before that the bytes are nobody's. */
function createWriter(storage: EntryStorage): Writer {
  const digest = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let filled = 0;
  storage.append(Buffer.alloc(HEAD_BYTES));
  const put = (bytes: Uint8Array) => {
    digest.update(bytes);
    storage.append(bytes);
  };
  const flush = () => {
    put(chunk.subarray(0, filled));
    filled = 0;
    return storage.size;
  };
  return {
    append(record) {
      if (filled + record.length > chunk.length) flush();
      const place = (storage.size + filled) / PLACE_BYTES;
      assert(place < PLACES_MAX, "every record has a place");
      if (record.length > chunk.length) {
        put(record);
        return place;
      }
      chunk.set(record, filled);
      filled += record.length;
      return place;
    },
    flush,
    *appendAll(bytes) {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        put(bytes.subarray(at, at + CHUNK_BYTES));
        yield;
      }
    },
    seal(recordsEnd, trailer) {
      const trailerAt = storage.size;
      put(Buffer.from(JSON.stringify(trailer)));
      storage.overwrite(encodeHead({ recordsEnd, trailerAt }, digest), 0);
      storage.publish();
    },
  };
}
