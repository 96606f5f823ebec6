/**
 * A list of any size in its file, and in memory the few entries that changed since it was written. The changes win. An
 * entry more costs what that entry costs: nothing is built again, and whoever matches with a list from before goes on with
 * exactly that one.
 *
 * Added addresses are written into the table that scanners probe, which every list on one file shares: a scanner of an older
 * list then stops for nothing, which its entries know. Removed ones stay there until the file is written again.
 */
import { hashId } from "../lib/ids.ts";
import type { AddressTable } from "../types/address-table.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { WatchEntry, Watchlist } from "../types/watch.ts";
import { inOrderFor, placeOfId } from "./entry-record.ts";
import { isEvm, isMatchedOn } from "./matched-on.ts";
import type { OwnIndex } from "./own-index.ts";
import { incidentsOf, type ListHead, type WatchlistSnapshot } from "./snapshot.ts";

/** A list as it is now, without its entries. */
export interface CurrentHead extends ListHead {
  readonly version: string;
}

/** What is matched that the base does not have, or has otherwise. Immutable. */
export interface Changes {
  readonly base: WatchlistSnapshot;
  /** By id: as it is matched now; null: not any more. */
  readonly entries: ReadonlyMap<string, WatchEntry | null>;
  /** The present ones, by what `keyOf` says of their address. */
  readonly byKey: ReadonlyMap<string, readonly WatchEntry[]>;
  /** Matched entries of base and changes, by their own chain. */
  readonly watchedOn: ReadonlyMap<ChainId, number>;
}

const NO_ENTRIES: readonly WatchEntry[] = Object.freeze([]);

export function noChanges(base: WatchlistSnapshot): Changes {
  return { base, entries: new Map(), byKey: new Map(), watchedOn: base.watchedOn };
}

/**
 * Those of before and these; at most as many in all as the base has room for. `changed`: by id, as it is matched now or
 * null. Stops in between, so that others can run.
 */
export function* addChanges(
  before: Changes,
  changed: Iterable<readonly [entryId: string, now: WatchEntry | null]>,
): Generator<void, Changes> {
  const { base } = before;
  const entries = new Map(before.entries);
  const byKey = new Map(before.byKey);
  const watchedOn = new Map(before.watchedOn);
  for (const [entryId, now] of changed) {
    const { chain, address } = placeOfId(entryId);
    const was = entries.get(entryId);
    const wasMatched = was === undefined ? isIn(base, entryId) : was !== null;
    entries.set(entryId, now);
    const key = keyOf(chain, address);
    const others = (byKey.get(key) ?? []).filter(({ id }) => id !== entryId);
    byKey.set(key, now === null ? others : [...others, now]);
    if (now !== null) base.admit(chain, address);
    watchedOn.set(chain, (watchedOn.get(chain) ?? 0) + Number(now !== null) - Number(wasMatched));
    yield;
  }
  return { base, entries, byKey, watchedOn };
}

function isIn(base: WatchlistSnapshot, entryId: string): boolean {
  const { chain, address } = placeOfId(entryId);
  return base.entriesOf(chain, address).some(({ id }) => id === entryId);
}

/** Entries of one key may answer for one another's address: that of an ordinary EVM account is watched on every EVM chain. */
function keyOf(chain: ChainId, address: Address): string {
  return isEvm(chain) ? address : `${chain}/${address}`;
}

export interface ChangedOptions {
  readonly changes: Changes;
  /** Every list that an entry is of, as it is now. */
  readonly heads: readonly CurrentHead[];
  readonly own: OwnIndex;
  readonly version: string;
}

export function createChangedWatchlist({ changes, heads, own, version }: ChangedOptions): Watchlist {
  const { base, entries, byKey, watchedOn } = changes;
  const versions = new Map(heads.map((head) => [head.list, head.version]));
  // The file has the version of its day: each change makes a new one of its list.
  const asOfNow = (entry: WatchEntry): WatchEntry => ({
    ...entry,
    listVersion: versions.get(entry.list) ?? entry.listVersion,
  });
  const entriesOf: Watchlist["entriesOf"] = (chain, address) => {
    const known = base.entriesOf(chain, address).filter(({ id }) => !entries.has(id));
    const changed = (byKey.get(keyOf(chain, address)) ?? NO_ENTRIES).filter((entry) => isMatchedOn(entry, chain));
    if (known.length + changed.length === 0) return NO_ENTRIES;
    return inOrderFor(chain, [...known, ...changed]).map(asOfNow);
  };
  return {
    version,
    incidents: incidentsOf(heads),
    entriesOf,
    ownOf: own.of,
    addresses: addressesWith(changes, entriesOf),
    watchedCount: [...watchedOn.values()].reduce((sum, count) => sum + count, 0),
  };
}

function addressesWith({ base, entries }: Changes, entriesOf: Watchlist["entriesOf"]): AddressTable {
  function* changedOn(chain: ChainId) {
    const places = [...entries.keys()].map(placeOfId).filter((place) => place.chain === chain);
    for (const address of new Set(places.map((place) => place.address)))
      yield { address, isListed: entriesOf(chain, address).some((entry) => entry.chain === chain) };
  }
  return {
    ...base.addresses,
    since: { base: base.addresses, changedOn },
    *addressesOf(chain) {
      const changed = [...changedOn(chain)];
      const differ = new Set(changed.map(({ address }) => address));
      for (const address of base.addresses.addressesOf(chain)) if (!differ.has(address)) yield address;
      for (const { address, isListed } of changed) if (isListed) yield address;
    },
  };
}

/**
 * Of a list that a book's revision stands for, without reading its entries: a book's mark is another one after each change.
 * What else decides on a match is told beside it.
 */
export function bookVersion(of: { mark: string; enable: readonly string[]; own: OwnIndex }): string {
  const { mark, enable, own } = of;
  return hashId("wl", [`book ${mark}`, `own ${own.digest}`, ...enable.toSorted().map((id) => `enable ${id}`)]);
}
