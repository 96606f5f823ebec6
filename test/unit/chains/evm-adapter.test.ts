import { afterEach, describe, expect, test } from "@jest/globals";
import { normalizeAddress } from "../../../src/chains/registry.ts";
import { MalformedAnswerError } from "../../../src/chains/answer-fields.ts";
import { ProofMismatchError, WrongChainError } from "../../../src/chains/node-errors.ts";
import { createEvmAdapter, type EvmAdapter } from "../../../src/chains/evm/evm-adapter.ts";
import type { ChainAdapter, Header } from "../../../src/types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../../src/types/config.ts";
import { decodeHeader } from "../../../src/chains/evm/decode-block.ts";
import { type Answers, decode, recorded } from "./recorded.ts";
import { type RpcCall, type RpcServer, startRpcServer } from "./rpc-server.ts";
import { partiesOf, watchlistOf } from "./scan/watched.ts";

const NEVER = new AbortController().signal;
const HEIGHT = 4_369_999;

let server: RpcServer | null = null;
let adapter: EvmAdapter | null = null;

afterEach(async () => {
  await adapter?.close();
  await server?.close();
  adapter = null;
  server = null;
});

class Refusal {
  readonly code: number;
  readonly message: string;

  constructor(code: number, message: string) {
    this.code = code;
    this.message = message;
  }
}

type Node = (method: string, params: readonly unknown[], answers: Answers) => unknown;

/** A node that has one recorded block as its head. `undefined` from `twist` means: as a good node. */
async function adapterOf(twist: Node = () => undefined, finality: ChainConfig["finality"] = { by: "tag" }) {
  const answers = recorded(HEIGHT);
  server = await startRpcServer(({ id, method, params }: RpcCall, response) => {
    const twisted = twist(method, params, answers);
    const value = twisted === undefined ? goodNode(method, params, answers) : twisted;
    response.end(
      JSON.stringify({ jsonrpc: "2.0", id, ...(value instanceof Refusal ? { error: value } : { result: value }) }),
    );
  });
  const node: NodeConfig = {
    name: "own-a",
    operator: "self",
    own: true,
    http: server.url,
    ws: null,
    maxConcurrent: 8,
    maxRequestsPerSecond: 10_000,
    timeoutMs: 5_000,
  };
  const chain: ChainConfig = {
    name: "ethereum",
    id: "eip155:1",
    family: "evm",
    blockTimeMs: 12_000,
    finality,
    traces: "off",
    mempool: "off",
    proofs: "require",
    windowDepth: 64,
    native: { symbol: "ETH", decimals: 18, slip44: 60, dustBelow: 1n },
    start: { at: "latest" },
    quorum: 1,
    nodes: [node],
  };
  const quiet = () => undefined;
  adapter = createEvmAdapter({ chain, node, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } });
  return { adapter, answers };
}

function goodNode(method: string, params: readonly unknown[], { block, receipts }: Answers): unknown {
  const known = params[0] === block.hash || params[0] === block.number || params[0] === "finalized";
  switch (method) {
    case "eth_chainId":
      return "0x1";
    case "eth_blockNumber":
      return block.number;
    case "eth_getBlockByNumber":
    case "eth_getBlockByHash":
      if (!known) return null;
      return params[1] === true ? block : { ...block, transactions: block.transactions.map((one) => one["hash"]) };
    case "eth_getBlockReceipts":
      return known ? receipts : null;
    case "eth_getTransactionReceipt":
      return receipts.find((one) => one["transactionHash"] === params[0]) ?? null;
    default:
      return new Refusal(-32601, `method not found: ${method}`);
  }
}

const headerOf = async (from: ChainAdapter) => (await from.headerAt(HEIGHT, NEVER)) as Header;
const noReceiptsMethod = (method: string) =>
  method === "eth_getBlockReceipts" ? new Refusal(-32601, "method not found") : undefined;

