/**
 * Goal: traces give all value that moved inside contract calls, and only that.
 * Method: block 17073191 was recorded with the balance every transaction changed. For each transaction, what our frames
 * move must explain every balance but the fees: the sender lost at most its fee more, the block's recipient gained at
 * most that, and everybody else is explained to the wei.
 */
import { describe, expect, test } from "@jest/globals";
import { createChecksum } from "../../../src/chains/evm/checksum.ts";
import { decodeCallTracer, decodeParityTraces, type TracedTransaction } from "../../../src/chains/evm/decode-traces.ts";
import { fixtureBlocks, recorded } from "./fixture-blocks.ts";

interface ParityTrace {
  readonly type: string;
  readonly action: Record<string, string>;
  readonly result: { address?: string } | null;
  readonly error?: string;
  readonly traceAddress: number[];
  readonly transactionHash?: string;
  readonly blockHash: string;
}
type BalanceDiff = Record<string, { balance: "=" | Record<string, string | { from: string; to: string }> }>;

const checksum = createChecksum();
const block = fixtureBlocks().find((one) => one.number === 17_073_191);
if (block === undefined) throw new Error("the block with balance differences is recorded");
const traces = recorded(block, "traces") as ParityTrace[];
const diffs = recorded(block, "balanceDiff") as { transactionHash: string; stateDiff: BalanceDiff }[];
const txHashes = [...new Set(traces.flatMap((trace) => trace.transactionHash ?? []))];
const blockHash = traces[0]?.blockHash ?? "";

function decodeAll(from: readonly ParityTrace[] = traces): TracedTransaction[] {
  return decodeParityTraces(from, { blockHash, txHashes }, checksum);
}

function changeOf(balance: BalanceDiff[string]["balance"]): bigint {
  if (balance === "=") return 0n;
  const [[kind, value] = ["", ""]] = Object.entries(balance);
  if (typeof value === "object") return BigInt(value.to) - BigInt(value.from);
  return kind === "+" ? BigInt(value) : -BigInt(value);
}

/** What is left of each balance change after our frames, zeroes left out. */
function unexplained(index: number, { top, inner }: TracedTransaction): Map<string, bigint> {
  const left = new Map<string, bigint>();
  const add = (address: string, amount: bigint) => left.set(address, (left.get(address) ?? 0n) + amount);
  for (const [address, { balance }] of Object.entries(diffs[index]?.stateDiff ?? {}))
    add(checksum(address.toLowerCase()), changeOf(balance));
  const trace = traces.find((one) => one.transactionHash === txHashes[index]);
  if (trace?.error === undefined) {
    const to = top.to ?? checksum((trace?.result?.address ?? "").toLowerCase());
    for (const frame of [{ from: top.from, to, amount: top.amount }, ...inner]) {
      add(frame.from, frame.amount);
      add(frame.to, -frame.amount);
    }
  }
  return new Map([...left].filter(([, amount]) => amount !== 0n));
}

describe("call traces of mainnet block 17073191", () => {
  const traced = decodeAll();
  // The block's fee recipient: the one address that gains in nearly every transaction.
  const gains = new Map<string, number>();
  traced.forEach((transaction, index) => {
    for (const [address, amount] of unexplained(index, transaction))
      if (amount > 0n) gains.set(address, (gains.get(address) ?? 0) + 1);
  });
  const [[recipient] = [""]] = [...gains].toSorted((a, b) => b[1] - a[1]);

  test("every balance change but the fees is explained to the wei, in every transaction", () => {
    expect(diffs.map((diff) => diff.transactionHash)).toEqual(txHashes);
    traced.forEach((transaction, index) => {
      const left = unexplained(index, transaction);
      const fee = -(left.get(transaction.top.from) ?? 0n);
      const tip = left.get(recipient) ?? 0n;
      const others = [...left.keys()].filter((address) => address !== transaction.top.from && address !== recipient);
      expect({
        index,
        others,
        feePaid: fee > 0n || transaction.top.from === recipient,
        tipWithinFee: tip >= 0n && tip <= fee,
      }).toEqual({
        index,
        others: [],
        feePaid: true,
        tipWithinFee: true,
      });
    });
  });

  test("leaving out any one frame leaves a balance unexplained: the oracle can fail", () => {
    const broken = traced.flatMap(({ top, inner }, index) =>
      inner.map((_, gone) => ({ index, transaction: { top, inner: inner.toSpliced(gone, 1) } })),
    );
    const moving = broken.filter(({ index, transaction }) => {
      const full = traced[index];
      return full !== undefined && unexplained(index, full).size < unexplained(index, transaction).size;
    });
    const withValue = traced.flatMap(({ inner }) =>
      inner.filter((frame) => frame.amount > 0n && frame.from !== frame.to),
    );
    expect(withValue.length).toBeGreaterThan(40);
    // A frame to or from the sender or the fee recipient hides in their fee; all others show.
    expect(moving.length).toBeGreaterThan(withValue.length / 2);
  });

  test("callTracer's nested shape gives the same as the flat list", () => {
    expect(
      decodeCallTracer(
        txHashes.map((hash) => ({ result: nest(hash) })),
        checksum,
      ),
    ).toEqual(traced);
  });
});

