/**
 * Goal: native value that we did not see is found in the balances, and what is no hidden value is never called so.
 * Method: the balance every transaction of mainnet block 17073191 changed was recorded; all of them must agree with what
 * we see move, and none must once any one movement is taken away or altered.
 */
import { describe, expect, test } from "@jest/globals";
import { createChecksum } from "../../../../src/chains/evm/checksum.ts";
import type { BlockAnswers } from "../../../../src/chains/evm/decode-block.ts";
import type { ValueFrame } from "../../../../src/chains/evm/decode-traces.ts";
import {
  blockPart,
  judgeTransaction,
  nativeDifferences,
  type NativeRules,
  type NativeVerdict,
  transactionPart,
  unseenAmount,
} from "../../../../src/chains/evm/native-differences.ts";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { fixtureBlocks, recorded } from "../fixture-blocks.ts";
import {
  baseFee17073191,
  block17073191,
  changeOf,
  prestateDiff,
  type StateDiff,
  stateDiffs,
} from "./block-17073191.ts";

const checksum = createChecksum();
const indexes = block17073191.traces.map((_, index) => index);

function rulesOf(chainId: number): NativeRules {
  const context = { chain: `eip155:${chainId}`, nativeAssetId: `eip155:${chainId}/slip44:60`, checksum };
  return { context, profile: profileOf(chainId) };
}
const ETHEREUM = rulesOf(1);
const POLYGON = rulesOf(137);

function verdictOf(
  index: number,
  { answers = block17073191, rules = ETHEREUM }: { answers?: BlockAnswers; rules?: NativeRules } = {},
): NativeVerdict {
  return judgeTransaction(transactionPart(answers, index, rules), prestateDiff(stateDiffs[index] ?? {}), checksum);
}

/** The block with other frames in one transaction. */
function withFrames(index: number, change: (inner: readonly ValueFrame[]) => readonly ValueFrame[]): BlockAnswers {
  const traces = block17073191.traces.map((trace, at) =>
    at === index ? { top: trace.top, inner: change(trace.inner) } : trace,
  );
  return { ...block17073191, traces };
}

/** Every frame that moved value from one address to another. */
const moving = block17073191.traces.flatMap(({ inner }, index) =>
  inner.flatMap((frame, at) => (frame.amount > 0n && frame.from !== frame.to ? [{ index, at, frame }] : [])),
);

describe("mainnet block 17073191", () => {
  test("its body is what the chain had: a base fee of 33.6 gwei, and whole gas prices", () => {
    expect(baseFee17073191).toBe(33_623_486_557n);
  });

  test("every one of its 119 transactions is complete, sender and fee recipient judged", () => {
    const verdicts = indexes.map((index) => verdictOf(index));
    expect(verdicts).toHaveLength(119);
    for (const [index, { differences, judged, unjudged }] of verdicts.entries())
      expect({ index, differences, unjudged, two: judged >= 2 }).toEqual({
        index,
        differences: [],
        unjudged: 0,
        two: true,
      });
  });

  test("the whole block's movements are the sum of all balance changes, withdrawals included", () => {
    const changed = new Map<string, bigint>();
    for (const diff of stateDiffs)
      for (const [address, { balance }] of Object.entries(diff))
        changed.set(checksum(address), (changed.get(checksum(address)) ?? 0n) + changeOf(balance));
    const notZero = (map: ReadonlyMap<string, bigint>) => new Map([...map].filter(([, amount]) => amount !== 0n));
    const expected = notZero(nativeDifferences(blockPart(block17073191, ETHEREUM)));
    expect(expected.size).toBeGreaterThan(150);
    expect(expected).toEqual(notZero(changed));
  });

  test("each hidden frame, each wrong amount and each wrong recipient is found", () => {
    expect(moving.length).toBeGreaterThan(40);
    const stranger = checksum(`0x${"ee".repeat(20)}`);
    const mutations: Record<string, (frame: ValueFrame) => ValueFrame[]> = {
      hidden: () => [],
      "a wei less": (frame) => [{ ...frame, amount: frame.amount - 1n }],
      doubled: (frame) => [frame, frame],
      redirected: (frame) => [{ ...frame, to: stranger }],
    };
    for (const { index, at, frame } of moving)
      for (const [what, change] of Object.entries(mutations)) {
        const answers = withFrames(index, (inner) => inner.toSpliced(at, 1, ...change(frame)));
        expect({ what, index, at, found: verdictOf(index, { answers }).differences.length > 0 }).toMatchObject({
          found: true,
        });
      }
  });

  test("a hidden frame is told with who lost it, who got it and how much", () => {
    const hidden = moving.find(({ index }) => moving.filter((other) => other.index === index).length === 1);
    if (hidden === undefined) throw new Error("a transaction with one frame is recorded");
    const { index, at, frame } = hidden;
    const { differences } = verdictOf(index, { answers: withFrames(index, (inner) => inner.toSpliced(at, 1)) });
    expect(new Map(differences.map(({ address, expected, actual }) => [address, actual - expected]))).toEqual(
      new Map([
        [frame.from, -frame.amount],
        [frame.to, frame.amount],
      ]),
    );
    expect(unseenAmount(differences)).toBe(frame.amount);
  });

  test("without traces, unseen is what moved inside", () => {
    const untraced = { ...block17073191, traces: null };
    const internal = new Set(moving.map(({ index }) => index));
    for (const index of indexes)
      expect({ index, seen: verdictOf(index, { answers: untraced }).differences.length === 0 }).toEqual({
        index,
        seen: !internal.has(index),
      });
  });
});

