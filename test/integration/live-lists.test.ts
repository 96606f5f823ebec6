/**
 * The lists of a running daemon on a real store: brought up to date by what changed, written again when that is much, opened
 * again by the next start. The oracle reads the whole store.
 */
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createRandom, type Random } from "../../bench/replay/random.ts";
import { type Lists, listsOfStore } from "../../src/daemon/lists.ts";
import { createLiveLists, type LiveLists } from "../../src/daemon/live-lists.ts";
import { membersOf } from "../../src/daemon/retro-parts.ts";
import { watchPorts } from "../../src/daemon/watch-ports.ts";
import { migrate, openStore, type OpenStore } from "../../src/store/database.ts";
import { recordList, versionsNaming } from "../../src/store/list-members.ts";
import { createWatchStore, type WatchStore } from "../../src/store/watch-store.ts";
import type { Config } from "../../src/types/config.ts";
import type { WatchEntry } from "../../src/types/watch.ts";
import { createTokenList } from "../../src/watchlist/tokens.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { CHAINS, entryOf, EVM_CHAINS, headsOf } from "../unit/watchlist/entries.ts";
import { isInTable } from "../unit/watchlist/probe-table.ts";
import { NO_OWN } from "../../src/watchlist/own-index.ts";

const FILES = { own: NO_OWN, tokens: createTokenList([]), tokenCount: 0 };
const LISTS = ["alpha", "beta", "gamma"];

let folder: TempDir;
let file = "";
let opened: OpenStore;
let store: WatchStore;
let process: AbortController;
let logged: string[];
beforeEach(async () => {
  folder = createTempDir("live-lists");
  file = path.join(folder.path, "watched.entries");
  opened = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(opened.db);
  store = createWatchStore(opened.db, watchPorts(configOf()));
  process = new AbortController();
  logged = [];
}, 60_000);
afterEach(async () => {
  process.abort();
  await opened.close();
  await folder.remove();
});

/** All that these lists read of a configuration. */
function configOf(enable: readonly string[] = []): Config {
  return { watchlists: { enable }, chains: [] } as unknown as Config;
}

/** As a new process; the one before is gone. */
function start(config = configOf()): Promise<LiveLists> {
  process.abort();
  process = new AbortController();
  const note = (_facts: object, message: string) => logged.push(message);
  const log = {
    debug: note,
    info: note,
    warn: note,
    error: (_facts: object, text: string) => logged.push(`! ${text}`),
  };
  return createLiveLists(config, { store, files: FILES, file, log, onSwap: () => undefined }, process.signal);
}

const addressAt = (place: number) => `0x${String(place).padStart(40, "0")}`;

/** An entry, or what is to be gone. */
async function change(
  entries: readonly (WatchEntry | { readonly id: string; readonly list: string })[],
): Promise<void> {
  for (const [list, of] of Map.groupBy(entries, (one) => one.list))
    await store.write(async (book) => {
      const changed = await Promise.all(
        of.map(async (one) => ({
          entryId: one.id,
          before: await book.entry(one.id),
          after: "address" in one ? one : null,
        })),
      );
      const incident = headsOf([list])[0]?.incident;
      if (incident === undefined) throw new Error("every list has an incident");
      await book.apply({
        change: { list, version: "next", incident, file: null, entries: changed },
        action: "add",
        actor: "ann",
        approver: null,
        why: null,
        now: 1,
      });
    });
}

async function expectAsStored({ watchlist, revision }: Lists, addresses: readonly string[]): Promise<void> {
  const stored = await store.read();
  const oracle = listsOfStore(configOf(), { stored, files: FILES });
  expect([revision, watchlist.version]).toEqual([stored.revision, oracle.watchlist.version]);
  expect(watchlist.watchedCount).toBe(oracle.watchlist.watchedCount);
  expect([...watchlist.incidents]).toEqual([...oracle.watchlist.incidents]);
  for (const chain of CHAINS)
    for (const address of addresses) {
      const found = watchlist.entriesOf(chain, address);
      expect(found).toEqual(oracle.watchlist.entriesOf(chain, address));
      if (found.length > 0 && chain.startsWith("eip155:"))
        expect(isInTable(watchlist.addresses, chain, address)).toBe(true);
    }
}

/** Forty addresses: some come, some go, some are told otherwise, some are listed and not watched. */
function someChanges(random: Random): (WatchEntry | { id: string; list: string })[] {
  const places = new Set(Array.from({ length: 1 + random.below(6) }, () => random.below(40)));
  return [...places].map((place) => {
    const list = LISTS[random.below(LISTS.length)] as string;
    const entry = entryOf(list, `eip155:${random.below(2) === 0 ? 1 : 10}`, addressAt(place), {
      label: `label ${random.below(100)}`,
      default: random.below(4) === 0 ? "off" : "on",
    });
    return random.below(3) === 0 ? { id: entry.id, list } : entry;
  });
}

