/** Our decoder against recorded blocks, compared with a reading by ethers' own formatters and ABI decoder. */
import { describe, expect, test } from "@jest/globals";
import { Interface, JsonRpcProvider, Network } from "ethers";
import { MalformedAnswerError } from "../../../src/chains/answer-fields.ts";
import { decodeHeader } from "../../../src/chains/evm/decode-block.ts";
import type { Transfer } from "../../../src/types/chain.ts";
import { type Answers, decode, MANIFEST, recorded } from "./recorded.ts";

const ERC20 = new Interface(["event Transfer(address indexed from, address indexed to, uint256 value)"]);

/** The same block as ethers reads it: what moved natively, and every log its ERC-20 ABI can parse. */
function readByEthers({ block, receipts }: Answers, chainId: number): Transfer[] {
  const network = Network.from(chainId);
  const provider = new JsonRpcProvider("http://127.0.0.1:1", network, { staticNetwork: true });
  try {
    const transfers: Transfer[] = [];
    const { prefetchedTransactions } = provider["_wrapBlock"](block as never, network);
    for (const [txIndex, transaction] of prefetchedTransactions.entries()) {
      const receipt = provider["_wrapTransactionReceipt"](receipts[txIndex] as never, network);
      const place = { txHash: transaction.hash, txIndex };
      const to = transaction.to ?? receipt.contractAddress;
      const says = transaction.value > 0n || transaction.data === "0x";
      if (receipt.status !== 0 && says && to !== null) {
        const { from, value: amount } = transaction;
        const assetId = `eip155:${chainId}/slip44:60`;
        transfers.push({ key: "native", category: "native", ...place, from, to, assetId, amount });
      }
      for (const [index, log] of receipt.logs.entries()) {
        if (log.topics.length !== 3 || log.data.length !== 66) continue;
        const parsed = ERC20.parseLog(log);
        if (parsed === null) continue;
        const [from, tokenTo, amount] = parsed.args as unknown as [string, string, bigint];
        const assetId = `eip155:${chainId}/erc20:${log.address}`;
        transfers.push({ key: `log:${index}`, category: "erc20", ...place, from, to: tokenTo, assetId, amount });
      }
    }
    return transfers;
  } finally {
    provider.destroy();
  }
}

describe("recorded blocks", () => {
  // Coins and the standard's ERC-20 shape; all other kinds and shapes are compared in transfer-kinds.test.ts.
  const standard = MANIFEST.filter((entry) => entry.nonIndexedTransfer === 0);
  test.each(standard)("$chain $number reads as ethers reads it, transfer by transfer", (entry) => {
    const answers = recorded(entry.number);
    const transfers = decode(answers, answers.block, entry.chainId).filter(
      ({ category }) => category === "native" || category === "erc20",
    );
    expect(transfers).toEqual(readByEthers(answers, entry.chainId));
    // The manifest counted with a script of its own.
    expect(transfers.filter((one) => one.category === "erc20")).toHaveLength(entry.erc20Transfer);
    expect(transfers.length).toBeGreaterThan(0);
    expect(answers.receipts.flatMap((receipt) => receipt.logs)).toHaveLength(entry.logs);
  });

  test("the header is the block's own", () => {
    const { block } = recorded(18_000_000);
    expect(decodeHeader(block)).toEqual({
      number: 18_000_000,
      hash: "0x95b198e154acbfc64109dfd22d8224fe927fd8dfdedfae01587674482ba4baf3",
      parentHash: block["parentHash"],
      timestamp: Number(block["timestamp"]),
    });
  });

  test("a pre-Byzantium block has no status, and its transfers are all there", () => {
    const answers = recorded(4_369_999);
    expect(answers.receipts.every((receipt) => (receipt["status"] ?? null) === null)).toBe(true);
    const native = decode(answers, answers.block).filter((one) => one.category === "native");
    const withValue = answers.block.transactions.filter((one) => BigInt(one["value"] as string) > 0n);
    expect(withValue.length).toBe(6);
    expect(native.length).toBeGreaterThanOrEqual(withValue.length);
  });

  test("failed transactions move nothing", () => {
    for (const [number, chainId] of [
      [15_537_394, 1],
      [50_000_000, 137],
    ] as const) {
      const answers = recorded(number);
      const failed = answers.receipts.filter((one) => one["status"] === "0x0").map((one) => one["transactionHash"]);
      expect(failed.length).toBeGreaterThan(0);
      const moved = new Set(decode(answers, answers.block, chainId).map((one) => one.txHash));
      expect(failed.filter((hash) => moved.has(hash as string))).toEqual([]);
    }
  });

  test("zero-value token transfers are read, not dropped: the matcher decides what they mean", () => {
    const answers = recorded(18_000_000);
    const zero = decode(answers, answers.block).filter((one) => one.category === "erc20" && one.amount === 0n);
    expect(zero).toHaveLength(50);
  });

  test("a value sent along with a contract's creation reaches the new contract", () => {
    const answers = recorded(22_869_878);
    const index = answers.block.transactions.findIndex((one) => (one["to"] ?? null) === null);
    const creation = answers.block.transactions[index];
    if (creation === undefined) throw new Error("no creation in this block");
    creation["value"] = "0x5";
    const made = answers.receipts[index]?.["contractAddress"] as string;
    const transfer = decode(answers, answers.block).find((one) => one.txIndex === index && one.key === "native");
    expect(transfer?.amount).toBe(5n);
    expect(transfer?.to?.toLowerCase()).toBe(made.toLowerCase());
  });

  test("the key counts all logs of the transaction, whatever the node numbers in the block", () => {
    const answers = recorded(18_000_000);
    const before = decode(answers, answers.block);
    answers.receipts.flatMap((receipt) => receipt.logs).forEach((log, index) => (log["logIndex"] = `0x${index + 77}`));
    expect(decode(answers, answers.block)).toEqual(before);
  });

  test("a Transfer with one indexed argument more is an NFT, with too little data nothing, and what follows the amount is not read", () => {
    const answers = recorded(4_369_999);
    const before = decode(answers, answers.block);
    const tokens = answers.receipts.flatMap((receipt) => receipt.logs).filter((log) => log.topics.length === 3);
    const [four, two, long] = tokens as [Log, Log, Log];
    four.topics.push(four.topics[2] as string);
    two.topics.pop();
    long["data"] = `0x${"00".repeat(64)}`;
    const after = decode(answers, answers.block);
    const count = (of: readonly { category: string }[], category: string) =>
      of.filter((one) => one.category === category).length;
    expect(after).toHaveLength(before.length - 1);
    expect(count(after, "erc721")).toBe(count(before, "erc721") + 1);
    expect(count(after, "erc20")).toBe(count(before, "erc20") - 2);
  });

  test("dirty upper bytes of a topic do not hide an address", () => {
    const answers = recorded(4_369_999);
    const before = decode(answers, answers.block);
    for (const log of answers.receipts.flatMap((receipt) => receipt.logs)) {
      if (log.topics.length === 3) log.topics[1] = `0x${"ff".repeat(12)}${log.topics[1]?.slice(26)}`;
    }
    expect(decode(answers, answers.block)).toEqual(before);
  });
});