describe("a chain whose fees we have no rules for", () => {
  test("sender and fee recipient are not judged, and all transactions are complete", () => {
    for (const index of indexes) {
      const { differences, unjudged } = verdictOf(index, { rules: POLYGON });
      expect({ index, differences, some: unjudged > 0 }).toEqual({ index, differences: [], some: true });
    }
  });

  test("other fees than ours, fees paid to strangers and what the system itself moves are no hidden value", () => {
    const sender = block17073191.traces[0]?.top.from.toLowerCase() ?? "";
    const lost = { balance: { "*": { from: "0xffffffffffffffffffff", to: "0x1" } } };
    const gained = { balance: { "+": "0x99" } };
    const differencesOf = (diff: StateDiff, rules: NativeRules) => {
      const part = transactionPart(block17073191, 0, rules);
      return judgeTransaction(part, prestateDiff({ ...stateDiffs[0], ...diff }), checksum).differences.length;
    };
    const vault = "0x4200000000000000000000000000000000000019";
    const precompile = "0x0000000000000000000000000000000000000064";
    const system = "0xfffffffffffffffffffffffffffffffffffffffe";
    const diff = { [sender]: lost, [vault]: gained, [precompile]: lost, [system]: lost };
    expect(differencesOf(diff, POLYGON)).toBe(0);
    // All but the system's own account.
    expect(differencesOf(diff, ETHEREUM)).toBe(3);
    expect(differencesOf({ [vault]: lost }, POLYGON)).toBe(1);
  });

  test("each hidden frame is found all the same, in the contract that lost it", () => {
    for (const { index, at, frame } of moving) {
      const answers = withFrames(index, (inner) => inner.toSpliced(at, 1));
      const { differences } = verdictOf(index, { answers, rules: POLYGON });
      expect(differences.map(({ address }) => address)).toContain(frame.from);
    }
  });

  test("Ethereum before the merge is such a chain: blocks had rewards", () => {
    const block = { ...(block17073191.block as object), difficulty: "0x1" };
    expect(transactionPart({ ...block17073191, block }, 0, ETHEREUM).feesModelled).toBe(false);
  });
});

