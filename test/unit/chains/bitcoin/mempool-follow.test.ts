/** Goal: X and X2 spend one coin. Method: the real reader of mempools on the recorded chain, the store in memory. */
import { afterEach, expect, test } from "@jest/globals";
import { createAdapter } from "../../../../src/chains/registry.ts";
import { createMempoolReader } from "../../../../src/ingest/mempool-loop.ts";
import type { MempoolSource } from "../../../../src/types/chain.ts";
import type { Lease } from "../../../../src/types/checkpoint.ts";
import { createWatchedTable } from "../../../support/watched-table.ts";
import { blockAt, commitOf, hitOf, scanned, windowBlock } from "../../../conformance/store-facts.ts";
import { createMemoryStore } from "../../../simulation/memory-store.ts";
import { fixtureJson, recordedChain } from "../../../support/bitcoin/recorded-chain.ts";
import { startScriptedNode } from "../../../support/bitcoin/scripted-node.ts";
import { waitFor } from "../../../support/wait-for.ts";
import { actors } from "./fixtures.ts";
import { chainOf, configOf, NEVER, REGTEST, SILENT } from "./node-of.ts";

const chain = recordedChain();
const mainAt = (height: number) => chain.main[height] as string;
const { txids } = fixtureJson("regtest/reorg.json") as { txids: Record<"X" | "X2", string> };
const { X, X2 } = txids;
const poolOf = (txid: string) => new Map([[txid, chain.transactions.get(txid)?.[0]?.hex as string]]);

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

/** Looks at the pool of block 279, of which `split_8` is watched. */
async function follow() {
  const node = await startScriptedNode({ tip: mainAt(279), pool: poolOf(X), txindex: false });
  undo.push(() => node.close());
  const config = configOf(node.url);
  const adapter = createAdapter({ chain: chainOf(config, { mempool: "auto" }), node: config, log: SILENT });
  undo.push(() => adapter.close());
  let now = 1_000_000;
  const store = createMemoryStore(() => now);
  const listed = { chain: REGTEST, holder: "us", ttlMs: 1e9, listVersion: "v1", revision: 0 };
  const lease = (await store.leases.acquire(listed)) as Lease;
  await store.chains.begin(lease, [{ ...windowBlock(279), hash: mainAt(279) }]);
  const thief = actors().find(({ name }) => name === "split_8")?.address as string;
  const reader = createMempoolReader({
    source: adapter.mempool as MempoolSource,
    blockTimeMs: 600_000,
    store: store.pending,
    lease,
    match: (transfers) =>
      transfers
        .filter(({ from, to }) => from === thief || to === thief)
        .map(({ txHash, key }) => hitOf({ chain: REGTEST, tx: txHash, key })),
    listVersion: "v1",
    watched: createWatchedTable(new Map([[REGTEST, new Map([[thief, null]])]])),
    clock: { now: () => now },
    waker: { wake: () => undefined, wait: () => Promise.resolve() },
    log: SILENT,
    onStatus: () => undefined,
    onCommitted: () => undefined,
  });
  return {
    node,
    store,
    lease,
    later: (ms: number) => (now += ms),
    round: () => reader.round(NEVER),
    states: async () => Object.fromEntries((await store.pending.load(REGTEST)).map(({ hash, state }) => [hash, state])),
    links: (txid: string) =>
      store.tables.event
        .values()
        .filter(({ alertId, link }) => link !== null && alertId === hitOf({ chain: REGTEST, tx: txid }).alertId)
        .map(({ link }) => link),
  };
}

test("a replacement ends the one that waited: the two alerts point at each other", async () => {
  const { node, round, states, links } = await follow();
  await waitFor("X", async () => {
    await round();
    return (await states())[X] === "pending";
  });
  node.script.pool = poolOf(X2);
  await waitFor("X2", async () => {
    await round();
    return (await states())[X2] === "pending";
  });
  expect(await states()).toEqual({ [X]: "replaced", [X2]: "pending" });
  expect(links(X)).toMatchObject([{ as: "replacedBy", other: { transaction: X2 } }]);
  expect(links(X2)).toMatchObject([{ as: "replaces", other: { transaction: X } }]);
});

test("a rival that was never seen waiting ends it with its block, once that block is ours", async () => {
  const { node, round, states, store, lease, later } = await follow();
  await waitFor("X", async () => {
    await round();
    return (await states())[X] === "pending";
  });
  node.script.tip = mainAt(280);
  node.script.pool = new Map();
  later(700_000);
  await round();
  expect(await states()).toEqual({ [X]: "pending" });
  const block = { ...blockAt(280), hash: mainAt(280), parentHash: mainAt(279) };
  await store.chains.commitBlocks(commitOf(lease, [scanned(block)]));
  later(700_000);
  await round();
  expect(await states()).toEqual({ [X]: "replaced" });
});

test("one that is nowhere is dropped after several looks and not before", async () => {
  const { node, round, states, later } = await follow();
  await waitFor("X", async () => {
    await round();
    return (await states())[X] === "pending";
  });
  node.script.pool = new Map();
  for (let look = 0; look < 4; look += 1) {
    later(700_000);
    await round();
    expect(await states()).toEqual({ [X]: "pending" });
  }
  // A pool that shows nothing else may be one of a node that has just started: it gets 30 times as long.
  later(30 * 700_000);
  await round();
  expect(await states()).toEqual({ [X]: "dropped" });
});
