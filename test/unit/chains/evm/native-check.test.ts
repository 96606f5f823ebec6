import { afterEach, describe, expect, test } from "@jest/globals";
import { id, zeroPadValue } from "ethers";
import { createChecksum } from "../../../../src/chains/evm/checksum.ts";
import type { BlockAnswers } from "../../../../src/chains/evm/decode-block.ts";
import { createNativeCheck, type NativeCheck, type NativeOutcome } from "../../../../src/chains/evm/native-check.ts";
import { RpcError } from "../../../../src/chains/rpc-envelope.ts";
import { waitFor } from "../../../support/wait-for.ts";

const checksum = createChecksum();
const hashOf = (byte: string) => `0x${byte.repeat(32)}`;
const [HASH, PARENT, TX] = [hashOf("ab"), hashOf("cd"), hashOf("ef")];
const header = { number: 7, hash: HASH, parentHash: PARENT, timestamp: 1 };
const sender = `0x${"0a".repeat(20)}`;
const miner = `0x${"0b".repeat(20)}`;
const contract = `0x${"0c".repeat(20)}`;
const friend = `0x${"0d".repeat(20)}`;
const HOUR_MS = 3_600_000;

const RECEIPT = { transactionHash: TX, blockHash: HASH, status: "0x1", gasUsed: "0x7530", logs: [] };

/** A call that pays 7 wei to a contract, which passes 3 on: a fee of 60,000 wei, half of it tip. */
const answers: BlockAnswers & { readonly traces: object } = {
  header,
  block: {
    hash: HASH,
    miner,
    difficulty: "0x0",
    baseFeePerGas: "0x1",
    transactions: [{ hash: TX, type: "0x0", from: sender, to: contract, value: "0x7", input: "0x01", gasPrice: "0x2" }],
  },
  receipts: [RECEIPT],
  traces: [
    {
      top: { from: checksum(sender), to: checksum(contract), amount: 7n },
      inner: [{ kind: "call", from: checksum(contract), to: checksum(friend), amount: 3n }],
    },
  ],
};
/** The same by a node whose traces leave out the inner call. */
const hiding = {
  ...answers,
  traces: [{ top: { from: checksum(sender), to: checksum(contract), amount: 7n }, inner: [] }],
};

const CHANGES: Record<string, bigint> = { [sender]: -60_007n, [miner]: 30_000n, [contract]: 4n, [friend]: 3n };
const START = 1_000_000n;
const hex = (value: bigint) => `0x${value.toString(16)}`;
const side = (balanceOf: (address: string) => bigint) =>
  Object.fromEntries(Object.keys(CHANGES).map((address) => [address, { balance: hex(balanceOf(address)) }]));
const PRESTATE_DIFF = { pre: side(() => START), post: side((address) => START + (CHANGES[address] ?? 0n)) };
const missing = () => new RpcError("the method does not exist", { details: {}, rpcCode: -32_601 });

type Answer = (params: readonly unknown[], signal: AbortSignal) => unknown;
/** A node with a prestateTracer. */
const TRACING: Record<string, Answer> = {
  debug_traceTransaction: () => PRESTATE_DIFF,
  eth_getTransactionReceipt: () => ({ blockHash: HASH }),
};
/** A node without, which knows the balances before and after the block. */
const BALANCES: Record<string, Answer> = {
  eth_getBalance: ([address, at]) => {
    const change =
      (at as { blockHash: string }).blockHash === HASH ? (CHANGES[String(address).toLowerCase()] ?? 0n) : 0n;
    return hex(START + change);
  },
};

let check: NativeCheck | null = null;
afterEach(() => check?.close());

