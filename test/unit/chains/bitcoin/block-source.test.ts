import { afterEach, describe, expect, test } from "@jest/globals";
import { type BlockBytes, createBlockSource } from "../../../../src/chains/bitcoin/block-source.ts";
import type { Header } from "../../../../src/types/chain.ts";
import type { Log } from "../../../../src/types/log.ts";
import { type RecordedBlock, recordedChain, sha256d } from "../../../support/bitcoin/recorded-chain.ts";
import { type NodeScript, type ScriptedNode, startScriptedNode } from "../../../support/bitcoin/scripted-node.ts";
import { clientFor, NEVER, SILENT } from "./node-of.ts";

const chain = recordedChain();
const blockAt = (number: number) => chain.blocks.get(chain.main[number] as string) as RecordedBlock;
const headerOf = ({ hash, height, parent }: RecordedBlock): Header => ({
  number: height,
  hash,
  parentHash: parent,
  timestamp: 0,
});
const THEFT = blockAt(256);

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

interface Read {
  readonly node: ScriptedNode;
  readonly told: unknown[];
  read(block: RecordedBlock): Promise<BlockBytes | null>;
}

async function sourceOf(changes: Partial<NodeScript>): Promise<Read> {
  const node = await startScriptedNode(changes);
  undo.push(() => node.close());
  const client = clientFor(node.url);
  undo.push(() => client.close());
  const told: unknown[] = [];
  const log: Log = { ...SILENT, info: (facts) => told.push((facts as { way: unknown }).way) };
  const source = createBlockSource({ client, log });
  return { node, told, read: (block) => source.read(headerOf(block), NEVER) };
}

const [STALE_280, STALE_281] = chain.stale.map((hash) => chain.blocks.get(hash) as RecordedBlock) as [
  RecordedBlock,
  RecordedBlock,
];

/** Core 30 and later; with REST off; 29.3; a node of 0.21 such as litecoind. */
const WAYS: readonly [way: string, node: Partial<NodeScript>, reads: string][] = [
  ["Core 30", {}, "spenttxouts"],
  ["Core 30 with REST off", { rest: false }, "prevouts"],
  ["Core 29.3", { spentTxOuts: false }, "prevouts"],
  ["a node of 0.21 with txindex", { spentTxOuts: false, prevouts: false }, "parents"],
];

describe.each(WAYS)("%s", (_what, node, way) => {
  test("every block of both branches that it can tell: the very bytes of spenttxouts", async () => {
    const { read, told } = await sourceOf(node);
    // Each branch while it is the chain: only then does an index know the parents of its own transactions.
    const main = chain.main.slice(251).map((hash) => chain.blocks.get(hash) as RecordedBlock);
    for (const block of [...main, blockAt(0), blockAt(1)]) {
      const bytes = await read(block);
      expect(Buffer.from(bytes?.block ?? []).equals(block.block)).toBe(true);
      expect(Buffer.from(bytes?.spent ?? []).toString("hex")).toBe(block.spent.toString("hex"));
      expect(bytes?.spentProven).toBe(way === "parents");
      bytes?.release();
    }
    expect(told).toEqual([way]);
  });

  test("the branch that lost, while it was the chain: the same", async () => {
    const { read, node: scripted } = await sourceOf(node);
    scripted.script.tip = STALE_281.hash;
    for (const block of [STALE_280, STALE_281]) {
      const bytes = await read(block);
      expect(Buffer.from(bytes?.spent ?? []).toString("hex")).toBe(block.spent.toString("hex"));
    }
  });

  test("a block that the node never connected is not here yet: never a block that spends nothing", async () => {
    // Newer nodes need no index of transactions for it.
    const txindex = way === "parents";
    const { read, node: scripted } = await sourceOf({ ...node, txindex, neverConnected: new Set(chain.stale) });
    expect(await read(STALE_281)).toBeNull();
    // Nor does it change how the next block is read.
    expect(Buffer.from((await read(THEFT))?.spent ?? []).equals(THEFT.spent)).toBe(true);
    expect(scripted.requests.length).toBeLessThan(14);
  });

  test("a block nobody knows is not here yet", async () => {
    const { read } = await sourceOf(node);
    expect(await read({ ...THEFT, hash: "ab".repeat(32) })).toBeNull();
  });

  test("a block that is deleted there is told as that", async () => {
    const { read } = await sourceOf({ ...node, pruneHeight: 260 });
    await expect(read(THEFT)).rejects.toMatchObject({
      state: "pruned",
      message: expect.stringMatching(/own-a has deleted block 256/),
    });
    expect(await read(blockAt(260))).not.toBeNull();
  });
});

