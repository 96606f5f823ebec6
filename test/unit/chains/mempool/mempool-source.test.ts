/** A node's mempool as it answers: by filter, as a whole, by push, not at all, and in bad faith. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Wallet } from "ethers";
import { createEvmMempool } from "../../../../src/chains/evm/mempool/mempool-source.ts";
import { createRequestGate } from "../../../../src/lib/request-gate.ts";
import { createRpcClient, type RpcClient } from "../../../../src/chains/evm/rpc-client.ts";
import type { MempoolSource, PendingTransaction } from "../../../../src/types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../../../src/types/config.ts";
import { waitFor } from "../../../support/wait-for.ts";
import { contextOf, type JsonObject, MANIFEST, recorded } from "../recorded.ts";
import { type RpcCall, type RpcServer, startRpcServer } from "../rpc-server.ts";
import { startHeadServer, subscribed } from "../ws-server.ts";

type Answer = (params: readonly unknown[]) => unknown;

const never = new AbortController().signal;
const all = () => true;
const hashes = (found: readonly PendingTransaction[]) => found.map(({ hash }) => hash);

/** Real transactions, as they waited. */
const REAL = MANIFEST.filter(({ chainId }) => chainId === 1)
  .flatMap(({ number }) => recorded(number).block.transactions)
  .map((one): JsonObject => ({ ...one, blockHash: null, blockNumber: null, transactionIndex: null }))
  .slice(0, 40);
const hashOf = (one: JsonObject | undefined) => one?.["hash"] as string;

let server: RpcServer;
let rpc: RpcClient;
let source: MempoolSource;
let told: string[];
/** Methods the node has; the others it does not know. */
let methods: Record<string, Answer>;

const CHAIN = { id: "eip155:1" } as ChainConfig;

function sourceOf(node: Partial<NodeConfig> = {}): MempoolSource {
  const tell = (_facts: object, message: string) => void told.push(message);
  const log = { debug: tell, info: tell, warn: tell, error: tell };
  const config: NodeConfig = {
    name: "own-a",
    operator: "self",
    own: true,
    http: server.url,
    ws: null,
    maxConcurrent: 8,
    maxRequestsPerSecond: 4_000,
    timeoutMs: 5_000,
    ...node,
  };
  return createEvmMempool({ rpc, chain: CHAIN, node: config, decode: contextOf(), log });
}

beforeEach(async () => {
  told = [];
  methods = {};
  server = await startRpcServer((call: RpcCall, response) => {
    const answer = methods[call.method];
    const said = answer === undefined ? { error: { code: -32601, message: "method not found" } } : read(answer, call);
    response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...said }));
  });
  rpc = createRpcClient({
    name: "own-a",
    url: server.url,
    timeoutMs: 5_000,
    maxBodyBytes: 2 ** 26,
    gate: createRequestGate({ maxConcurrent: 64, maxPerSecond: 100_000 }),
  });
  source = sourceOf();
});

afterEach(async () => {
  await rpc.close();
  await server.close();
});

/** A text that begins with "error: " is one. */
function read(answer: Answer, { params }: RpcCall): object {
  const result = answer(params) ?? null;
  if (typeof result !== "string" || !result.startsWith("error: ")) return { result };
  return { error: { code: -32000, message: result } };
}

/** A node with a filter and these transactions. */
function withFilter(pool: readonly JsonObject[], changes: () => unknown): void {
  methods["eth_newPendingTransactionFilter"] = () => "0x1";
  methods["eth_getFilterChanges"] = changes;
  methods["eth_getTransactionByHash"] = ([hash]) => pool.find((one) => one["hash"] === hash);
}

const asked = (method: string) => server.calls.filter((call) => call.method === method).length;

