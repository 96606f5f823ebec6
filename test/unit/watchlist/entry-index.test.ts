/** The index against a naive one, in memory, in a file, opened again, and while it is replaced. */
import { readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createRandom } from "../../../bench/replay/random.ts";
import type { WatchEntry } from "../../../src/types/watch.ts";
import {
  type BuildOptions,
  buildWatchlist,
  createWatchlist,
  openWatchlist,
  type WatchlistSnapshot,
} from "../../../src/watchlist/snapshot.ts";
import { createTempDir, type TempDir } from "../../support/temp-dir.ts";
import { waitFor } from "../../support/wait-for.ts";
import { BITCOIN, CHAINS, entryOf, EVM_CHAINS, headsOf, makeEntries, naiveIndex } from "./entries.ts";
import { isInTable } from "./probe-table.ts";
import { NO_OWN } from "../../../src/watchlist/own-index.ts";

const NEVER = new AbortController().signal;
const ELSEWHERE = "eip155:8453";

let folder: TempDir;
let file = "";
beforeEach(() => {
  folder = createTempDir("entry-index");
  file = path.join(folder.path, "watchlist.entries");
});
afterEach(() => folder.remove());

function build(entries: readonly WatchEntry[], over: Partial<BuildOptions> = {}): Promise<WatchlistSnapshot> {
  const loaded = entries.map((entry) => ({ entry, hasAdapter: true }));
  const options = { file, lists: headsOf(), entries: loaded, count: entries.length, own: NO_OWN, enable: [] };
  return buildWatchlist({ ...options, ...over }, NEVER);
}

function inMemory(entries: readonly WatchEntry[]): WatchlistSnapshot {
  const lists = headsOf().map((head) => ({
    ...head,
    file: `${head.list}.yaml`,
    version: "2026-11-22.1",
    entries: entries.filter(({ list }) => list === head.list).map((entry) => ({ entry, hasAdapter: true })),
  }));
  return createWatchlist({ lists, own: NO_OWN, enable: [] });
}

describe("the entries of an address are what a naive index says", () => {
  const { entries, addresses, others } = makeEntries(3_000, 1);
  const naive = naiveIndex(entries);

  async function expectExact(watchlist: WatchlistSnapshot): Promise<void> {
    let hits = 0;
    for (const chain of [...CHAINS, ELSEWHERE, "solana:x"]) {
      for (const address of [...addresses, ...others]) {
        const expected = naive(chain, address);
        const found = watchlist.entriesOf(chain, address);
        hits += found.length;
        if (!isDeepStrictEqual(found, expected)) expect([chain, address, found]).toEqual([chain, address, expected]);
        // Whom the list has an entry for, the scanner of the chain has to stop at.
        if (found.length > 0 && chain.startsWith("eip155:") && !isInTable(watchlist.addresses, chain, address))
          throw new Error(`no scanner finds ${address} on ${chain}`);
      }
      await setImmediate();
    }
    expect(hits).toBeGreaterThan(10_000);
    watchlist.close();
  }

  test("in memory", () => expectExact(inMemory(entries)));

  test("in a file", async () => expectExact(await build(entries)));

  test("in a file that is opened again, which is the same list", async () => {
    const built = await build(entries);
    const opened = await openWatchlist({ file, own: NO_OWN }, NEVER);
    const facts = ({ version, incidents, watchedCount, summary }: WatchlistSnapshot) => [
      version,
      [...incidents],
      watchedCount,
      summary,
    ];
    expect(facts(opened)).toEqual(facts(built));
    expect(facts(inMemory(entries))).toEqual(facts(built));
    built.close();
    await expectExact(opened);
  });
});

test("a million questions are answered by the list that was taken, while it is replaced again and again", async () => {
  const editions = Array.from({ length: 6 }, (_, edition) => makeEntries(4_000, 10 + edition));
  const asked = editions.flatMap(({ addresses, others }) => [...addresses, ...others]);
  const naiveOf = new Map<string, ReturnType<typeof naiveIndex>>();
  const make = async ({ entries }: (typeof editions)[number]) => {
    const made = await build(entries);
    naiveOf.set(made.version, naiveIndex(entries));
    return made;
  };
  let inForce = await make(editions[0] as (typeof editions)[number]);
  const random = createRandom(99);
  const wrong: string[] = [];
  const takenAtOnce = new Set<string>();
  let questions = 0;
  let hits = 0;
  let isReplacing = true;
  const replaceAll = async () => {
    for (const edition of editions.slice(1)) inForce = await make(edition);
    isReplacing = false;
  };
  /** Takes a list, and asks it in several turns of the event loop. */
  const ask = async () => {
    while (isReplacing || questions < 1_000_000) {
      const watchlist = inForce;
      takenAtOnce.add(watchlist.version);
      const naive = naiveOf.get(watchlist.version) as ReturnType<typeof naiveIndex>;
      for (let turn = 0; turn < 5; turn += 1) {
        for (let count = 0; count < 1_000; count += 1) {
          const chain = CHAINS[random.below(CHAINS.length)] as string;
          const address = random.below(4) > 0 ? randomAddress(random) : (asked[random.below(asked.length)] as string);
          const found = watchlist.entriesOf(chain, address).map(({ id, role }) => `${id} ${role}`);
          const expected = naive(chain, address);
          if (found.join() !== expected.map(({ id, role }) => `${id} ${role}`).join()) wrong.push(address);
          hits += found.length;
        }
        questions += 1_000;
        await setImmediate();
      }
    }
  };
  await Promise.all([replaceAll(), ask(), ask()]);
  expect(wrong).toEqual([]);
  expect(hits).toBeGreaterThan(20_000);
  expect(takenAtOnce.size).toBe(editions.length);
  expect(readdirSync(folder.path)).toEqual(["watchlist.entries"]);
}, 300_000);