const CALL_TYPES: Record<string, string> = {
  call: "CALL",
  delegatecall: "DELEGATECALL",
  staticcall: "STATICCALL",
  callcode: "CALLCODE",
};

/** The flat list of one transaction as geth's callTracer would nest it. */
function nest(hash: string): object {
  const own = traces.filter((trace) => trace.transactionHash === hash);
  const build = (path: number[]): object => {
    const trace = own.find((one) => one.traceAddress.join(".") === path.join("."));
    if (trace === undefined) throw new Error("a trace of that place is recorded");
    const children = own.filter(
      (one) => one.traceAddress.length === path.length + 1 && path.every((step, at) => one.traceAddress[at] === step),
    );
    const { action, type, result } = trace;
    const kinds =
      type === "call" ? CALL_TYPES[action["callType"] ?? ""] : type === "suicide" ? "SELFDESTRUCT" : "CREATE";
    return {
      type: kinds,
      from: action["from"] ?? action["address"],
      to:
        type === "create"
          ? path.length === 0
            ? undefined
            : result?.address
          : (action["to"] ?? action["refundAddress"]),
      value: action["value"] ?? action["balance"],
      ...(trace.error === undefined ? {} : { error: trace.error }),
      ...(children.length === 0 ? {} : { calls: children.map((child) => build(child.traceAddress)) }),
    };
  };
  return build([]);
}

describe("call traces that do not fit", () => {
  test("recorded callTracer answers of a block of 361 transactions are read", () => {
    const other = fixtureBlocks().find((one) => one.has.includes("callTracer"));
    if (other === undefined) throw new Error("a callTracer answer is recorded");
    const decoded = decodeCallTracer(recorded(other, "callTracer"), checksum);
    expect(decoded).toHaveLength(361);
    expect(decoded.some(({ inner }) => inner.length > 0)).toBe(true);
  });

  test.each([
    [
      "a trace of another block",
      traces.map((trace, index) => (index === 3 ? { ...trace, blockHash: `0x${"11".repeat(32)}` } : trace)),
    ],
    [
      "a trace of a transaction the block does not hold",
      traces.map((trace, index) => (index === 3 ? { ...trace, transactionHash: `0x${"11".repeat(32)}` } : trace)),
    ],
    ["a transaction without traces", traces.filter((trace) => trace.transactionHash !== txHashes[5])],
    ["an unknown type of trace", traces.map((trace, index) => (index === 3 ? { ...trace, type: "teleport" } : trace))],
    ["no list", { traces }],
  ])("%s is refused", (_what, answer) => {
    expect(() => decodeParityTraces(answer, { blockHash, txHashes }, checksum)).toThrow();
  });

  const top = { type: "CALL", from: `0x${"aa".repeat(20)}`, to: `0x${"bb".repeat(20)}`, value: "0x0" };
  const pay = { type: "CALL", from: `0x${"bb".repeat(20)}`, to: `0x${"cc".repeat(20)}`, value: "0x5" };
  const innerOf = (result: object) => decodeCallTracer([{ result }], checksum)[0]?.inner.length;

  test("below a reverted frame nothing happened, though its children carry no error", () => {
    expect(innerOf({ ...top, calls: [pay] })).toBe(1);
    expect(innerOf({ ...top, calls: [{ ...pay, value: "0x0", error: "execution reverted", calls: [pay] }] })).toBe(0);
    expect(innerOf({ ...top, error: "execution reverted", calls: [pay] })).toBe(0);
  });

  test("delegate, static and code calls move nothing; what they call does", () => {
    for (const type of ["DELEGATECALL", "STATICCALL", "CALLCODE"]) {
      expect(innerOf({ ...top, calls: [{ ...pay, type }] })).toBe(0);
      expect(innerOf({ ...top, calls: [{ ...pay, type, calls: [pay] }] })).toBe(1);
    }
  });
});