describe("what is new", () => {
  test("by filter: asked for by hash, handed out once", async () => {
    withFilter(REAL, () => REAL.slice(0, 3).map(hashOf));
    expect(hashes(await source.take(all, never))).toEqual(REAL.slice(0, 3).map(hashOf));
    expect(await source.take(all, never)).toEqual([]);
    expect(asked("eth_getTransactionByHash")).toBe(3);
  });

  test("only what is wanted is handed out, and all of it was offered", async () => {
    withFilter(REAL, () => REAL.map(hashOf));
    const offered: string[] = [];
    const wanted = await source.take((one) => offered.push(one.hash) > 0 && one.hash === hashOf(REAL[1]), never);
    expect(hashes(wanted)).toEqual([hashOf(REAL[1])]);
    expect(offered).toHaveLength(REAL.length);
  });

  test("a filter that is lost is made again, with what waited meanwhile", async () => {
    let lost = false;
    withFilter(REAL, () => (lost ? "error: filter not found" : [hashOf(REAL[0])]));
    const pending = () => ({ "0xa": { "1": REAL[0], "2": REAL[1] } });
    await source.take(all, never);
    lost = true;
    await source.take(all, never);
    lost = false;
    methods["txpool_status"] = () => ({ pending: "0x2", queued: "0x0" });
    methods["txpool_content"] = () => ({ pending: pending(), queued: {} });
    expect(hashes(await source.take(all, never))).toEqual([hashOf(REAL[1])]);
    expect(asked("eth_newPendingTransactionFilter")).toBe(2);
  });

  test("a node without filters shows its pool as a whole, unless that is too large", async () => {
    methods["txpool_status"] = () => ({ pending: "0x2", queued: "0x0" });
    methods["txpool_content"] = () => ({ pending: { "0xa": { "1": REAL[0] }, "0xb": { "9": REAL[1] } }, queued: {} });
    await source.take(all, never);
    expect(hashes(await source.take(all, never))).toEqual([hashOf(REAL[0]), hashOf(REAL[1])]);
    methods["txpool_status"] = () => ({ pending: "0x186a0", queued: "0x0" });
    await source.take(all, never);
    expect(asked("txpool_content")).toBe(1);
    expect(source.skipped()).toBe(100_000);
  });

  test("a node without any mempool is said to have none, once, and not asked all the time", async () => {
    for (let round = 0; round < 10; round += 1) expect(await source.take(all, never)).toEqual([]);
    expect(told).toEqual(["the node shows no mempool: transactions are seen once they are in a block"]);
    expect(server.calls.length).toBeLessThan(5);
  });

  test("a node that is away is an error, and nothing that it named before is lost", async () => {
    let away = false;
    withFilter([], () => REAL.slice(0, 2).map(hashOf));
    methods["eth_getTransactionByHash"] = ([hash]) => (away ? "error: busy" : REAL.find((one) => one["hash"] === hash));
    away = true;
    await expect(source.take(all, never)).rejects.toMatchObject({ code: "rpc" });
    away = false;
    expect(hashes(await source.take(all, never))).toEqual(REAL.slice(0, 2).map(hashOf));
  });

  test("a push feed with whole transactions spares the requests, one with hashes does not", async () => {
    const feed = await startHeadServer((socket, request) => {
      subscribed(socket, request);
      const push = (result: unknown) => {
        const params = { subscription: "0xabc", result };
        socket.send(JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params }));
      };
      for (const one of [REAL[0], hashOf(REAL[1]), "nonsense", { hash: 7 }]) push(one);
    });
    const stop = new AbortController();
    try {
      withFilter(REAL, () => [hashOf(REAL[0])]);
      source = sourceOf({ ws: feed.url });
      let woken = 0;
      source.onHint(() => (woken += 1), stop.signal);
      await waitFor("the feed", () => woken === 4);
      expect(hashes(await source.take(all, never))).toEqual([hashOf(REAL[0]), hashOf(REAL[1])]);
      expect(asked("eth_getTransactionByHash")).toBe(1);
      expect(feed.connections[0]?.requests[0]?.params).toEqual(["newPendingTransactions", true]);
    } finally {
      stop.abort();
      await feed.close();
    }
  });
});