describe("the way a block is read", () => {
  test("without an index of transactions a node of 0.21 says what to configure, and nothing is taken for empty", async () => {
    const { read } = await sourceOf({ spentTxOuts: false, prevouts: false, txindex: false });
    await expect(read(THEFT)).rejects.toMatchObject({
      state: "noIndex",
      message: expect.stringMatching(/cannot tell who owned the coins that block 256 spends: set txindex=1/),
    });
  });

  test("an index that is still being built is waited for", async () => {
    const { read, node } = await sourceOf({ spentTxOuts: false, prevouts: false, txindex: false });
    node.script.twist = ({ what }, response) => {
      if (what !== "getindexinfo") return false;
      response.end(JSON.stringify({ id: lastId(node), result: { txindex: { synced: false, best_block_height: 5 } } }));
      return true;
    };
    await expect(read(THEFT)).rejects.toMatchObject({
      message: expect.stringMatching(/still building its transaction index/),
    });
  });

  test("parents are asked for once each, in batches, and those of the block itself not at all", async () => {
    const { read, node } = await sourceOf({ spentTxOuts: false, prevouts: false });
    await read(blockAt(264));
    const asked = node.requests.filter(({ what }) => what === "getrawtransaction");
    // Three hops in one block: one parent outside.
    expect(asked.flatMap(({ ids }) => ids)).toHaveLength(1);
    node.requests.length = 0;
    await read(blockAt(276));
    const batches = node.requests.filter(({ what }) => what === "getrawtransaction");
    // 260 inputs, all of one transaction.
    expect(batches.map(({ ids }) => ids.length)).toEqual([1]);
  });

  test("a parent that is not the transaction asked for is a lie", async () => {
    const { read, node } = await sourceOf({ spentTxOuts: false, prevouts: false });
    const other = blockAt(1).verbose.tx[0]?.hex;
    node.script.twist = ({ what }, response) => {
      if (what !== "getrawtransaction") return false;
      response.end(JSON.stringify(lastIds(node).map((id) => ({ id, result: other }))));
      return true;
    };
    await expect(read(THEFT)).rejects.toMatchObject({ code: "proof_mismatch", check: "parent" });
  });

  test("a node that was upgraded is read in the better way after its first failure, a downgraded one at once", async () => {
    const { read, node, told } = await sourceOf({ spentTxOuts: false });
    await read(THEFT);
    node.script.spentTxOuts = true;
    node.script.starting = "Loading block index…";
    await expect(read(THEFT)).rejects.toMatchObject({ state: "starting" });
    node.script.starting = null;
    await read(THEFT);
    node.script.rest = false;
    await read(THEFT);
    expect(told).toEqual(["prevouts", "spenttxouts", "prevouts"]);
  });

  test("prevouts of some inputs and not of others are no answer", async () => {
    const { read, node } = await sourceOf({ rest: false });
    node.script.twist = ({ what, params }, response) => {
      if (what !== "getblock" || params[1] !== 3) return false;
      const tx = THEFT.verbose.tx.map((one, index) =>
        index === 0
          ? one
          : { ...one, vin: one.vin.map(({ prevout, ...rest }, at) => (at === 2 ? rest : { ...rest, prevout })) },
      );
      response.end(JSON.stringify({ id: lastId(node), result: { confirmations: 3, tx } }));
      return true;
    };
    await expect(read(THEFT)).rejects.toMatchObject({ code: "malformed_answer" });
  });

  test.each([
    ["negative", -0.1],
    ["a text", "1.0"],
    ["more than there can be", 1e9],
    ["not a number", null],
  ])("a spent coin whose value is %s is no answer", async (_what, value) => {
    const { read, node } = await sourceOf({ rest: false });
    node.script.twist = ({ what, params }, response) => {
      if (what !== "getblock" || params[1] !== 3) return false;
      const prevout = { value, scriptPubKey: { hex: "51" } };
      response.end(JSON.stringify({ id: lastId(node), result: { confirmations: 3, tx: [{ vin: [{ prevout }] }] } }));
      return true;
    };
    await expect(read(THEFT)).rejects.toMatchObject({ code: "malformed_answer" });
  });

  test("amounts of JSON become satoshi exactly, to the last one", async () => {
    const { read, node } = await sourceOf({ rest: false });
    const satoshi = [1n, 10n, 2_100_000_000_000_000n, 2_099_999_997_690_001n, 450_290_000_000n, 123_456_789_012_345n];
    node.script.twist = ({ what, params }, response) => {
      if (what !== "getblock" || params[1] !== 3) return false;
      const digits = satoshi.map((one) => String(one).padStart(9, "0"));
      const vin = digits.map(
        (one) => `{"prevout":{"value":${one.slice(0, -8)}.${one.slice(-8)},"scriptPubKey":{"hex":""}}}`,
      );
      response.end(`{"id":${String(lastId(node))},"result":{"confirmations":1,"tx":[{"vin":[${vin.join(",")}]}]}}`);
      return true;
    };
    const spent = Buffer.from((await read(THEFT))?.spent ?? []);
    expect(satoshi.map((_, index) => spent.readBigInt64LE(2 + 9 * index))).toEqual(satoshi);
  });
});

test("the stand-in's blocks are the recorded ones", () => {
  for (const { hash, block } of chain.blocks.values()) {
    expect(Buffer.from(sha256d(block.subarray(0, 80)).toReversed()).toString("hex")).toBe(hash);
  }
  expect(chain.blocks.size).toBe(287);
});

/** Ids of the request that is being answered. */
function lastIds(node: ScriptedNode): unknown[] {
  return node.requests.at(-1)?.ids as unknown[];
}
function lastId(node: ScriptedNode): unknown {
  return lastIds(node)[0];
}