describe("contracts that end", () => {
  const txHash = `0x${"01".repeat(32)}`;
  const hash = `0x${"02".repeat(32)}`;
  const sender = `0x${"0a".repeat(20)}`;
  const miner = `0x${"0b".repeat(20)}`;
  const factory = `0x${"0c".repeat(20)}`;
  const bomb = `0x${"0d".repeat(20)}`;
  const heir = `0x${"0e".repeat(20)}`;
  const frame = (kind: ValueFrame["kind"], from: string, to: string): ValueFrame => ({
    kind,
    from: checksum(from),
    to: checksum(to),
    amount: 7n,
  });

  /** A call that pays 7 wei to the factory: its fee is 42,000 wei, half of it tip. */
  function judge(
    inner: readonly ValueFrame[],
    accounts: Record<string, { pre?: object; post?: object }>,
  ): NativeVerdict {
    const answers: BlockAnswers = {
      header: { number: 1, hash, parentHash: hash, timestamp: 1 },
      block: {
        hash,
        miner,
        difficulty: "0x0",
        baseFeePerGas: "0x1",
        transactions: [
          { hash: txHash, type: "0x0", from: sender, to: factory, value: "0x7", input: "0x01", gasPrice: "0x2" },
        ],
      },
      receipts: [{ transactionHash: txHash, blockHash: hash, status: "0x1", gasUsed: "0x5208", logs: [] }],
      traces: [{ top: { from: checksum(sender), to: checksum(factory), amount: 7n }, inner }],
    };
    const all: Record<string, { pre?: object; post?: object }> = {
      [sender]: { pre: { balance: "0x100000" }, post: { balance: `0x${(0x100000 - 42_000 - 7).toString(16)}` } },
      [miner]: { pre: {}, post: { balance: "0x5208" } },
      ...accounts,
    };
    const side = (name: "pre" | "post") =>
      Object.fromEntries(
        Object.entries(all).flatMap(([address, one]) => (one[name] === undefined ? [] : [[address, one[name]]])),
      );
    return judgeTransaction(transactionPart(answers, 0, ETHEREUM), { pre: side("pre"), post: side("post") }, checksum);
  }

  const paidOut = { [heir]: { pre: { balance: "0x1" }, post: { balance: "0x8" } } };
  const created = frame("create", factory, bomb);
  const destroyed = frame("selfdestruct", bomb, heir);

  test("one that was created and destroyed in the transaction passes its value on", () => {
    expect(judge([created, destroyed], paidOut).differences).toEqual([]);
  });

  test("a selfdestruct that the traces leave out is found in its heir", () => {
    expect(judge([created], paidOut).differences).toEqual([{ address: checksum(heir), expected: 0n, actual: 7n }]);
  });

  const keptItsPay = { [factory]: { pre: { balance: "0x0" }, post: { balance: "0x7" } } };

  test("an old one that tracers call gone, or leave out, is not judged; its heir is", () => {
    const gone = { ...paidOut, ...keptItsPay, [bomb]: { pre: { balance: "0x7" } } };
    const leftOut = { ...paidOut, ...keptItsPay };
    for (const accounts of [gone, leftOut]) {
      expect(judge([destroyed], accounts).differences).toEqual([]);
      expect(judge([], accounts).differences).toEqual([{ address: checksum(heir), expected: 0n, actual: 7n }]);
    }
  });

  test("what a contract burns with itself is no hidden value", () => {
    // Created, paid and destroyed in its own favour: on neither side of the answer.
    expect(judge([created], {}).differences).toEqual([]);
    // An old one, before EIP-6780.
    expect(judge([], { [factory]: { pre: { balance: "0x0" } } }).differences).toEqual([]);
    // The same, had they lived on: their balance is missing.
    const livedOn = { post: { nonce: 1 } };
    const missing = (address: string) => [{ address: checksum(address), expected: 7n, actual: 0n }];
    expect(judge([created], { [bomb]: livedOn }).differences).toEqual(missing(bomb));
    expect(judge([], { [factory]: { pre: { balance: "0x0" }, ...livedOn } }).differences).toEqual(missing(factory));
  });

  test("an answer that is no state difference is refused", () => {
    const part = transactionPart(block17073191, 0, ETHEREUM);
    for (const answer of [
      null,
      [],
      {},
      { pre: {} },
      { pre: {}, post: { "0x12": {} } },
      { pre: {}, post: { [heir]: { balance: "7" } } },
    ])
      expect(() => judgeTransaction(part, answer, checksum)).toThrow();
  });
});

