import { afterEach, describe, expect, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { createAdapter, normalizeAddress } from "../../../../src/chains/registry.ts";
import type { ChainAdapter } from "../../../../src/types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../../../src/types/config.ts";
import { type RecordedBlock, recordedChain } from "../../../support/bitcoin/recorded-chain.ts";
import {
  type NodeScript,
  type ScriptedNode,
  type ScriptedRequest,
  startScriptedNode,
} from "../../../support/bitcoin/scripted-node.ts";
import { startZmqPublisher } from "../../../support/bitcoin/zmq-publisher.ts";
import { waitFor } from "../../../support/wait-for.ts";
import { chainOf, configOf, NEVER, REGTEST, SILENT } from "./node-of.ts";

const chain = recordedChain();
const blockAt = (number: number) => chain.blocks.get(chain.main[number] as string) as RecordedBlock;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

async function adapterOf(
  script: Partial<NodeScript> = {},
  changes: { chain?: Partial<ChainConfig>; node?: Partial<NodeConfig> } = {},
): Promise<{ node: ScriptedNode; adapter: ChainAdapter }> {
  const node = await startScriptedNode(script);
  undo.push(() => node.close());
  const config = configOf(node.url, changes.node);
  const adapter = createAdapter({ chain: chainOf(config, changes.chain), node: config, log: SILENT });
  undo.push(() => adapter.close());
  return { node, adapter };
}

describe("a good node", () => {
  test("tells its head, headers with the work of the whole chain, and blocks with all that moves in them", async () => {
    const { adapter } = await adapterOf();
    expect(await adapter.headNumber(NEVER)).toBe(284);
    expect(await adapter.finalizedNumber(NEVER)).toBe(278);
    const theft = blockAt(256);
    const header = await adapter.headerAt(256, NEVER);
    expect(header).toEqual({
      number: 256,
      hash: theft.hash,
      parentHash: blockAt(255).hash,
      timestamp: 1_717_094_400,
      work: 514n,
    });
    const block = await adapter.blockOf(header as NonNullable<typeof header>, NEVER);
    expect(block?.trust).toEqual({ proven: true, operators: ["self"], missing: [], traced: true, inputsTold: true });
    const loot = block?.transfers.find(({ category, amount }) => category === "output" && amount === 450_290_000_000n);
    expect(loot?.txHash).toBe("0eb2c7763be2754ce82cfbaa15c4934c57ac97b91e5a2817a51eeadd8c8f7b95");
  });

  test("the first block and the whole chain above it link up, and their work is the sum of their headers", async () => {
    const { adapter } = await adapterOf();
    let below = await adapter.headerAt(0, NEVER);
    expect(below).toMatchObject({ hash: chain.main[0], parentHash: "00".repeat(32), work: 2n });
    for (let number = 1; number <= 284; number += 1) {
      const header = await adapter.headerAt(number, NEVER);
      expect(header).toMatchObject({ parentHash: below?.hash, work: (below?.work ?? 0n) + 2n });
      below = header;
    }
    expect(await adapter.headerAt(285, NEVER)).toBeNull();
  });

  test("what is watched is all that a block is read for; a node that proves the inputs is believed about them", async () => {
    const { adapter } = await adapterOf({ rest: false, prevouts: false });
    const header = (await adapter.headerAt(256, NEVER)) as NonNullable<Awaited<ReturnType<typeof adapter.headerAt>>>;
    const all = await adapter.blockOf(header, NEVER);
    expect(all?.trust).toEqual({ proven: true, operators: ["self"], missing: [], traced: true });
    const to = all?.transfers.find(({ amount }) => amount === 450_290_000_000n)?.to as string;
    const watching = (...addresses: string[]) =>
      ({ watched: { addressesOf: () => addresses } as never, senders: "all" }) as const;
    const seen = await adapter.blockOf(header, NEVER, watching(to));
    expect(new Set(seen?.transfers.map(({ txHash }) => txHash)).size).toBe(1);
    expect(seen?.transfers.filter(({ category }) => category === "input")).toHaveLength(9);
    expect((await adapter.blockOf(header, NEVER, watching()))?.transfers).toEqual([]);
  });

  test("ZMQ wakes", async () => {
    const publisher = await startZmqPublisher();
    undo.push(() => publisher.close());
    const { adapter } = await adapterOf({}, { node: { zmq: [publisher.url] } });
    const stop = new AbortController();
    undo.push(() => stop.abort());
    let wakes = 0;
    adapter.onHint?.(() => (wakes += 1), stop.signal);
    await waitFor("the hint of the new connection", () => wakes === 1);
    publisher.publish("hashblock", Buffer.alloc(32));
    await waitFor("a hint", () => wakes === 2);
  });
});

describe("a node that cannot be watched says why, and is never taken for one without news", () => {
  const CASES: readonly [what: string, script: Partial<NodeScript>, error: object][] = [
    [
      "is starting",
      { starting: "Verifying blocks…" },
      { state: "starting", message: expect.stringMatching(/own-a is starting: .*Verifying blocks/) },
    ],
    [
      "is in its initial block download",
      { initialBlockDownload: true, headers: 900_000 },
      {
        state: "syncing",
        message: expect.stringMatching(
          /own-a is syncing \(initial block download\): it is at block 284 of at least 900000/,
        ),
      },
    ],
    [
      "refuses us",
      { credentials: "another:password" },
      { state: "refused", message: expect.stringMatching(/own-a refuses the credentials/) },
    ],
    [
      "has a full queue for long",
      { queueFull: 1_000 },
      { state: "busy", message: expect.stringMatching(/full work queue/) },
    ],
  ];
  test.each(CASES)("that %s", async (_what, script, error) => {
    const { adapter } = await adapterOf(script);
    await expect(adapter.headNumber(NEVER)).rejects.toMatchObject({ retryable: true, ...error });
    await expect(adapter.finalizedNumber(NEVER)).rejects.toMatchObject(error);
  });

  test("that has headers of blocks it does not get: it is not at the end of the chain, but what it has is read", async () => {
    const { adapter } = await adapterOf({ headers: 290 });
    expect(await adapter.headNumber(NEVER)).toBe(284);
    expect(await adapter.headerAt(284, NEVER)).toMatchObject({ number: 284 });
    await expect(adapter.headerAt(285, NEVER)).rejects.toMatchObject({
      state: "stuck",
      message: expect.stringMatching(/headers up to block 290, but no block above 284/),
    });
  });

  test("a block or two behind its headers is every node for a moment", async () => {
    const { adapter } = await adapterOf({ headers: 286 });
    expect(await adapter.headerAt(285, NEVER)).toBeNull();
  });

  test("that serves another chain is caught, until it serves ours; and asked again after it was away", async () => {
    const { node, adapter } = await adapterOf();
    const another = ({ what, params, ids }: ScriptedRequest, response: ServerResponse) => {
      if (what !== "getblockhash" || params[0] !== 0) return false;
      response.end(
        JSON.stringify({ id: ids[0], result: "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2" }),
      );
      return true;
    };
    node.script.twist = another;
    await expect(adapter.headNumber(NEVER)).rejects.toMatchObject({
      code: "wrong_chain",
      message: expect.stringMatching(/on another chain/),
    });
    node.script.twist = () => false;
    expect(await adapter.headNumber(NEVER)).toBe(284);
    node.script.twist = another;
    expect(await adapter.headNumber(NEVER)).toBe(284);
    node.script.starting = "Loading block index…";
    await expect(adapter.headNumber(NEVER)).rejects.toMatchObject({ state: "starting" });
    node.script.starting = null;
    await expect(adapter.headNumber(NEVER)).rejects.toMatchObject({ code: "wrong_chain" });
  });
});

describe("a chain that split off from Bitcoin shares its first block", () => {
  const MAINNET = "bip122:000000000019d6689c085ae165831e93";
  const GENESIS = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
  const serving =
    (split: string | null): NodeScript["twist"] =>
    ({ what, params, ids }, response) => {
      if (what !== "getblockhash") return false;
      const missing = { error: { code: -8, message: "Block height out of range" } };
      const found = params[0] === 0 ? { result: GENESIS } : split === null ? missing : { result: split };
      response.end(JSON.stringify({ id: ids[0], ...found }));
      return true;
    };
  const watching = (split: string | null) => adapterOf({ twist: serving(split) }, { chain: { id: MAINNET } });

  test("and is told by the first that it does not share", async () => {
    const bitcoin = await watching("00000000000000000019f112ec0a9982926f1258cdcc558dd7c3b7e5dc7fa148");
    expect(await bitcoin.adapter.headNumber(NEVER)).toBe(284);
    const cash = await watching("000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec");
    await expect(cash.adapter.headNumber(NEVER)).rejects.toMatchObject({
      code: "wrong_chain",
      message: expect.stringMatching(/its block 478559 is 000000000000000000651ef9/),
    });
  });

  test("and is asked again as long as its node has not come so far", async () => {
    const { adapter, node } = await watching(null);
    expect(await adapter.headNumber(NEVER)).toBe(284);
    node.script.twist = serving("000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec");
    await expect(adapter.headNumber(NEVER)).rejects.toMatchObject({ code: "wrong_chain" });
  });
});

describe("what does not prove is caught, whatever was changed", () => {
  /** Answers a call itself, with the good answer changed. */
  const instead =
    (method: string, change: (result: Record<string, unknown>) => object): NodeScript["twist"] =>
    ({ what, params, ids }, response) => {
      if (what !== method) return false;
      const { hash, height, parent, block } = chain.blocks.get(String(params[0])) as RecordedBlock;
      const good = {
        hash,
        height,
        confirmations: 1,
        version: block.readInt32LE(0),
        merkleroot: Buffer.from(block.subarray(36, 68).toReversed()).toString("hex"),
        time: block.readUInt32LE(68),
        bits: "207fffff",
        nonce: block.readUInt32LE(76),
        chainwork: (2 * (height + 1)).toString(16).padStart(64, "0"),
        previousblockhash: parent,
      };
      response.end(JSON.stringify({ id: ids[0], result: { ...good, ...change(good) } }));
      return true;
    };

  test.each([
    ["its time", { time: 1 }],
    ["its parent", { previousblockhash: "ab".repeat(32) }],
    ["its merkle root", { merkleroot: "ab".repeat(32) }],
    ["its version", { version: -1 }],
    ["its target", { bits: "1d00ffff" }],
    ["its nonce", { nonce: 7 }],
  ])("a header with %s changed has another hash", async (_what, change) => {
    const { adapter } = await adapterOf({ twist: instead("getblockheader", () => change) });
    await expect(adapter.headerAt(256, NEVER)).rejects.toMatchObject({
      code: "proof_mismatch",
      details: { node: "own-a", asked: "getblockheader 256" },
    });
  });

  test.each([
    ["of another height", { height: 255 }, "malformed_answer"],
    ["without a target", { bits: null }, "malformed_answer"],
    ["with a negative time", { time: -1 }, "malformed_answer"],
    ["with less work than its own", { chainwork: "00".repeat(31) + "01" }, "proof_mismatch"],
    ["without work", { chainwork: null }, "malformed_answer"],
    ["that has left the chain meanwhile", { confirmations: -1 }, "unavailable"],
  ])("a header %s is no answer", async (_what, change, code) => {
    const { adapter } = await adapterOf({ twist: instead("getblockheader", () => change) });
    await expect(adapter.headerAt(256, NEVER)).rejects.toMatchObject({ code });
  });

  test("work that is not the sum of the headers below is a lie: it would decide between branches", async () => {
    const { adapter, node } = await adapterOf();
    await adapter.headerAt(255, NEVER);
    node.script.twist = instead("getblockheader", () => ({ chainwork: "00".repeat(30) + "ffff" }));
    await expect(adapter.headerAt(256, NEVER)).rejects.toMatchObject({
      code: "proof_mismatch",
      message: expect.stringMatching(/sum of its headers/),
    });
  });

  test("a branch that nobody has seen is worth the sum of its headers, whatever its tip is said to be worth", async () => {
    const { adapter, node } = await adapterOf({ tip: chain.stale[1] as string });
    await adapter.headerAt(279, NEVER);
    await adapter.headerAt(280, NEVER);
    node.script.tip = chain.main[283] as string;
    const tip = await adapter.headerAt(283, NEVER);
    // Both sides counted from the block they share.
    expect(tip).toMatchObject({ hash: chain.main[283], work: 568n });
    const asked = node.requests.filter(({ what }) => what === "getblockheader").map(({ params }) => params[0]);
    expect(asked.slice(2)).toEqual([283, 282, 281, 280].map((number) => chain.main[number]));

    const liar = await adapterOf({ tip: chain.stale[1] as string });
    await liar.adapter.headerAt(280, NEVER);
    await liar.adapter.headerAt(279, NEVER);
    liar.node.script.tip = chain.main[283] as string;
    const claim = instead("getblockheader", () => ({ chainwork: "00".repeat(30) + "ffff" }));
    liar.node.script.twist = (request, response) => request.params[0] === chain.main[283] && claim(request, response);
    await expect(liar.adapter.headerAt(283, NEVER)).rejects.toMatchObject({ code: "proof_mismatch" });
  });

  const theft = blockAt(256);
  const served =
    (resource: string, bytes: Buffer): NodeScript["twist"] =>
    ({ what }, response) => {
      if (what !== `rest/${resource}`) return false;
      response.end(bytes);
      return true;
    };
  const flipped = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  test.each([
    ["a block cut short", "block", theft.block.subarray(0, -1)],
    ["a block with a byte more", "block", Buffer.concat([theft.block, Buffer.alloc(1)])],
    ["a block with an output changed", "block", flipped(theft.block, theft.block.length - 20)],
    ["another block", "block", blockAt(255).block],
    ["no bytes for a block", "block", Buffer.alloc(0)],
    ["a page in place of a block", "block", Buffer.from("<html>Log in</html>")],
    ["spent coins cut short", "spenttxouts", theft.spent.subarray(0, -1)],
    ["spent coins with a byte more", "spenttxouts", Buffer.concat([theft.spent, Buffer.alloc(1)])],
    ["spent coins of another block", "spenttxouts", blockAt(255).spent],
    ["no spent coins at all", "spenttxouts", Buffer.from([0])],
    ["nothing spent by anybody", "spenttxouts", Buffer.from([2, 0, 0])],
  ])("%s is caught and kept as evidence", async (_what, resource, bytes) => {
    const { adapter, node } = await adapterOf();
    const header = (await adapter.headerAt(256, NEVER)) as NonNullable<Awaited<ReturnType<typeof adapter.headerAt>>>;
    node.script.twist = served(resource, bytes);
    await expect(adapter.blockOf(header, NEVER)).rejects.toMatchObject({
      code: "proof_mismatch",
      retryable: true,
      details: { node: "own-a", asked: `block ${theft.hash}`, answered: expect.stringMatching(/sha256/) },
    });
    node.script.twist = () => false;
    expect((await adapter.blockOf(header, NEVER))?.transfers.length).toBeGreaterThan(10);
  });

  test("a block that breaks off on its way is asked for again", async () => {
    const { adapter, node } = await adapterOf();
    const header = (await adapter.headerAt(256, NEVER)) as NonNullable<Awaited<ReturnType<typeof adapter.headerAt>>>;
    node.script.twist = ({ what }, response) => {
      if (what !== "rest/block") return false;
      response.writeHead(200, { "content-length": theft.block.length });
      response.write(theft.block.subarray(0, 1_000), () => response.destroy());
      return true;
    };
    await expect(adapter.blockOf(header, NEVER)).rejects.toMatchObject({ code: "rpc", retryable: true });
  });
});

describe("configuration", () => {
  test("a network that nobody knows and a finality that its nodes do not have are refused at the start", () => {
    const node = configOf("http://127.0.0.1:1");
    const create = (changes: Partial<ChainConfig>) =>
      createAdapter({ chain: chainOf(node, changes), node, log: SILENT });
    expect(() => create({ id: "bip122:ffffffffffffffffffffffffffffffff" })).toThrow(/no network of the Bitcoin family/);
    expect(() => create({ finality: { by: "tag" } })).toThrow(/finality needs a depth/);
  });

  test("addresses are those of the network", () => {
    const mainnet = "bip122:000000000019d6689c085ae165831e93";
    expect(normalizeAddress(mainnet, "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ")).toBe(
      "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    );
    expect(normalizeAddress(REGTEST, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")).toBeNull();
    expect(normalizeAddress("bip122:ffffffffffffffffffffffffffffffff", "x")).toBe("noAdapter");
  });
});