function randomAddress(random: ReturnType<typeof createRandom>): string {
  return `0x${random.next().toString(16).slice(2).padEnd(40, "0").slice(0, 40)}`;
}

describe("a replaced list", () => {
  const [old, next] = [makeEntries(200, 3), makeEntries(200, 4)];
  const listed = old.entries[0] as WatchEntry;

  test("answers whoever has it; its file is closed when nobody does", async () => {
    let first: WatchlistSnapshot | null = await build(old.entries);
    const second = await build(next.entries);
    await setImmediate();
    collectGarbage();
    expect(openEntryFiles()).toBe(2);
    expect(first.entriesOf(listed.chain, listed.address)).toContainEqual(listed);
    expect(second.version).not.toBe(first.version);
    first = null;
    await waitFor("the replaced file to be closed", () => {
      collectGarbage();
      return openEntryFiles() === 1;
    });
    expect(second.entriesOf("eip155:1", "nobody")).toEqual([]);
  });

  test("that was closed answers nobody: its file's number may be another file's", async () => {
    const first = await build(old.entries);
    first.close();
    expect(() => first.entriesOf(listed.chain, listed.address)).toThrow("open");
    expect(() => first.entriesOf(listed.chain, "nobody")).toThrow("open");
    expect(() => [...first.addresses.addressesOf(listed.chain)]).toThrow("open");
  });

  function openEntryFiles(): number {
    const links = readdirSync("/proc/self/fd").map((one) => {
      try {
        return readlinkSync(`/proc/self/fd/${one}`);
      } catch {
        return ""; // The folder's own number is gone by now.
      }
    });
    return links.filter((link) => link.startsWith(file)).length;
  }
});

const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

describe("building", () => {
  const { entries } = makeEntries(500, 5);

  test("lets others run meanwhile", async () => {
    let turns = 0;
    let isDone = false;
    const count = async () => {
      while (!isDone) {
        turns += 1;
        await setImmediate();
      }
    };
    const counting = count();
    const many = Array.from({ length: 60_000 }, (_, place) =>
      entryOf("alpha", "eip155:1", `0x${place.toString(16).padStart(40, "0")}`),
    );
    const watchlist = await build(many);
    isDone = true;
    await counting;
    expect(watchlist.watchedCount).toBe(60_000);
    expect(turns).toBeGreaterThan(10);
  });

  test("takes entries in any order: the answers are the same", async () => {
    const { entries: many, addresses } = makeEntries(2_000, 6);
    const random = createRandom(7);
    const keys = new Map(many.map(({ id }) => [id, random.next()]));
    const mixed = many.toSorted((a, b) => (keys.get(a.id) ?? 0) - (keys.get(b.id) ?? 0));
    const naive = naiveIndex(many);
    const watchlist = await build(mixed);
    for (const chain of [...CHAINS, ELSEWHERE])
      for (const address of addresses) expect(watchlist.entriesOf(chain, address)).toEqual(naive(chain, address));
  });

  test("that fails leaves the list that was there, and no rest", async () => {
    const before = await build(entries);
    function* broken() {
      yield* entries.slice(0, 100).map((entry) => ({ entry, hasAdapter: true }));
      throw new Error("the store is gone");
    }
    await expect(build(entries, { entries: broken() })).rejects.toThrow("the store is gone");
    await expect(build(entries, { count: 3 })).rejects.toThrow("more addresses than the 3 announced");
    const aborted = AbortSignal.abort(new Error("stopping"));
    const endless = (function* () {
      for (let place = 0; ; place += 1)
        yield { entry: entryOf("alpha", BITCOIN, place.toString().padStart(9, "0")), hasAdapter: true };
    })();
    const options = { file, lists: headsOf(), entries: endless, count: 1e6, own: NO_OWN, enable: [] };
    await expect(buildWatchlist(options, aborted)).rejects.toThrow();
    expect(readdirSync(folder.path)).toEqual(["watchlist.entries"]);
    expect((await openWatchlist({ file, own: NO_OWN }, NEVER)).version).toBe(before.version);
  });

  test("takes entries that have nothing in common, and one of a megabyte, in any order of keys", async () => {
    const odd = Array.from({ length: 9_000 }, (_, place) =>
      entryOf("alpha", EVM_CHAINS[0], `0x${place.toString(16).padStart(40, "0")}`, {
        // Most of its own, four again and again, also after they were forgotten; keys in two orders.
        custodian: place % 3 === 0 ? `custodian ${place % 12}` : `custodian of ${place}`,
        sources: Array.from({ length: place === 4_000 ? 4_000 : 1 }, () => ({ ref: "r".repeat(300), label: null })),
      }),
    );
    const turned = odd.map((entry, place) =>
      place % 5 === 0 ? (Object.fromEntries(Object.entries(entry).toReversed()) as unknown as WatchEntry) : entry,
    );
    const [one, other] = [await build(odd), inMemory(turned)];
    expect(other.version).toBe(one.version);
    for (const watchlist of [one, other])
      for (const entry of odd.filter((_, place) => place % 50 === 0 || place > 8_900))
        expect(watchlist.entriesOf(entry.chain, entry.address)).toEqual([entry]);
  });
});