describe("a good node", () => {
  test("gives head, header and every transfer of the block", async () => {
    const { adapter: chain, answers } = await adapterOf();
    expect(await chain.headNumber(NEVER)).toBe(HEIGHT);
    const header = await headerOf(chain);
    const block = await chain.blockOf(header, NEVER);
    expect(block).toMatchObject(header);
    expect(block?.transfers).toEqual(decode(answers, answers.block));
    expect(block?.trust).toEqual({ proven: true, operators: ["self"], missing: [], traced: false });
    expect(await chain.finalizedNumber(NEVER)).toBe(HEIGHT);
  });

  test("is asked for the block by its hash, so that a fork cannot mix two blocks", async () => {
    const { adapter: chain } = await adapterOf();
    const header = await headerOf(chain);
    if (server !== null) server.calls.length = 0;
    await chain.blockOf(header, NEVER);
    expect(server?.calls.map(({ method, params }) => [method, params[0]]).toSorted()).toEqual([
      ["eth_getBlockByHash", header.hash],
      ["eth_getBlockReceipts", header.hash],
    ]);
  });

  test("that lacks a block says null, which is no empty block", async () => {
    const { adapter: chain } = await adapterOf();
    expect(await chain.headerAt(HEIGHT + 1, NEVER)).toBeNull();
    const gone = { ...(await headerOf(chain)), hash: `0x${"77".repeat(32)}` };
    expect(await chain.blockOf(gone, NEVER)).toBeNull();
  });

  test("that has the block but not yet its receipts: null as well", async () => {
    const { adapter: chain } = await adapterOf((method) => (method === "eth_getBlockReceipts" ? null : undefined));
    expect(await chain.blockOf(await headerOf(chain), NEVER)).toBeNull();
  });

  test("whose finality is a depth, or has no final block yet", async () => {
    const { adapter: deep } = await adapterOf(() => undefined, { by: "depth", depth: 20 });
    expect(await deep.finalizedNumber(NEVER)).toBe(HEIGHT - 20);
    await deep.close();
    await server?.close();
    const { adapter: young } = await adapterOf((_method, params) => (params[0] === "finalized" ? null : undefined));
    expect(await young.finalizedNumber(NEVER)).toBe(-1);
  });
});

describe("a node without eth_getBlockReceipts", () => {
  test("is asked for each receipt, and the transfers are the same", async () => {
    const { adapter: chain, answers } = await adapterOf(noReceiptsMethod);
    const block = await chain.blockOf(await headerOf(chain), NEVER);
    expect(block?.transfers).toEqual(decode(answers, answers.block));
  });

  test("that lacks one receipt lacks the block", async () => {
    const { adapter: chain } = await adapterOf((method, params, { block }) => {
      const last = block.transactions.at(-1)?.["hash"];
      return method === "eth_getTransactionReceipt" && params[0] === last ? null : noReceiptsMethod(method);
    });
    expect(await chain.blockOf(await headerOf(chain), NEVER)).toBeNull();
  });

  test("another refusal is not taken for a missing method", async () => {
    const { adapter: chain } = await adapterOf((method) =>
      method === "eth_getBlockReceipts" ? new Refusal(-32005, "limit exceeded") : undefined,
    );
    await expect(chain.blockOf(await headerOf(chain), NEVER)).rejects.toThrow("limit exceeded");
    expect(server?.calls.filter(({ method }) => method === "eth_getTransactionReceipt")).toEqual([]);
  });
});

describe("what logs alone tell", () => {
  /** Everybody in the block is watched. */
  async function logsBy(twist?: Node) {
    const { adapter: chain, answers } = await adapterOf(twist);
    const all = decode(answers, answers.block);
    const { addresses } = watchlistOf("eip155:1", partiesOf(all));
    const transfers = all.filter(({ key }) => key.startsWith("log:"));
    return {
      expected: { header: decodeHeader(answers.block), transfers, proven: true },
      read: (number = HEIGHT) => chain.logsAt(number, addresses, NEVER),
    };
  }
  const asked = () => server?.calls.map(({ method, params }) => [method, ...params.slice(1)]);

  test("is read out of the block's hashes and receipts, proven", async () => {
    const { read, expected } = await logsBy();
    expect(expected.transfers.length).toBeGreaterThan(0);
    expect(await read()).toEqual(expected);
    expect(asked()).toEqual([["eth_chainId"], ["eth_getBlockByNumber", false], ["eth_getBlockReceipts"]]);
  });

  test.each<[string, Node]>([
    ["gives no list of receipts", noReceiptsMethod],
    [
      "names a transaction twice",
      (method, _params, { block }) =>
        method === "eth_getBlockByNumber"
          ? { ...block, transactions: block.transactions.map(() => block.transactions[0]?.["hash"] ?? null) }
          : undefined,
    ],
  ])("is read out of the whole block where the node %s", async (_what, twist) => {
    const { read, expected } = await logsBy(twist);
    expect(await read()).toEqual(expected);
    expect(asked()).toContainEqual(["eth_getBlockByHash", true]);
  });

  test("is refused where the receipts are not the block's", async () => {
    const { read } = await logsBy((method, _params, { receipts }) =>
      method === "eth_getBlockReceipts" ? receipts.slice(1) : undefined,
    );
    await expect(read()).rejects.toThrow(ProofMismatchError);
  });

  test("is nothing yet, not nothing at all, while the block or its receipts are missing", async () => {
    const { read } = await logsBy();
    expect(await read(HEIGHT + 1)).toBeNull();
    await server?.close();
    const { read: early } = await logsBy((method) => (method === "eth_getBlockReceipts" ? null : undefined));
    expect(await early()).toBeNull();
  });
});