test("after every change, and every restart, they are what the whole store says", async () => {
  const random = createRandom(20);
  const addresses = Array.from({ length: 40 }, (_, place) => addressAt(place));
  await change([entryOf("alpha", "eip155:1", addressAt(0))]);
  let live = await start();
  const named = new Map<string, ReadonlySet<string>>();
  for (let round = 0; round < 24; round += 1) {
    const wanted = someChanges(random);
    const present = new Set((await store.read()).lists.flatMap(({ entries }) => entries.map(({ id }) => id)));
    await change(wanted.filter((one) => "address" in one || present.has(one.id)));
    if (round % 6 === 3) live = await start();
    else await live.refresh();
    await expectAsStored(live.current(), addresses);
    const { watchlist } = live.current();
    const members = membersOf(live.current(), { followed: EVM_CHAINS, enable: [] }, process.signal);
    await recordList(opened.db, members, round);
    const isNamed = (chain: string, address: string) => watchlist.entriesOf(chain, address).length > 0;
    for (const chain of EVM_CHAINS)
      named.set(`${chain} ${watchlist.version}`, new Set(addresses.filter((address) => isNamed(chain, address))));
  }
  // What is written down of each version, as the difference from the one before, is what it named.
  for (const chain of EVM_CHAINS) {
    const found = await versionsNaming(opened.db, { chain, addresses });
    for (const [key, expected] of named) {
      const [of, version = ""] = key.split(" ");
      if (of === chain) expect(addresses.filter((one) => found.get(one)?.has(version))).toEqual([...expected]);
    }
  }
  // Only the first start had no file to go on from.
  expect(logged.filter((line) => line.includes("built"))).toHaveLength(1);
  expect(logged.filter((line) => line.startsWith("!"))).toEqual([]);
}, 120_000);

describe("a file that cannot be gone on from is built again", () => {
  beforeEach(async () => {
    await change(Array.from({ length: 50 }, (_, place) => entryOf("alpha", "eip155:1", addressAt(place))));
    await start();
    logged = [];
  });

  const damages: [string, () => void][] = [
    ["cut", () => truncateSync(file, readFileSync(file).length - 100)],
    ["empty", () => truncateSync(file, 0)],
    [
      "changed in one bit",
      () => {
        const bytes = readFileSync(file);
        bytes[300] = (bytes[300] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    ["another program's", () => writeFileSync(file, "something else")],
  ];
  test.each(damages)("%s: loudly", async (_what, damage) => {
    damage();
    const live = await start();
    expect(logged).toContain("! the file of watched entries is damaged, building it again");
    await expectAsStored(live.current(), [addressAt(3), addressAt(60)]);
    logged = [];
    await start();
    expect(logged).toEqual([]);
  });

  test("of a book that went another way from the same revision, as after a backup was brought back", async () => {
    await opened.db.updateTable("watch_state").set({ mark: "another" }).execute();
    await opened.db.deleteFrom("watch_entry").where("address", "=", addressAt(3)).execute();
    const live = await start();
    expect(logged.join()).toContain("is of other lists");
    await expectAsStored(live.current(), [addressAt(3), addressAt(4)]);
  });

  test("of other switches in the configuration", async () => {
    await change([entryOf("beta", "eip155:1", addressAt(99), { default: "off" })]);
    rmSync(file);
    expect((await start()).current().watchlist.entriesOf("eip155:1", addressAt(99))).toEqual([]);
    const live = await start(configOf(["beta"]));
    expect(live.current().watchlist.entriesOf("eip155:1", addressAt(99))).toHaveLength(1);
    expect(live.current().unknownEnable).toEqual([]);
  });
});

describe("much that changed", () => {
  const many = (count: number, from: number) =>
    Array.from({ length: count }, (_, place) => entryOf("alpha", "eip155:1", addressAt(from + place)));

  test("is written into the file in the background; meanwhile and afterwards nothing is missed", async () => {
    const live = await start();
    const taken = live.current();
    await change(many(700, 0));
    await live.refresh();
    const asked = [addressAt(0), addressAt(699), addressAt(700), addressAt(5_000)];
    await expectAsStored(live.current(), asked);
    // While the file is written, one more comes and one goes.
    await change([
      entryOf("beta", "eip155:1", addressAt(5_000)),
      { id: `alpha/eip155:1/${addressAt(0)}`, list: "alpha" },
    ]);
    await live.refresh();
    await expectAsStored(live.current(), asked);
    await waitFor("the file to be written again", () => logged.filter((line) => line.includes("built")).length === 2);
    const version = live.current().watchlist.version;
    await live.refresh();
    await expectAsStored(live.current(), asked);
    expect(live.current().watchlist.version).toBe(version);
    expect(taken.watchlist.entriesOf("eip155:1", addressAt(699))).toEqual([]);
    const next = await start();
    await expectAsStored(next.current(), asked);
    expect(logged.filter((line) => line.includes("built"))).toHaveLength(2);
  }, 60_000);

  test("is built in at once where it is more than fits the memory", async () => {
    const live = await start();
    await change(many(1_500, 0));
    await live.refresh();
    expect(logged.join()).toContain("more entries changed than are kept in memory");
    await expectAsStored(live.current(), [addressAt(0), addressAt(1_499), addressAt(1_500)]);
  }, 60_000);
});
