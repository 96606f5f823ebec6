/** One look at the mempool after the other: what is stored, what ends, and what a flood or a broken node costs. */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { createMempoolReader, type MempoolStatus, runMempoolLoop } from "../../../src/ingest/mempool-loop.ts";
import { FencedError } from "../../../src/store/leases.ts";
import type { MempoolSource, PendingTransaction, TransactionFate } from "../../../src/types/chain.ts";
import type { Lease } from "../../../src/types/checkpoint.ts";
import type { HitEvent } from "../../../src/types/hit.ts";
import { hitOf, windowBlock, ZERO } from "../../conformance/store-facts.ts";
import { createMemoryStore, type MemoryStore } from "../../simulation/memory-store.ts";
import { waitFor } from "../../support/wait-for.ts";

const CHAIN = "test:pool";
const LEASE: Lease = { chain: CHAIN, holder: "us", epoch: 1 };
const never = new AbortController().signal;

let now: number;
let store: MemoryStore;
let arrivals: PendingTransaction[];
let fates: Map<string, TransactionFate>;
let asked: string[];
let status: MempoolStatus | null;
let isBroken: boolean;

function tx(hash: string, ...slots: string[]): PendingTransaction {
  return { hash, slots: slots.length === 0 ? [hash] : slots, transfers: [hitOf({ chain: CHAIN, tx: hash }).transfer] };
}

const source: MempoolSource = {
  trust: { proven: false, operators: ["us"], missing: [], traced: false },
  take: async (wants) => {
    if (isBroken) throw new Error("broken");
    wants(tx("stranger"));
    return arrivals.splice(0).filter(wants);
  },
  fateOf: async ({ hash }) => {
    asked.push(hash);
    return fates.get(hash) ?? { at: "pool", transaction: tx(hash) };
  },
  skipped: () => 7,
  onHint: () => undefined,
};

function optionsOf() {
  return {
    source,
    blockTimeMs: 12_000,
    store: store.pending,
    lease: LEASE,
    match: (transfers: PendingTransaction["transfers"]) =>
      transfers
        .filter(({ txHash }) => txHash !== "stranger" && txHash !== "cancel")
        .map(({ txHash }) =>
          hitOf({ chain: CHAIN, tx: txHash, recordedOnly: txHash.startsWith("dust") ? ZERO : null }),
        ),
    listVersion: "v1",
    clock: { now: () => now },
    waker: { wake: () => undefined, wait: () => Promise.resolve() },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    onStatus: (told: MempoolStatus) => (status = told),
    onCommitted: () => undefined,
  };
}

beforeEach(async () => {
  now = 1_000_000;
  store = createMemoryStore(() => now);
  arrivals = [];
  fates = new Map();
  asked = [];
  status = null;
  isBroken = false;
  await store.leases.acquire({ chain: CHAIN, holder: "us", ttlMs: 1e9, listVersion: "v1", revision: 0 });
  await store.chains.begin(LEASE, [windowBlock(9)]);
});

const events = (hash: string): Pick<HitEvent, "kind" | "reason" | "link">[] =>
  store.tables.event
    .values()
    .filter((event) => event.hitId === hitOf({ chain: CHAIN, tx: hash }).hitId)
    .map(({ kind, reason, link }) => ({ kind, reason, link }));
const states = async () =>
  Object.fromEntries((await store.pending.load(CHAIN)).map(({ hash, state }) => [hash, state]));

