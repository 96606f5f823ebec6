/** Several mempools as one: seen by any is seen, gone only where none has it. */
import { expect, test } from "@jest/globals";
import { createNodePool } from "../../../../src/chains/pool/node-pool.ts";
import { UnavailableError } from "../../../../src/lib/errors.ts";
import type { ChainAdapter, MempoolSource, PendingTransaction, TransactionFate } from "../../../../src/types/chain.ts";

const never = new AbortController().signal;
const nothing = () => undefined;
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const OF = { hash: "0x1", slots: ["a/1"] };

interface FakeMempool {
  readonly pool: string[];
  fate: TransactionFate;
  down: boolean;
}

function fake(pool: string[], fate: TransactionFate = { at: "nowhere" }): FakeMempool {
  return { pool, fate, down: false };
}

const pendingOf = (hash: string): PendingTransaction => ({ hash, slots: [`slot of ${hash}`], transfers: [] });

function sourceOf(node: FakeMempool): MempoolSource {
  const up = () => {
    if (node.down) throw new UnavailableError("it does not answer");
  };
  return {
    trust: { proven: false, operators: ["?"], missing: [], traced: false },
    async take(wants) {
      up();
      return node.pool.splice(0).map(pendingOf).filter(wants);
    },
    async fateOf() {
      up();
      return node.fate;
    },
    skipped: () => 3,
    onHint: (wake) => wake(),
  };
}

function mempoolOf(nodes: Record<string, FakeMempool | null>) {
  const adapterOf = (node: FakeMempool | null): ChainAdapter => ({
    family: "test",
    chainId: "test:1",
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: async () => 1,
    headerAt: async () => null,
    blockOf: async () => null,
    finalizedNumber: async () => 0,
    close: async () => nothing(),
    ...(node === null ? {} : { mempool: sourceOf(node) }),
  });
  const pool = createNodePool({
    nodes: Object.entries(nodes).map(([name, node]) => ({ name, operator: name, own: true, adapter: adapterOf(node) })),
    quorum: 1,
    log: LOG,
    now: () => 1_000_000,
    onLie: nothing,
  });
  return { pool, mempool: pool.mempool as MempoolSource };
}

test("what any node shows is handed out once, and a node that fails hides nothing of the others", async () => {
  const nodes = { a: fake(["0x1", "0x2"]), b: fake(["0x2", "0x3", "0xunwanted"]) };
  const { mempool } = mempoolOf(nodes);
  const wants = ({ hash }: PendingTransaction) => hash !== "0xunwanted";
  const hashes = async () => (await mempool.take(wants, never)).map(({ hash }) => hash).toSorted();
  expect(await hashes()).toEqual(["0x1", "0x2", "0x3"]);
  nodes.a.down = true;
  nodes.b.pool.push("0x4");
  expect(await hashes()).toEqual(["0x4"]);
  nodes.b.down = true;
  await expect(hashes()).rejects.toMatchObject({ code: "unavailable" });
  expect(mempool.skipped()).toBe(6);
});

test("gone is what no node has: one that shows it, or did not answer, keeps it", async () => {
  const nodes = { a: fake([]), b: fake([]) };
  const { mempool } = mempoolOf(nodes);
  expect(await mempool.fateOf(OF, never)).toEqual({ at: "nowhere" });
  nodes.b.down = true;
  await expect(mempool.fateOf(OF, never)).rejects.toMatchObject({ code: "unavailable" });
  const inBlock = { at: "block", block: { number: 1, hash: "0xb1" } } as const;
  nodes.a.fate = inBlock;
  expect(await mempool.fateOf(OF, never)).toEqual(inBlock);
  Object.assign(nodes.b, { down: false, fate: { at: "pool", transaction: pendingOf("0x1") } });
  expect(await mempool.fateOf(OF, never)).toMatchObject({ at: "pool" });
});

test("a node that is drained is not asked, and nobody is named as having seen what only one showed", async () => {
  const nodes = { a: fake(["0x1"]), b: fake(["0x2"]) };
  const { pool, mempool } = mempoolOf(nodes);
  pool.drain("b", 60_000);
  expect(await mempool.take(() => true, never)).toMatchObject([{ hash: "0x1" }]);
  expect(mempool.trust).toEqual({ proven: false, operators: [], missing: [], traced: false });
  expect(mempoolOf({ a: fake([]) }).mempool.trust.operators).toEqual(["a"]);
});

test("where no node looks at its mempool there is none, and every feed of those that do wakes", () => {
  expect(mempoolOf({ a: null, b: null }).pool.mempool).toBeUndefined();
  let woken = 0;
  mempoolOf({ a: fake([]), b: null, c: fake([]) }).mempool.onHint(() => (woken += 1), never);
  expect(woken).toBe(2);
});