type Log = Answers["receipts"][number]["logs"][number];

/** One way to spoil the answers for block 18,000,000; its last transaction with token transfers is number `TX`. */
type Spoil = (answers: Answers, spoiled: { block: unknown; receipts: unknown }) => void;

const other = `0x${"77".repeat(32)}`;
const receiptOf = ({ receipts }: Answers) => receipts.find((one) => isToken(one)) as Answers["receipts"][number];
const isToken = (receipt: Answers["receipts"][number]) => receipt.logs.some((log) => log.topics.length === 3);
const logOf = (answers: Answers) =>
  receiptOf(answers).logs.find((log) => log.topics.length === 3) as Answers["receipts"][number]["logs"][number];
const valueOf = (answers: Answers, value: unknown) => {
  const paid = answers.block.transactions.find((one) => BigInt(one["value"] as string) > 0n);
  (paid as Record<string, unknown>)["value"] = value;
};

const MALFORMED: readonly [what: string, spoil: Spoil][] = [
  ["no block", (_, out) => (out.block = null)],
  ["a list instead of a block", (_, out) => (out.block = [])],
  ["another block", ({ block }) => (block.hash = other)],
  ["a block without its transactions", ({ block }) => delete (block as { transactions?: unknown }).transactions],
  ["transactions as an object", ({ block }) => Object.assign(block, { transactions: {} })],
  ["transactions as hashes only", ({ block }) => Object.assign(block, { transactions: hashesOf(block) })],
  ["one transaction short", ({ block }) => block.transactions.pop()],
  ["no transactions, all receipts", ({ block }) => (block.transactions.length = 0)],
  ["a transaction twice", ({ block, receipts }) => twice(block.transactions, receipts)],
  ["a transaction that is null", ({ block }) => Object.assign(block.transactions, { 3: null })],
  ["no receipts", (_, out) => (out.receipts = null)],
  ["receipts as an object", (_, out) => (out.receipts = {})],
  ["an empty list of receipts", ({ receipts }) => (receipts.length = 0)],
  ["one receipt short", ({ receipts }) => receipts.pop()],
  ["one receipt more", ({ receipts }) => receipts.push(structuredClone(receipts[0] as Answers["receipts"][number]))],
  ["a receipt that is null", ({ receipts }) => Object.assign(receipts, { 3: null })],
  ["two receipts changed about", ({ receipts }) => receipts.splice(0, 2, ...receipts.slice(0, 2).toReversed())],
  ["a receipt of another transaction", (answers) => (receiptOf(answers)["transactionHash"] = other)],
  ["a receipt of another block", (answers) => (receiptOf(answers)["blockHash"] = other)],
  ["a receipt without a block", (answers) => delete receiptOf(answers)["blockHash"]],
  ["a status that is a number", (answers) => (receiptOf(answers)["status"] = 1)],
  ["a status that is a word", (answers) => (receiptOf(answers)["status"] = "ok")],
  ["a status beyond 0 and 1", (answers) => (receiptOf(answers)["status"] = "0x2")],
  ["neither status nor state root", (answers) => delete receiptOf(answers)["status"]],
  ["a failed transaction with token transfers", (answers) => (receiptOf(answers)["status"] = "0x0")],
  ["no logs", (answers) => delete (receiptOf(answers) as { logs?: unknown }).logs],
  ["logs that are null", (answers) => Object.assign(receiptOf(answers), { logs: null })],
  ["a log that is null", (answers) => Object.assign(receiptOf(answers).logs, { 0: null })],
  ["a log without topics", (answers) => delete (logOf(answers) as { topics?: unknown }).topics],
  ["topics as text", (answers) => Object.assign(logOf(answers), { topics: "0x" })],
  ["a topic that is null", (answers) => Object.assign(logOf(answers).topics, { 0: null })],
  [
    "a topic in capitals",
    (answers) => (logOf(answers).topics[0] = `0x${logOf(answers).topics[0]?.slice(2).toUpperCase()}`),
  ],
  ["a topic that is too short", (answers) => (logOf(answers).topics[1] = "0x1234")],
  ["five topics", (answers) => logOf(answers).topics.push(other, other)],
  ["no data", (answers) => delete logOf(answers)["data"]],
  ["data that is a number", (answers) => (logOf(answers)["data"] = 7)],
  ["data that is no hex", (answers) => (logOf(answers)["data"] = `0x${"zz".repeat(32)}`)],
  ["data of half a byte", (answers) => (logOf(answers)["data"] = "0x1")],
  ["a token without an address", (answers) => (logOf(answers)["address"] = null)],
  ["a token's address cut off", (answers) => (logOf(answers)["address"] = "0x12")],
  ["a value that is a number", (answers) => valueOf(answers, 12)],
  ["a value that is null", (answers) => valueOf(answers, null)],
  ["a value in decimals", (answers) => valueOf(answers, "1000")],
  ["a value below zero", (answers) => valueOf(answers, "-0x1")],
  ["an empty value", (answers) => valueOf(answers, "0x")],
  ["a value beyond 256 bits", (answers) => valueOf(answers, `0x1${"0".repeat(64)}`)],
  ["no sender", ({ block }) => block.transactions.forEach((one) => delete one["from"])],
  ["no recipient, and no contract made", ({ block }) => block.transactions.forEach((one) => delete one["to"])],
  ["no input", ({ block }) => block.transactions.forEach((one) => delete one["input"])],
  ["input that is a list", ({ block }) => block.transactions.forEach((one) => (one["input"] = []))],
];

