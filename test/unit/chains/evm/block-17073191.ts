/**
 * Mainnet block 17073191 as a node would have told it. Recorded are its traces and the balance every transaction changed,
 * but not its body: that follows from them. What a sender lost beyond its frames is its fee, what the fee recipient gained
 * is the tip, what lies between was burned. The base fee is the greatest common divisor of what 119 transactions burned;
 * gas and gas prices are then whole numbers, which they would not be had any frame been missing.
 */
import { createChecksum } from "../../../../src/chains/evm/checksum.ts";
import type { BlockAnswers } from "../../../../src/chains/evm/decode-block.ts";
import { decodeParityTraces, type TracedTransaction } from "../../../../src/chains/evm/decode-traces.ts";
import { fixtureBlocks, recorded } from "../fixture-blocks.ts";

interface ParityTrace {
  readonly type: string;
  readonly action: Record<string, string>;
  readonly result: { address?: string } | null;
  readonly error?: string;
  readonly transactionHash?: string;
  readonly blockHash: string;
}
type Change = "=" | Record<string, string | { from: string; to: string }>;
/** By address, in lower case. */
export type StateDiff = Record<string, { balance: Change }>;

const checksum = createChecksum();
const recordedBlock = fixtureBlocks().find((one) => one.number === 17_073_191);
if (recordedBlock === undefined) throw new Error("the block with balance differences is recorded");
const traces = recorded(recordedBlock, "traces") as ParityTrace[];
const txHashes = [...new Set(traces.flatMap((trace) => trace.transactionHash ?? []))];
const blockHash = traces[0]?.blockHash ?? "";
const traced = decodeParityTraces(traces, { blockHash, txHashes }, checksum);

/** One per transaction, and last what the withdrawals changed. */
export const stateDiffs = (recorded(recordedBlock, "balanceDiff") as { stateDiff: StateDiff }[]).map(
  ({ stateDiff }) => stateDiff,
);

export function changeOf(balance: Change): bigint {
  if (balance === "=") return 0n;
  const [[kind, value] = ["", ""]] = Object.entries(balance);
  if (typeof value === "object") return BigInt(value.to) - BigInt(value.from);
  return kind === "+" ? BigInt(value) : -BigInt(value);
}

/** The same as `prestateTracer` in diff mode tells it. */
export function prestateDiff(diff: StateDiff): { pre: object; post: object } {
  const pre: Record<string, object> = {};
  const post: Record<string, object> = {};
  for (const [address, { balance }] of Object.entries(diff)) {
    const [[kind, value] = ["=", ""]] = balance === "=" ? [] : Object.entries(balance);
    if (kind !== "+") pre[address] = typeof value === "object" ? { balance: value.from } : { nonce: 1 };
    if (kind !== "-")
      post[address] = kind === "=" ? { nonce: 2 } : { balance: typeof value === "object" ? value.to : value };
  }
  return { pre, post };
}

function topOf(index: number): ParityTrace {
  const top = traces.find((trace) => trace.transactionHash === txHashes[index]);
  if (top === undefined) throw new Error(`transaction ${index} is traced`);
  return top;
}

/** What each balance changed by beyond the frames: the fee of the sender (negative), the tip. */
function beyondFrames(index: number, { top, inner }: TracedTransaction): Map<string, bigint> {
  const left = new Map<string, bigint>();
  const add = (address: string, amount: bigint) => left.set(address, (left.get(address) ?? 0n) + amount);
  for (const [address, { balance }] of Object.entries(stateDiffs[index] ?? {}))
    add(checksum(address), changeOf(balance));
  if (topOf(index).error !== undefined) return left;
  const to = top.to ?? checksum(topOf(index).result?.address ?? "");
  for (const frame of [{ from: top.from, to, amount: top.amount }, ...inner]) {
    add(frame.from, frame.amount);
    add(frame.to, -frame.amount);
  }
  return left;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

// The one address that gains in nearly every transaction.
const FEE_RECIPIENT = "0xd4E96eF8eee8678dBFf4d535E033Ed1a4F7605b7";

const fees = traced.map((transaction, index) => {
  const left = beyondFrames(index, transaction);
  const paid = -(left.get(transaction.top.from) ?? 0n);
  // Its own transaction pays the tip to itself.
  const tip = transaction.top.from === FEE_RECIPIENT ? 0n : (left.get(FEE_RECIPIENT) ?? 0n);
  return { paid, burned: paid - tip };
});
const baseFee = fees.map(({ burned }) => burned).reduce(greatestCommonDivisor);

const hex = (value: bigint) => `0x${value.toString(16)}`;

function transactionOf(index: number): object {
  const { action, type } = topOf(index);
  const { paid, burned } = fees[index] ?? { paid: 0n, burned: 1n };
  const gasUsed = burned / baseFee;
  if (paid % gasUsed !== 0n) throw new Error(`the gas price of transaction ${index} is no whole number`);
  return {
    hash: txHashes[index],
    type: "0x0",
    from: action["from"],
    to: type === "create" ? null : action["to"],
    value: action["value"],
    input: action["input"] ?? action["init"],
    gasPrice: hex(paid / gasUsed),
  };
}

function receiptOf(index: number): object {
  const { result, error } = topOf(index);
  return {
    transactionHash: txHashes[index],
    blockHash,
    status: error === undefined ? "0x1" : "0x0",
    gasUsed: hex((fees[index]?.burned ?? 0n) / baseFee),
    contractAddress: result?.address ?? null,
    logs: [],
  };
}

const WEI_PER_GWEI = 1_000_000_000n;
const withdrawals = traces
  .filter(({ type }) => type === "reward")
  .map(({ action }, index) => ({
    index: hex(BigInt(index)),
    address: action["author"],
    amount: hex(BigInt(action["value"] ?? "") / WEI_PER_GWEI),
  }));

const header = { number: 17_073_191, hash: blockHash, parentHash: `0x${"00".repeat(32)}`, timestamp: 1_681_849_000 };

export const block17073191: BlockAnswers & { readonly traces: readonly TracedTransaction[] } = {
  header,
  block: {
    hash: blockHash,
    miner: FEE_RECIPIENT,
    difficulty: "0x0",
    baseFeePerGas: hex(baseFee),
    transactions: txHashes.map((_, index) => transactionOf(index)),
    withdrawals,
  },
  receipts: txHashes.map((_, index) => receiptOf(index)),
  traces: traced,
};
export const baseFee17073191 = baseFee;