describe("a node in bad faith", () => {
  test("a transaction that nobody signed is never handed out, and is told once", async () => {
    const thief = Wallet.createRandom().address.toLowerCase();
    const invented = REAL.slice(0, 5).map((one) => ({ ...one, from: thief }));
    withFilter([...invented, ...REAL.slice(5)], () => REAL.slice(0, 6).map(hashOf));
    expect(hashes(await source.take(all, never))).toEqual([hashOf(REAL[5])]);
    expect(told).toEqual(["the node names a pending transaction that nobody signed: ignored"]);
  });

  test("another transaction than the one asked for is not taken for it", async () => {
    withFilter(REAL, () => [hashOf(REAL[0])]);
    methods["eth_getTransactionByHash"] = () => REAL[1];
    expect(await source.take(all, never)).toEqual([]);
    const fate = source.fateOf({ hash: hashOf(REAL[0]), slots: ["0x/0"] }, never);
    await expect(fate).rejects.toMatchObject({ code: "malformed_answer" });
  });

  test("a flood of 100,000 costs bounded memory and requests, and says what it left out", async () => {
    const flood = Array.from({ length: 100_000 }, (_, index) => `0x${index.toString(16).padStart(64, "0")}`);
    withFilter([], () => flood.splice(0));
    // A quarter of 400 a second, for the second that one round reads.
    source = sourceOf({ maxRequestsPerSecond: 400 });
    const before = process.memoryUsage().heapUsed;
    await source.take(all, never);
    expect(source.skipped()).toBe(80_000);
    expect(asked("eth_getTransactionByHash")).toBeLessThan(300);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 2 ** 20);
    // What comes after a flood is still seen, at its turn.
    await source.take(all, never);
    expect(asked("eth_getTransactionByHash")).toBeLessThan(600);
  });
});

describe("where a transaction is", () => {
  const wallet = Wallet.createRandom();
  const slot = `${wallet.address}/3`;
  const HASH = `0x${"77".repeat(32)}`;

  test("in the pool, or in a block, as the node says", async () => {
    const pooled = REAL[0] as JsonObject;
    withFilter(REAL, () => []);
    const at = { hash: hashOf(pooled), slots: [slot] };
    expect(await source.fateOf(at, never)).toMatchObject({ at: "pool", transaction: { hash: hashOf(pooled) } });
    const blockHash = `0x${"aa".repeat(32)}`;
    methods["eth_getTransactionByHash"] = () => ({ ...pooled, blockHash, blockNumber: "0x10" });
    expect(await source.fateOf(at, never)).toEqual({ at: "block", block: { number: 16, hash: blockHash } });
  });

  test("gone with its nonce unused: nowhere", async () => {
    withFilter([], () => []);
    methods["eth_getTransactionCount"] = () => "0x3";
    expect(await source.fateOf({ hash: HASH, slots: [slot] }, never)).toEqual({ at: "nowhere" });
  });

  test("gone with its nonce used: by the transaction that its sender signed, in the block where the count rose", async () => {
    const rival = REAL.find((one) => one["type"] === "0x2") as JsonObject;
    const usedSlot = `${rival["from"] as string}/${Number(rival["nonce"])}`;
    const block = { number: "0x50", hash: `0x${"bb".repeat(32)}`, transactions: [REAL[3], rival] };
    withFilter([], () => []);
    methods["eth_blockNumber"] = () => "0x64";
    methods["eth_getBlockByNumber"] = ([number]) => (number === "0x50" ? block : null);
    methods["eth_getTransactionCount"] = ([, at]) =>
      `0x${(Number(rival["nonce"]) + (at === "latest" || Number(at) >= 0x50 ? 1 : 0)).toString(16)}`;
    const fate = await source.fateOf({ hash: HASH, slots: [usedSlot] }, never);
    expect(fate).toEqual({ at: "replaced", by: hashOf(rival), block: { number: 80, hash: block.hash } });
    expect(server.calls.length).toBeLessThan(16);
    // Somebody else's transaction in his name replaces nothing.
    block.transactions = [{ ...rival, nonce: rival["nonce"] ?? null, value: "0x1" }];
    expect(await source.fateOf({ hash: HASH, slots: [usedSlot] }, never)).toEqual({ at: "nowhere" });
  });
});