describe("a look", () => {
  test("stores what is watched and told; what is only recorded waits for its block", async () => {
    arrivals = [tx("a"), tx("dust-1")];
    await createMempoolReader(optionsOf()).round(never);
    expect(await states()).toEqual({ a: "pending" });
    expect(events("a")).toMatchObject([{ kind: "pending" }]);
    expect(events("dust-1")).toEqual([]);
    expect(status).toEqual({ tracked: 1, skipped: 7, inputsUnseen: false });
  });

  test("that shows another one of the slot ends the first at once, both pointing at each other", async () => {
    const reader = createMempoolReader(optionsOf());
    arrivals = [tx("a", "slot")];
    await reader.round(never);
    arrivals = [tx("b", "slot")];
    await reader.round(never);
    expect(await states()).toEqual({ a: "replaced", b: "pending" });
    expect(events("a").slice(1)).toMatchObject([
      { kind: "removed", reason: "replaced" },
      { kind: "linked", link: { as: "replacedBy", other: { transaction: "b" } } },
    ]);
    expect(events("b")).toMatchObject([{ kind: "pending" }, { kind: "linked", link: { as: "replaces" } }]);
  });

  test("that shows both at once tells both, the first as replaced", async () => {
    arrivals = [tx("a", "slot"), tx("b", "slot"), tx("cancel", "slot")];
    await createMempoolReader(optionsOf()).round(never);
    expect(await states()).toEqual({ a: "replaced", b: "replaced" });
    expect(events("b").at(-1)?.link).toEqual({ as: "replacedBy", other: { transaction: "cancel", alertId: null } });
  });

  test("that shows one with any slot of several ends all it excludes, and nobody else", async () => {
    const reader = createMempoolReader(optionsOf());
    arrivals = [tx("a", "coin-1", "coin-2"), tx("b", "coin-3"), tx("c", "coin-4")];
    await reader.round(never);
    arrivals = [tx("cancel", "coin-9", "coin-2", "coin-3")];
    await reader.round(never);
    expect(await states()).toEqual({ a: "replaced", b: "replaced", c: "pending" });
    expect(events("a").at(-1)?.link).toEqual({ as: "replacedBy", other: { transaction: "cancel", alertId: null } });
    expect(events("b").at(-1)?.link).toEqual({ as: "replacedBy", other: { transaction: "cancel", alertId: null } });
  });

  test("that asks where a replaced one is may hear of a rival that only waits", async () => {
    const reader = createMempoolReader(optionsOf());
    arrivals = [tx("a", "coin-1", "coin-2")];
    await reader.round(never);
    now += 60_000;
    fates.set("a", { at: "replaced", by: "b", block: null });
    await reader.round(never);
    expect(await states()).toEqual({ a: "replaced" });
    expect(events("a").at(-1)?.link).toEqual({ as: "replacedBy", other: { transaction: "b", alertId: null } });
  });

  test("that finds more coins at once than are waited for leaves the rest to their block, and counts", async () => {
    const coins = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}/${index}`);
    arrivals = [tx("a", ...coins("a", 30_000)), tx("b", ...coins("b", 30_000)), tx("c", "coin")];
    await createMempoolReader(optionsOf()).round(never);
    expect(await states()).toEqual({ a: "pending", c: "pending" });
    expect(status).toEqual({ tracked: 2, skipped: 8, inputsUnseen: false });
  });

  test("that misses one drops it only after minutes and several looks, and the next one resumes that", async () => {
    const reader = createMempoolReader(optionsOf());
    arrivals = [tx("a")];
    await reader.round(never);
    fates.set("a", { at: "nowhere" });
    const dropped: number[] = [];
    for (let seconds = 12; seconds <= 360; seconds += 12) {
      now = 1_000_000 + seconds * 1_000;
      await reader.round(never);
      if ((await states())["a"] === "dropped") dropped.push(seconds);
    }
    // Twenty blocks of 12 s after the first look that missed it.
    expect(dropped[0]).toBe(252);
    expect(events("a").map(({ kind, reason }) => [kind, reason])).toEqual([
      ["pending", null],
      ["removed", "dropped"],
    ]);
    fates.delete("a");
    now += 12_000;
    await reader.round(never);
    expect(events("a").at(-1)).toMatchObject({ kind: "pending" });
  });

  test("that finds it again between two misses begins anew", async () => {
    const reader = createMempoolReader(optionsOf());
    arrivals = [tx("a")];
    await reader.round(never);
    for (let look = 1; look <= 60; look += 1) {
      now += 12_000;
      if (look % 10 === 0) fates.delete("a");
      else fates.set("a", { at: "nowhere" });
      await reader.round(never);
    }
    expect(await states()).toEqual({ a: "pending" });
  });
});

describe("a flood", () => {
  test("of watched transactions is stored up to a bound, and the rest is counted", async () => {
    arrivals = Array.from({ length: 5_200 }, (_, index) => tx(`t${index}`));
    const sizes: number[] = [];
    const { pending } = store;
    const counting = {
      ...pending,
      commitPending: (commit: Parameters<typeof pending.commitPending>[0]) => {
        sizes.push(commit.found.length);
        return pending.commitPending(commit);
      },
    };
    await createMempoolReader({ ...optionsOf(), store: counting }).round(never);
    expect(status).toEqual({ tracked: 5_000, skipped: 207, inputsUnseen: false });
    expect(Math.max(...sizes)).toBe(100);
    expect(asked).toHaveLength(100);
  }, 120_000);

  test("asks for each in turn, the longest not asked for first", async () => {
    const reader = createMempoolReader(optionsOf());
    arrivals = Array.from({ length: 250 }, (_, index) => tx(`t${index}`));
    for (let round = 0; round < 3; round += 1) await reader.round(never);
    expect(new Set(asked).size).toBe(250);
    expect(asked).toHaveLength(250);
  });
});

describe("the loop", () => {
  test("goes on after trouble, and what it knew is still known", async () => {
    const stop = new AbortController();
    isBroken = true;
    arrivals = [tx("a")];
    const running = runMempoolLoop(optionsOf(), stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await states()).toEqual({});
    isBroken = false;
    await waitFor("the first look", async () => (await states())["a"]);
    stop.abort();
    await running;
  });

  test("ends when another daemon leads, and writes nothing", async () => {
    await store.leases.acquire({ chain: CHAIN, holder: "us", ttlMs: 1e9, listVersion: "v1", revision: 0 });
    arrivals = [tx("a")];
    await expect(runMempoolLoop(optionsOf(), AbortSignal.timeout(5_000))).rejects.toThrow(FencedError);
    expect(await states()).toEqual({});
  });
});