function checkOn(node: Record<string, Answer>, { own = true, requestIntervalMs = 0, chain = "eip155:1" } = {}) {
  const asked: { method: string; params: readonly unknown[] }[] = [];
  const outcomes: NativeOutcome[] = [];
  const told: string[] = [];
  const tellAs = (level: string) => (_facts: object, message: string) => void told.push(`${level}: ${message}`);
  check = createNativeCheck({
    rpc: {
      call: async (method, params, signal) => {
        asked.push({ method, params });
        const answer = await (node[method] ?? missing)(params, signal);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    context: { chain, nativeAssetId: `${chain}/slip44:60`, checksum },
    own,
    log: { debug: tellAs("debug"), info: tellAs("info"), warn: tellAs("warn"), error: tellAs("error") },
    onNativeCheck: (outcome) => outcomes.push(outcome),
    requestIntervalMs,
  });
  const { offer } = check;
  /** Offers until it is taken and gives an outcome. */
  const outcomeOf = async (block: BlockAnswers = answers) => {
    const before = outcomes.length;
    const look = () => {
      offer(header, () => block);
      return outcomes.length > before ? outcomes.at(-1) : undefined;
    };
    return waitFor("an outcome", look, { timeoutMs: 30_000, intervalMs: 2 });
  };
  return { offer, asked, outcomes, told, outcomeOf, methods: () => asked.map(({ method }) => method) };
}

describe("by the state difference of a transaction", () => {
  test("what we saw move is all that changed: complete, and asked about the transaction alone", async () => {
    const { outcomeOf, asked } = checkOn(TRACING);
    await expect(outcomeOf()).resolves.toEqual({
      block: { number: 7, hash: HASH },
      traced: true,
      kind: "complete",
      by: "transaction",
      txHash: TX,
      unjudged: 0,
    });
    expect(asked[0]).toEqual({
      method: "debug_traceTransaction",
      params: [TX, { tracer: "prestateTracer", tracerConfig: { diffMode: true } }],
    });
  });

  test("traces that hide an inner call: incomplete, an error once, and every outcome reported", async () => {
    const { outcomeOf, told } = checkOn(TRACING);
    await expect(outcomeOf(hiding)).resolves.toMatchObject({
      kind: "incomplete",
      traced: true,
      unseen: 3n,
      differences: [
        { address: checksum(contract), expected: 7n, actual: 4n },
        { address: checksum(friend), expected: 0n, actual: 3n },
      ],
    });
    await outcomeOf(hiding);
    expect(told.map((line) => line.split(":")[0])).toEqual(["error", "debug"]);
    expect(told[0]).toContain("traces hide native value");
  });

  test("a block without traces: how much we are blind to, and no error", async () => {
    const { outcomeOf, told } = checkOn(TRACING);
    await expect(outcomeOf({ ...answers, traces: null })).resolves.toMatchObject({
      kind: "incomplete",
      traced: false,
      unseen: 3n,
    });
    expect(told).toEqual([expect.stringMatching(/^info: native value moved inside contract calls, unseen/)]);
  });

  test("a transaction that a reorg put into another block is no hidden value", async () => {
    const { outcomeOf } = checkOn({ ...TRACING, eth_getTransactionReceipt: () => ({ blockHash: PARENT }) });
    await expect(outcomeOf(hiding)).resolves.toMatchObject({
      kind: "unknown",
      why: expect.stringContaining("another block"),
    });
    const gone = checkOn({ ...TRACING, eth_getTransactionReceipt: () => null });
    await expect(gone.outcomeOf(hiding)).resolves.toMatchObject({ kind: "unknown" });
  });

  test("a node that fails or answers nonsense: unknown, and why", async () => {
    const failing = checkOn({ debug_traceTransaction: () => new RpcError("missing trie node 0xabc", { details: {} }) });
    await expect(failing.outcomeOf()).resolves.toMatchObject({ kind: "unknown", why: "missing trie node 0xabc" });
    const nonsense = checkOn({ debug_traceTransaction: () => ({ pre: [] }) });
    await expect(nonsense.outcomeOf()).resolves.toMatchObject({ kind: "unknown", why: "pre is not an object" });
    const { outcomeOf } = checkOn(TRACING);
    await expect(outcomeOf({ ...answers, receipts: [] })).resolves.toMatchObject({ kind: "unknown" });
  });
});

describe("by the balances before and after the block", () => {
  test("complete, asked by the hashes of the block and its parent", async () => {
    const { outcomeOf, asked } = checkOn(BALANCES);
    await expect(outcomeOf()).resolves.toMatchObject({ kind: "complete", by: "balances", txHash: null, unjudged: 0 });
    const balances = asked.filter(({ method }) => method === "eth_getBalance");
    expect(balances).toHaveLength(8);
    expect(balances.map(({ params }) => params[1])).toEqual(
      [0, 1, 2, 3].flatMap(() => [{ blockHash: PARENT }, { blockHash: HASH }]),
    );
  });

  test("hidden value is found in a participant", async () => {
    const { outcomeOf } = checkOn(BALANCES);
    await expect(outcomeOf(hiding)).resolves.toMatchObject({
      kind: "incomplete",
      by: "balances",
      unseen: 3n,
      differences: [{ address: checksum(contract), expected: 7n, actual: 4n }],
    });
  });

  test("a contract that was created, paid and gone with what it held is no hidden value", async () => {
    const { outcomeOf } = checkOn(BALANCES);
    const create = {
      kind: "create",
      from: checksum(contract),
      to: checksum(`0x${"0e".repeat(20)}`),
      amount: 3n,
    } as const;
    const [trace] = hiding.traces;
    const traces = trace === undefined ? [] : [{ ...trace, inner: [create] }];
    await expect(outcomeOf({ ...answers, traces })).resolves.toMatchObject({ kind: "complete", by: "balances" });
  });

  test("a node that is not the operator's own is never asked for a balance", async () => {
    const { outcomeOf, methods } = checkOn(BALANCES, { own: false });
    await expect(outcomeOf()).resolves.toMatchObject({ kind: "unknown", why: expect.stringContaining("own nodes") });
    await outcomeOf();
    expect(new Set(methods())).toEqual(new Set(["debug_traceTransaction"]));
  });

  test("a node without the tracer is not asked for it each time; one that knows no prestateTracer neither", async () => {
    const unknownTracer = () => new RpcError("unsupported tracer", { details: {}, rpcCode: -32_000 });
    for (const node of [BALANCES, { ...BALANCES, debug_traceTransaction: unknownTracer }]) {
      const { outcomeOf, methods } = checkOn(node);
      await outcomeOf();
      await expect(outcomeOf()).resolves.toMatchObject({ kind: "complete", by: "balances" });
      expect(methods().filter((method) => method === "debug_traceTransaction")).toHaveLength(1);
    }
  });

  test("everybody in the block is drawn with the same chance, nobody else is", async () => {
    const others = Array.from({ length: 10 }, (_, index) => `0x${(0xabc000 + index).toString(16).padStart(40, "0")}`);
    const holders = [`0x${"1a".repeat(20)}`, `0x${"1b".repeat(20)}`];
    const inner = others.map(
      (to) => ({ kind: "call", from: checksum(contract), to: checksum(to), amount: 1n }) as const,
    );
    const top = { from: checksum(sender), to: checksum(contract), amount: 7n };
    const topics = [id("Transfer(address,address,uint256)"), ...holders.map((holder) => zeroPadValue(holder, 32))];
    const log = { address: contract, topics, data: zeroPadValue("0x05", 32) };
    const block = { ...answers, traces: [{ top, inner }], receipts: [{ ...RECEIPT, logs: [log] }] };
    const { outcomeOf, asked } = checkOn(BALANCES);
    for (let round = 0; round < 150; round += 1) await outcomeOf(block);
    const drawn = new Map<string, number>();
    for (const { method, params } of asked)
      if (method === "eth_getBalance") drawn.set(String(params[0]), (drawn.get(String(params[0])) ?? 0) + 0.5);
    expect(new Set(drawn.keys())).toEqual(new Set([sender, contract, miner, ...holders, ...others].map(checksum)));
    // 600 draws of 15 addresses: 40 each. Six standard deviations (5.4 each) away is once in a hundred million runs.
    for (const times of drawn.values()) expect(Math.abs(times - 40)).toBeLessThan(32);
  });

  test("where fees are not modelled, only those who do not pay or earn them are asked", async () => {
    const { outcomeOf, asked } = checkOn(BALANCES, { chain: "eip155:8453" });
    await expect(outcomeOf()).resolves.toMatchObject({ kind: "complete" });
    const addresses = new Set(asked.flatMap(({ method, params }) => (method === "eth_getBalance" ? [params[0]] : [])));
    expect(addresses).toEqual(new Set([contract, friend].map(checksum)));
  });

  test("a block of nobody who can be judged is not called complete", async () => {
    const precompile = `0x${"64".padStart(40, "0")}`;
    const [transaction] = (answers.block as { transactions: object[] }).transactions;
    const block = { ...(answers.block as object), transactions: [{ ...transaction, to: precompile }] };
    const { outcomeOf } = checkOn(BALANCES, { chain: "eip155:42161" });
    const why = expect.stringContaining("can be judged");
    await expect(outcomeOf({ ...answers, block, traces: null })).resolves.toMatchObject({ kind: "unknown", why });
  });
});

describe("stays out of the way", () => {
  test("a block is read at once, while its bytes are there, and one that cannot be read breaks nothing", async () => {
    const { offer, outcomes } = checkOn(TRACING);
    let reads = 0;
    offer(header, () => {
      reads += 1;
      throw new Error("gone");
    });
    expect(reads).toBe(1);
    await waitFor("the outcome", () => outcomes.length > 0);
    expect(outcomes).toEqual([expect.objectContaining({ kind: "unknown", why: "gone" })]);
  });

  test("one at a time: what is offered meanwhile is let go", async () => {
    let answer: (diff: unknown) => void = () => {};
    const { offer, methods, outcomes } = checkOn({
      debug_traceTransaction: () => new Promise((done) => (answer = done)),
    });
    offer(header, () => answers);
    await waitFor("the question", () => methods().length > 0);
    let reads = 0;
    for (let block = 0; block < 50; block += 1)
      offer(header, () => {
        reads += 1;
        return answers;
      });
    answer(PRESTATE_DIFF);
    await waitFor("the outcome", () => outcomes.length > 0);
    expect({ reads, asked: methods() }).toEqual({ reads: 0, asked: ["debug_traceTransaction"] });
  });

  test("rests after its requests", async () => {
    const { offer, outcomes, methods } = checkOn(TRACING, { requestIntervalMs: HOUR_MS });
    offer(header, () => answers);
    await waitFor("the outcome", () => outcomes.length > 0);
    let reads = 0;
    for (let block = 0; block < 50; block += 1) {
      offer(header, () => {
        reads += 1;
        return answers;
      });
      await new Promise(setImmediate);
    }
    expect({ reads, asked: methods() }).toEqual({ reads: 0, asked: ["debug_traceTransaction"] });
  });

  test("rests after a slow answer, nine times as long as it took", async () => {
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return PRESTATE_DIFF;
    };
    const { outcomeOf } = checkOn({ ...TRACING, debug_traceTransaction: slow });
    await outcomeOf();
    const startedAt = performance.now();
    await outcomeOf();
    expect(performance.now() - startedAt).toBeGreaterThan(9 * 45);
  });

  const receiptWith = (fields: object) => ({ ...answers, receipts: [{ ...RECEIPT, ...fields }] });
  test.each([
    ["a payment in which no contract ran", receiptWith({ gasUsed: "0x5208" })],
    ["a transaction that failed", receiptWith({ status: "0x0" })],
  ])("%s is not asked about, and leaves the turn to the next", async (_what, block) => {
    const { offer, outcomes, asked, outcomeOf } = checkOn(TRACING, { requestIntervalMs: HOUR_MS });
    let reads = 0;
    offer(header, () => {
      reads += 1;
      return block;
    });
    await waitFor("the block to be read", () => reads > 0);
    expect({ asked, outcomes }).toEqual({ asked: [], outcomes: [] });
    await expect(outcomeOf()).resolves.toMatchObject({ kind: "complete" });
  });

  test("what rollups put in without a signature is not judged", async () => {
    const transactions = [{ ...(answers.block as { transactions: object[] }).transactions[0], type: "0x7e" }];
    const { offer, asked, outcomes } = checkOn(TRACING, { chain: "eip155:10" });
    let reads = 0;
    offer(header, () => {
      reads += 1;
      return { ...answers, block: { ...(answers.block as object), transactions } };
    });
    await waitFor("the block to be read", () => reads > 0);
    await new Promise(setImmediate);
    expect({ asked, outcomes }).toEqual({ asked: [], outcomes: [] });
  });

  test("closing ends the request under way; nothing is reported or asked afterwards", async () => {
    const { offer, outcomes, methods, told } = checkOn({
      debug_traceTransaction: (_params, signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
    });
    offer(header, () => answers);
    await waitFor("the question", () => methods().length > 0);
    await check?.close();
    offer(header, () => answers);
    await new Promise(setImmediate);
    expect({ outcomes, told, asked: methods() }).toEqual({ outcomes: [], told: [], asked: ["debug_traceTransaction"] });
  });
});
