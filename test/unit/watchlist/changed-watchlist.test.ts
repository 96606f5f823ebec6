/**
 * A list brought up to date change by change against a naive index of what it should hold: random additions, changes and
 * removals, the file written again in between, and opened again as after a restart.
 */
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createRandom, type Random } from "../../../bench/replay/random.ts";
import { runThrough } from "../../../src/lib/slices.ts";
import type { WatchEntry, Watchlist } from "../../../src/types/watch.ts";
import {
  addChanges,
  type Changes,
  createChangedWatchlist,
  noChanges,
} from "../../../src/watchlist/changed-watchlist.ts";
import { NO_OWN } from "../../../src/watchlist/own-index.ts";
import { buildWatchlist, openWatchlist, type WatchlistSnapshot } from "../../../src/watchlist/snapshot.ts";
import { createTempDir, type TempDir } from "../../support/temp-dir.ts";
import { CHAINS, entryOf, headsOf, makeEntries, naiveIndex } from "./entries.ts";
import { isInTable } from "./probe-table.ts";

const NEVER = new AbortController().signal;
const ELSEWHERE = "eip155:8453";
const VERSION = "2026-11-22.2";
const HEADS = headsOf().map((head) => ({ ...head, version: VERSION }));
const ROOM = 500;

let folder: TempDir;
let file = "";
beforeEach(() => {
  folder = createTempDir("changed-watchlist");
  file = path.join(folder.path, "watched.entries");
});
afterEach(() => folder.remove());

type Truth = Map<string, WatchEntry>;

function build(truth: Truth): Promise<WatchlistSnapshot> {
  const entries = [...truth.values()].map((entry) => ({ entry, hasAdapter: true }));
  return buildWatchlist({ file, lists: headsOf(), entries, count: truth.size + ROOM, own: NO_OWN, enable: [] }, NEVER);
}

const listOf = (changes: Changes) => createChangedWatchlist({ changes, heads: HEADS, own: NO_OWN, version: "v" });

/** What is asked of a list, and what a naive one answers. */
function differences(watchlist: Watchlist, truth: Truth, addresses: readonly string[]): unknown[] {
  const naive = naiveIndex(inListOrder([...truth.values()].map((entry) => ({ ...entry, listVersion: VERSION }))));
  const wrong: unknown[] = [];
  for (const chain of [...CHAINS, ELSEWHERE])
    for (const address of addresses) {
      const [found, expected] = [watchlist.entriesOf(chain, address), naive(chain, address)];
      if (!isDeepStrictEqual(found, expected)) wrong.push([chain, address, found, expected]);
      if (found.length > 0 && chain.startsWith("eip155:") && !isInTable(watchlist.addresses, chain, address))
        wrong.push(`no scanner finds ${address} on ${chain}`);
    }
  for (const chain of CHAINS) {
    const told = [...watchlist.addresses.addressesOf(chain)].toSorted();
    const expected = [...truth.values()].filter((entry) => entry.chain === chain).map(({ address }) => address);
    if (!isDeepStrictEqual(told, [...new Set(expected)].toSorted())) wrong.push(`addresses of ${chain}`);
    const since = sinceBase(watchlist, chain);
    if (!isDeepStrictEqual(since, told)) wrong.push(`what changed on ${chain} since the file was written`);
  }
  if (watchlist.watchedCount !== truth.size) wrong.push(`${watchlist.watchedCount} watched instead of ${truth.size}`);
  return wrong;
}

/** The addresses of the file, with what is said to have changed since; those of the list itself where it was made from nothing. */
function sinceBase({ addresses }: Watchlist, chain: string): string[] {
  const { since } = addresses;
  const told = new Set((since?.base ?? addresses).addressesOf(chain));
  for (const { address, isListed } of since?.changedOn(chain) ?? [])
    if (isListed) told.add(address);
    else told.delete(address);
  return [...told].toSorted();
}

function inListOrder(entries: readonly WatchEntry[]): WatchEntry[] {
  const key = ({ list, chain, address }: WatchEntry) => `${list}\0${chain}\0${address}`;
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** One to twelve entries that come, go, or say something else. */
function changeSome(truth: Truth, pool: readonly WatchEntry[], random: Random): Map<string, WatchEntry | null> {
  const changed = new Map<string, WatchEntry | null>();
  for (let left = 1 + random.below(12); left > 0; left -= 1) {
    const one = pool[random.below(pool.length)] as WatchEntry;
    const isThere = truth.has(one.id);
    const now = isThere && random.below(2) === 0 ? null : { ...one, label: `label ${random.below(1_000)}` };
    changed.set(one.id, now);
    if (now === null) truth.delete(one.id);
    else truth.set(one.id, now);
  }
  return changed;
}

test.each([1, 2, 3])("lists that follow change after change are what a naive index says, seed %i", async (seed) => {
  const random = createRandom(seed);
  const { entries, addresses, others } = makeEntries(400, seed);
  const asked = [...addresses, ...others];
  // Half of it is there at first, the rest comes later.
  const truth: Truth = new Map(entries.filter((_, place) => place % 2 === 0).map((entry) => [entry.id, entry]));
  let changes = noChanges(await build(truth));
  const kept: { watchlist: Watchlist; truth: Truth }[] = [];
  for (let round = 0; round < 60; round += 1) {
    changes = runThrough(addChanges(changes, changeSome(truth, entries, random)));
    const watchlist = listOf(changes);
    expect(differences(watchlist, truth, sampleOf(asked, changes, random))).toEqual([]);
    if (round % 10 === 5) kept.push({ watchlist, truth: new Map(truth) });
    // As after a restart: the same file, and everything that changed since.
    if (round % 20 === 9) {
      const opened = await openWatchlist({ file, own: NO_OWN }, NEVER);
      changes = runThrough(addChanges(noChanges(opened), changes.entries));
    }
    if (round % 20 === 19) changes = noChanges(await build(truth));
  }
  expect(differences(listOf(changes), truth, asked)).toEqual([]);
  // Whoever has a list from before, on whatever file, still has exactly that one.
  for (const old of kept) expect(differences(old.watchlist, old.truth, asked)).toEqual([]);
});

/** The changed addresses, and some of all. */
function sampleOf(asked: readonly string[], { entries }: Changes, random: Random): string[] {
  const changed = [...entries.keys()].map((id) => id.slice(id.lastIndexOf("/") + 1));
  return [...new Set(changed), ...Array.from({ length: 100 }, () => asked[random.below(asked.length)] as string)];
}

test("a list that had nothing of EVM chains is scanned for its first address there", async () => {
  const [first] = makeEntries(10, 4).entries.filter(({ chain }) => chain.startsWith("eip155:"));
  const entry = first as WatchEntry;
  const base = await build(new Map());
  const before = listOf(noChanges(base));
  expect(isInTable(before.addresses, entry.chain, entry.address)).toBe(false);
  const after = listOf(runThrough(addChanges(noChanges(base), [[entry.id, entry]])));
  expect(isInTable(after.addresses, entry.chain, entry.address)).toBe(true);
  expect(before.entriesOf(entry.chain, entry.address)).toEqual([]);
});

test("a table has room for what it was built for, and says when it is over", async () => {
  const base = await build(new Map());
  expect(base.room).toBeGreaterThanOrEqual(ROOM);
  const many = Array.from({ length: base.room + 1 }, (_, place) =>
    entryOf("alpha", "eip155:1", `0x${place.toString().padStart(40, "0")}`),
  );
  const changed = many.map((entry) => [entry.id, entry] as const);
  expect(() => runThrough(addChanges(noChanges(base), changed))).toThrow("announced");
});
