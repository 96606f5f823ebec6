/** When an answer leaves, and what it was made with: with ports that the test holds open. */
import { expect, test } from "@jest/globals";
import { createScreener, type ScreenerOptions } from "../../../src/daemon/screener.ts";
import type { Standings } from "../../../src/daemon/screen-standing.ts";
import { UnavailableError } from "../../../src/lib/errors.ts";
import type { KeptAnswer } from "../../../src/store/screen-answers.ts";
import { DEFAULT_POLICY } from "../../../src/types/policy.ts";
import { NO_OWN } from "../../../src/watchlist/own-index.ts";
import { createWatchlist } from "../../../src/watchlist/snapshot.ts";
import { swingEntries } from "../../../bench/screen/world.ts";

const NOW = 1_800_000_000_000;
const ASKER = { name: "pipeline", role: "service" } as const;
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const [LISTED] = swingEntries();
const asked = { chain: "eip155:1", address: LISTED?.address ?? "", direction: "deposit" } as const;

function listsWith(entries: boolean, version: string) {
  const incident = { id: "bench", name: "Bench", kind: "theft", date: null, attribution: null, attributionBasis: null };
  const more = { disputed: false, lossUsd: null, references: [], note: null };
  const list = {
    file: "",
    list: "swing",
    version: "1",
    incident: { ...incident, ...more },
    entries: entries ? swingEntries().map((entry) => ({ entry, hasAdapter: true })) : [],
  };
  return {
    watchlist: { ...createWatchlist({ lists: [list], own: NO_OWN, enable: [] }), version },
    tokens: { assetOf: (id: string) => ({ id, symbol: null, decimals: null, listed: true, dustBelow: 0n }) },
    revision: 1,
  };
}

const STANDINGS: Standings = {
  readAt: NOW,
  chains: new Map(),
  storeRevision: 1,
  freshness: { fresh: true, lists: [] },
  stale: [],
};

function opened(more: Partial<ScreenerOptions> = {}) {
  return createScreener({
    standings: () => Promise.resolve(STANDINGS),
    lists: { current: () => listsWith(true, "wl_1") },
    exposures: (addresses) => Promise.resolve(addresses.map(() => ({ alerts: [], isCut: false }))),
    readTransaction: () => Promise.reject(new Error("nobody asks about transactions here")),
    keep: () => Promise.resolve(),
    equivalentsOf: () => Promise.resolve([]),
    tracesWanted: () => true,
    policy: DEFAULT_POLICY,
    now: () => NOW,
    log: QUIET,
    ...more,
  });
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

test("an answer leaves once it is kept, word for word", async () => {
  const kept: KeptAnswer[] = [];
  let release = (): void => undefined;
  const keep = (answers: readonly KeptAnswer[]) => {
    kept.push(...answers);
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  };
  let isOut = false;
  const answer = opened({ keep })([asked], ASKER).finally(() => {
    isOut = true;
  });
  await soon();
  expect([kept.length, isOut]).toEqual([1, false]);
  release();
  expect(JSON.parse(kept[0]?.payload ?? "")).toEqual(await answer);
  expect(kept[0]).toMatchObject({
    actor: "pipeline",
    role: "service",
    verdict: "review",
    listVersion: "wl_1",
    items: 1,
  });
  expect(kept[0]?.subjects).toEqual([`eip155:1/${asked.address}`]);
});

test.each<[string, Partial<ScreenerOptions>]>([
  ["keeps nothing", { keep: () => Promise.reject(new Error("disk full")) }],
  ["tells no standing", { standings: () => Promise.reject(new Error("connection refused")) }],
  ["tells no exposure", { exposures: () => Promise.reject(new Error("connection refused")) }],
])("no answer leaves where the store %s", async (_name, ports) => {
  await expect(opened(ports)([asked], ASKER)).rejects.toThrow(UnavailableError);
});

test("the lists of an answer are those in force once all else is known, and it names them", async () => {
  let lists = listsWith(true, "wl_1");
  const ask = opened({
    lists: { current: () => lists },
    async exposures(addresses) {
      lists = listsWith(false, "wl_2");
      return addresses.map(() => ({ alerts: [], isCut: false }));
    },
    async keep() {
      lists = listsWith(true, "wl_3");
    },
  });
  const { lists: named, items } = await ask([asked], ASKER);
  expect([named.version, items[0]?.verdict, items[0]?.watchTotal]).toEqual(["wl_2", "unknown", 0]);
});

test("a question that no database takes spoils nobody's answer", async () => {
  const kept: KeptAnswer[] = [];
  const ask = opened({ keep: async (answers) => void kept.push(...answers) });
  const odd = ["\u0000", "a\u0000b", "\ud800", "\u202e", " "].map((address) => ({ ...asked, address }));
  const { items } = await ask(odd, ASKER);
  expect(items.map(({ verdict, reasons }) => [verdict, reasons[0]?.code])).toEqual(
    odd.map(() => ["unknown", "invalidAddress"]),
  );
  expect(kept[0]?.subjects).toEqual([]);
  expect(kept[0]?.payload.includes("\0")).toBe(false);
  expect(kept[0]?.payload.isWellFormed()).toBe(true);
});