describe("a wrong node", () => {
  test("of another chain is refused before its blocks are read", async () => {
    const { adapter: chain } = await adapterOf((method) => (method === "eth_chainId" ? "0x89" : undefined));
    await expect(chain.headNumber(NEVER)).rejects.toThrow(WrongChainError);
    await expect(chain.headerAt(HEIGHT, NEVER)).rejects.toThrow("serves chain id 137");
  });

  test("that answers with a block of another height", async () => {
    const { adapter: chain } = await adapterOf((method, _params, { block }) =>
      method === "eth_getBlockByNumber" ? block : undefined,
    );
    await expect(chain.headerAt(HEIGHT - 1, NEVER)).rejects.toThrow(MalformedAnswerError);
  });

  test("that gives an old header a new number, parent or time: its hash names another", async () => {
    for (const lie of [
      { number: `0x${(HEIGHT + 1).toString(16)}` },
      { parentHash: `0x${"ab".repeat(32)}` },
      { timestamp: "0x1" },
    ]) {
      const { adapter: chain } = await adapterOf((method, _params, { block }) =>
        method === "eth_getBlockByNumber" ? { ...block, ...lie } : undefined,
      );
      const asked = "number" in lie ? HEIGHT + 1 : HEIGHT;
      await expect(chain.headerAt(asked, NEVER)).rejects.toMatchObject({ code: "proof_mismatch" });
      await chain.close();
      await server?.close();
    }
  });

  test.each([
    ["a head that is no number", "eth_blockNumber", "latest"],
    ["a header that is a list", "eth_getBlockByNumber", []],
    ["a chain id that is a number", "eth_chainId", 1],
  ])("%s", async (_what, wrong, value) => {
    const { adapter: chain } = await adapterOf((method) => (method === wrong ? value : undefined));
    const read = async () => [await chain.headNumber(NEVER), await chain.headerAt(HEIGHT, NEVER)];
    await expect(read()).rejects.toThrow(MalformedAnswerError);
  });

  test("receipts that are no list, and receipts of a shorter list", async () => {
    const { adapter: chain } = await adapterOf((method, _params, { receipts }) =>
      method === "eth_getBlockReceipts" ? receipts.slice(1) : undefined,
    );
    await expect(chain.blockOf(await headerOf(chain), NEVER)).rejects.toThrow(ProofMismatchError);
  });
});

test("addresses: canonical text, a typo, and a chain nobody here reads", () => {
  const known = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";
  expect(normalizeAddress("eip155:1", known.toLowerCase())).toBe(known);
  expect(normalizeAddress("eip155:137", known)).toBe(known);
  expect(normalizeAddress("eip155:1", known.replace("d8dA", "d8Da"))).toBeNull();
  for (const wrong of ["", "0x", known.slice(0, -1), `${known}0`, known.slice(2), `0X${known.slice(2)}`, ` ${known}`])
    expect(normalizeAddress("eip155:1", wrong)).toBeNull();
  expect(normalizeAddress("tron:0x2b6653dc", "T1abc")).toBe("noAdapter");
});

describe("a question to a contract", () => {
  const call = { to: "0xfeed", data: "0xfeaf968c" };

  test("is asked at a block's own hash, or at the newest block", async () => {
    const { adapter: evm } = await adapterOf((method) => (method === "eth_call" ? "0x0102" : undefined));
    expect(await evm.callContract?.({ ...call, at: "0xb10c" }, NEVER)).toBe("0x0102");
    await evm.callContract?.({ ...call, at: "latest" }, NEVER);
    const asked = server?.calls.filter(({ method }) => method === "eth_call").map(({ params }) => params);
    expect(asked).toEqual([
      [call, { blockHash: "0xb10c" }],
      [call, "latest"],
    ]);
  });

  test.each([
    ["a number", 3_000],
    ["null", null],
    ["half a byte", "0x123"],
    ["words", "0xhello!"],
    ["an object", {}],
  ])("%s is no answer", async (_what, answer) => {
    const { adapter: evm } = await adapterOf((method) => (method === "eth_call" ? answer : undefined));
    await expect(evm.callContract?.({ ...call, at: "latest" }, NEVER)).rejects.toThrow(MalformedAnswerError);
  });
});