describe("fees of recorded blocks", () => {
  const blocks = fixtureBlocks().filter(
    ({ chainId, number, files }) =>
      chainId === 1 && number >= 15_537_394 && files["block"] !== undefined && files["receipts"] !== undefined,
  );
  type Receipt = { gasUsed: string; effectiveGasPrice: string };
  type Transaction = { type: string; blobVersionedHashes?: string[]; maxFeePerBlobGas?: string };
  const answersOf = (recordedBlock: (typeof blocks)[number]) => {
    const block = recorded(recordedBlock, "block") as { hash: string; transactions: Transaction[] };
    const receipts = recorded(recordedBlock, "receipts") as Receipt[];
    return {
      block,
      receipts,
      header: { number: recordedBlock.number, hash: block.hash, parentHash: block.hash, timestamp: 1 },
      traces: null,
    };
  };

  test.each(blocks.map((block) => [block.number, block] as const))(
    "block %i: gas used times the effective price, to the wei; blobs without a price are not judged",
    (_number, recordedBlock) => {
      const answers = answersOf(recordedBlock);
      const fees = blockPart(answers, ETHEREUM).fees.map(({ amount }) => amount);
      expect(fees).toEqual(
        answers.receipts.map(({ gasUsed, effectiveGasPrice }, index) =>
          answers.block.transactions[index]?.type === "0x3" ? null : BigInt(gasUsed) * BigInt(effectiveGasPrice),
        ),
      );
    },
  );

  test("blobs are paid at the receipt's price, never above what the sender agreed to", () => {
    const withBlobs = blocks.map(answersOf).find(({ block }) => block.transactions.some(({ type }) => type === "0x3"));
    if (withBlobs === undefined) throw new Error("a block with blobs is recorded");
    const index = withBlobs.block.transactions.findIndex(({ type }) => type === "0x3");
    const { blobVersionedHashes = [], maxFeePerBlobGas = "0x0" } = withBlobs.block.transactions[index] ?? {};
    const feeAt = (price: bigint) => {
      const receipts = withBlobs.receipts.map((receipt) => ({ ...receipt, blobGasPrice: `0x${price.toString(16)}` }));
      return transactionPart({ ...withBlobs, receipts }, index, ETHEREUM).fees[0]?.amount ?? 0n;
    };
    expect(feeAt(3n) - feeAt(0n)).toBe(3n * 131_072n * BigInt(blobVersionedHashes.length));
    expect(() => feeAt(BigInt(maxFeePerBlobGas) + 1n)).toThrow("more for blobs");
  });

  test("a transaction of a type we do not know: its sender is not judged", () => {
    const [first, ...rest] = (block17073191.block as { transactions: object[] }).transactions;
    const block = { ...(block17073191.block as object), transactions: [{ ...first, type: "0x55" }, ...rest] };
    const answers = { ...block17073191, block };
    expect(transactionPart(answers, 0, ETHEREUM).fees[0]?.amount).toBeNull();
    expect(verdictOf(0, { answers })).toMatchObject({ differences: [], unjudged: 1 });
  });

  test("block 18000000: every payer, withdrawal and its fee recipient is on the node's list of changed balances", () => {
    const recordedBlock = blocks.find(({ number }) => number === 18_000_000);
    if (recordedBlock === undefined) throw new Error("block 18000000 is recorded");
    const changed = new Set(
      Object.keys(recorded(recordedBlock, "balanceChanges") as object).map((lower) => checksum(lower)),
    );
    const part = blockPart(answersOf(recordedBlock), ETHEREUM);
    const accounts = [...part.fees.map(({ payer }) => payer), part.feeRecipient];
    for (const { category, to } of part.transfers) if (category === "withdrawal" && to !== null) accounts.push(to);
    // Its builder passed on to the proposer what it earned, to the wei: it is not on the list.
    const expected = nativeDifferences(part);
    expect(accounts.filter((address) => changed.has(address) !== (expected.get(address) !== 0n))).toEqual([]);
    expect(expected.get(part.feeRecipient)).toBe(0n);
    expect(new Set(accounts).size).toBeGreaterThan(60);
  });
});
