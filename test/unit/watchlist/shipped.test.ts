import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { type LoadResult, loadWatchlists } from "../../../src/watchlist/load.ts";
import { createWatchlist } from "../../../src/watchlist/snapshot.ts";
import { normalizeAddress, ROOT } from "./helpers.ts";
import { isInTable } from "./probe-table.ts";
import { NO_OWN } from "../../../src/watchlist/own-index.ts";

/** Incident: [entries, of which never to alert on], copied from the table that came with the collected data. */
const TABLE: Record<string, readonly [number, number]> = {
  "wazirx-2024": [688, 5],
  "upbit-2025": [299, 128],
  "harmony-2022": [204, 0],
  "dprk-it-workers": [187, 0],
  "polynetwork-2023": [125, 4],
  "radiant-2024": [112, 8],
  "andreyev-network-2025": [61, 0],
  "bybit-2025": [61, 1],
  "ofac-cheil-2025": [53, 0],
  "doj-itw-2025": [45, 2],
  "ofac-tian-li-2020": [20, 0],
  "ofac-wu-sim-2023": [20, 0],
  "ofac-it-workers-2026": [20, 0],
  "atomic-wallet-2023": [17, 0],
  "upbit-2019": [14, 1],
  "ronin-2022": [14, 1],
  "dmm-bitcoin-2024": [13, 2],
  "ofac-semenov-2023": [8, 0],
  "rain-2024": [7, 1],
  "fbi-btc-2023-08": [6, 0],
  "kelpdao-2026": [4, 0],
  "ofac-kim-sang-man-2023": [4, 0],
  "poloniex-2023": [3, 0],
  "kucoin-2020": [1, 0],
  "drift-2026": [1, 0],
  "ofac-andreyev-2025": [1, 0],
};

describe("the shipped watchlists", () => {
  let loaded: LoadResult;
  beforeAll(async () => {
    loaded = await loadWatchlists({ paths: [path.join(ROOT, "watchlists")], normalizeAddress });
  });
  const entries = () => loaded.lists.flatMap((list) => list.entries.map(({ entry }) => entry));

  test("load without a problem", () => {
    expect(loaded.problems).toEqual([]);
  });

  test("hold 26 incidents and 1988 rows, each as many as were collected", () => {
    const counts = loaded.lists.map(({ list, entries: rows }) => {
      return [list, [rows.length, rows.filter(({ entry }) => entry.default === "never").length]];
    });
    expect(Object.fromEntries(counts)).toEqual(TABLE);
    expect(entries()).toHaveLength(1988);
    expect(new Set(entries().map(({ chain, address }) => `${chain}/${address}`)).size).toBe(1968);
  });

  test("are off, on and never as collected", () => {
    const counts = ["on", "off", "never"].map((value) => entries().filter((entry) => entry.default === value).length);
    expect(counts).toEqual([1574, 261, 153]);
  });

  test("keep the one direction and its custodian", () => {
    const custodial = entries().filter((entry) => entry.direction === "to_only");
    expect(custodial).toMatchObject([{ incident: "ofac-andreyev-2025", custodian: "HTX (per the researcher source)" }]);
  });

  test("call only the attribution of upbit-2025 disputed", () => {
    expect(loaded.lists.filter((list) => list.incident.disputed).map((list) => list.list)).toEqual(["upbit-2025"]);
  });

  test("name the list and its source for every sanctioned row, and only for those", () => {
    const sanctioned = entries().filter((entry) => entry.sanctioned !== null);
    expect(sanctioned).toHaveLength(134);
    expect(sanctioned.every((entry) => entry.basis === "sanctions" && entry.default === "on")).toBe(true);
    expect(sanctioned.every((entry) => entry.sanctioned?.source.startsWith("github:"))).toBe(true);
  });

  test("say in the file that they are not a full OFAC list", async () => {
    for (const { list, file, entries: rows } of loaded.lists) {
      const text = await readFile(file, "utf8");
      const hasSanctioned = rows.some(({ entry }) => entry.sanctioned !== null);
      expect([list, text.includes("NOT a full OFAC list")]).toEqual([list, hasSanctioned]);
    }
  });

  test("give every row a source that is written out, not a key", () => {
    expect(
      entries().every((entry) => entry.sources.length > 0 && entry.sources.every(({ ref }) => ref.includes(":"))),
    ).toBe(true);
  });

  test("never match a victim or restrained funds, even with every list enabled", () => {
    const watchlist = createWatchlist({ lists: loaded.lists, own: NO_OWN, enable: Object.keys(TABLE) });
    const roles = ["victim", "victim_contract", "restrained_funds"];
    const never = entries().filter((entry) => entry.default === "never" || roles.includes(entry.role));
    expect(never).toHaveLength(153);
    const matched = never
      .flatMap(({ chain, address }) => watchlist.entriesOf(chain, address))
      .filter(({ role }) => roles.includes(role));
    expect(matched).toEqual([]);
    expect(watchlist.watchedCount).toBe(1988 - 153);
  });

  test("have every watched EVM address in the table that blocks are scanned for", () => {
    const watchlist = createWatchlist({ lists: loaded.lists, own: NO_OWN, enable: Object.keys(TABLE) });
    const evm = entries().filter(({ chain }) => chain.startsWith("eip155:"));
    const watched = evm.filter(({ chain, address }) => watchlist.entriesOf(chain, address).length > 0);
    const inTable = evm.filter(({ chain, address }) => isInTable(watchlist.addresses, chain, address));
    expect(watched.length).toBeGreaterThan(1_000);
    expect(inTable).toEqual(watched);
  });

  test("find an address under both of its incidents", () => {
    const watchlist = createWatchlist({ lists: loaded.lists, own: NO_OWN, enable: [] });
    const shared = watchlist.entriesOf("eip155:42161", "0x2De7f660Ebb78252F7CC243bB2e35C558e43b58E");
    expect(shared.map((entry) => entry.incident)).toEqual(["polynetwork-2023", "radiant-2024"]);
  });
});