function hashesOf(block: Answers["block"]): unknown[] {
  return block.transactions.map((one) => one["hash"]);
}

function twice(transactions: Answers["block"]["transactions"], receipts: Answers["receipts"]): void {
  transactions[1] = structuredClone(transactions[0]) as (typeof transactions)[number];
  receipts[1] = structuredClone(receipts[0]) as (typeof receipts)[number];
}

describe("a malformed answer is an error, never a block with fewer transfers", () => {
  test.each(MALFORMED)("%s", (_what, spoil) => {
    const answers = recorded(18_000_000);
    const header = structuredClone(answers.block);
    const out: { block: unknown; receipts: unknown } = { ...answers };
    spoil(answers, out);
    expect(() => decode(out, header)).toThrow(MalformedAnswerError);
  });

  test.each([
    ["number", "0x20000000000000"],
    ["number", 18_000_000],
    ["number", null],
    ["hash", other.slice(0, 64)],
    ["hash", other.toUpperCase()],
    ["parentHash", undefined],
    ["timestamp", `0x${"f".repeat(64)}`],
    ["timestamp", "soon"],
  ])("a header whose %s is %p", (field, value) => {
    expect(() => decodeHeader({ ...recorded(18_000_000).block, [field]: value })).toThrow(MalformedAnswerError);
  });

  test("the error may be waited out, and says which transaction it was", () => {
    const answers = recorded(18_000_000);
    const header = structuredClone(answers.block);
    Object.assign(answers.receipts[7] as object, { blockHash: other });
    const failure = errorOf(() => decode(answers, header));
    expect(failure.retryable).toBe(true);
    expect(failure.message).toContain("transaction 7 of block 18000000");
  });
});

function errorOf(run: () => unknown): MalformedAnswerError {
  try {
    run();
  } catch (error) {
    if (error instanceof MalformedAnswerError) return error;
  }
  throw new Error("no MalformedAnswerError");
}
