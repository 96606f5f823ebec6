/** Each chain's own rules: real headers and transactions where public code recorded some, built blocks for the rest. */
import { describe, expect, test } from "@jest/globals";
import { getCreateAddress } from "ethers";
import { headerHash } from "../../../../src/chains/evm/proof/header.ts";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { proveBlock, proveSender, rawTransactionsNeeded } from "../../../../src/chains/evm/proof/prove-block.ts";
import { transactionsRoot, typedTransaction } from "../../../../src/chains/evm/proof/transactions.ts";
import { buildBlock, logOf, type Sent } from "./build-block.ts";
import { encode, int } from "./reference.ts";
import { type BlockJson, entryOf, followed, type Json, loadBlock, loadReceipts } from "./support.ts";
import { ARBITRUM_HEADER, ARBITRUM_INTERNAL, OP_DEPOSIT, OP_HEADER, OP_LEGACY } from "./vectors.ts";

const A = `0x${"aa".repeat(20)}`;
const B = `0x${"bb".repeat(20)}`;
const ZERO = `0x${"00".repeat(20)}`;
const HASH = `0x${"cc".repeat(32)}`;

function proofOf(chainId: number, built: { block: BlockJson; receipts: Json[] }, raw?: ReadonlyMap<number, string>) {
  const { block, receipts } = built;
  const answers = { header: followed(block), block, receipts, ...(raw === undefined ? {} : { raw }) };
  return proveBlock(answers, { profile: profileOf(chainId), senders: "all" });
}

describe("real headers and transactions", () => {
  test.each([
    ["OP Mainnet after Isthmus", OP_HEADER],
    ["Arbitrum One", ARBITRUM_HEADER],
  ])("the header of %s has its hash", (_, header) => {
    expect(headerHash(header)).toBe(header["hash"]);
  });

  test.each([
    ["an OP deposit", 10, OP_DEPOSIT],
    ["a legacy transaction of OP Mainnet", 10, OP_LEGACY],
    ["an Arbitrum internal transaction", 42161, ARBITRUM_INTERNAL],
  ])("%s has its hash and its sender", (_, chainId, transaction) => {
    const profile = profileOf(chainId);
    expect(() => transactionsRoot([typedTransaction(transaction, profile)], new Map())).not.toThrow();
    expect(proveSender(transaction, profile)).toEqual({ sender: transaction["from"] });
    const altered = { ...transaction, input: "0x00" };
    expect(() => transactionsRoot([typedTransaction(altered, profile)], new Map())).toThrow(
      /does not match its content/,
    );
  });
});

describe("OP stack", () => {
  const deposit = (json: Json, more: Partial<Sent> = {}): Sent => {
    const all: Json = { sourceHash: HASH, from: A, to: B, value: "0x7", gas: "0xf4240", input: "0x1234", ...json };
    const { mint, to, isSystemTx } = all;
    const items = [HASH, A, (to as string | null) ?? "0x", int((mint as string | undefined) ?? 0), "0x07", "0x0f4240"];
    return { json: all, typeByte: 0x7e, items: [...items, isSystemTx === true ? "0x01" : "0x", "0x1234"], ...more };
  };
  const canyon = (nonce: number): Partial<Sent> => ({
    receipt: { depositNonce: `0x${nonce.toString(16)}`, depositReceiptVersion: "0x1" },
    receiptTail: [int(nonce), "0x01"],
  });
  const regolith = (nonce: number): Partial<Sent> => ({ receipt: { depositNonce: `0x${nonce.toString(16)}` } });

  test.each([10, 8453])(
    "deposits are proven on chain %d, with and without mint, since Canyon and before it",
    (chainId) => {
      const built = buildBlock(
        [
          deposit({ isSystemTx: true }, canyon(4_012_991)),
          deposit({ mint: "0x64", sourceHash: HASH }, { ...canyon(0), logs: [logOf(A), logOf(B)] }),
          deposit({ isSystemTx: false }, regolith(3)),
        ].map((one, at) => ({
          ...one,
          json: { ...one.json, input: `0x${int(at + 1).slice(2)}` },
          items: [...one.items.slice(0, -1), int(at + 1)],
        })),
      );
      expect(proofOf(chainId, built)).toMatchObject({ proven: true, senders: [A, A, A], uncovered: [] });
    },
  );

  test("a contract created by a deposit has the address of its committed nonce", () => {
    const contractAddress = getCreateAddress({ from: A, nonce: 300 }).toLowerCase();
    const one = deposit({ to: null }, canyon(300));
    const built = (address: string) => buildBlock([{ ...one, receipt: { ...one.receipt, contractAddress: address } }]);
    expect(proofOf(8453, built(contractAddress))).toMatchObject({ proven: true });
    expect(proofOf(8453, built(B))).toMatchObject({ proven: false, check: "receipts", kind: "mismatch" });
  });

  test("before Canyon no root commits to the nonce: a creation is agreed, not proven", () => {
    const one = deposit({ to: null }, regolith(300));
    const built = buildBlock([{ ...one, receipt: { ...one.receipt, contractAddress: B } }]);
    expect(proofOf(10, built)).toMatchObject({ proven: false, kind: "unsupported", check: "receipts" });
  });

  test("a false nonce or version of a deposit's receipt is no proof", () => {
    const built = buildBlock([deposit({}, canyon(5))]);
    for (const change of [{ depositNonce: "0x6" }, { depositReceiptVersion: "0x2" }, { depositReceiptVersion: null }]) {
      const receipts = built.receipts.map((receipt) => ({ ...receipt, ...change }));
      expect(proofOf(10, { block: built.block, receipts })).toMatchObject({ proven: false, check: "receipts" });
    }
  });

  test("since Isthmus withdrawalsRoot is a storage root, and withdrawals are none", () => {
    const header = {
      withdrawalsRoot: HASH,
      blobGasUsed: "0x0",
      excessBlobGas: "0x0",
      parentBeaconBlockRoot: HASH,
      requestsHash: HASH,
    };
    const { block, receipts } = buildBlock([deposit({}, canyon(5))], header);
    expect(proofOf(8453, { block: { ...block, withdrawals: [] }, receipts })).toMatchObject({ proven: true });
    expect(proofOf(1, { block: { ...block, withdrawals: [] }, receipts })).toMatchObject({ proven: false });
    const withdrawals = [{ index: "0x0", validatorIndex: "0x0", address: A, amount: "0x1" }];
    expect(proofOf(8453, { block: { ...block, withdrawals }, receipts })).toMatchObject({ check: "withdrawals" });
  });
});

describe("Arbitrum", () => {
  const chain = { json: { chainId: "0xa4b1" }, item: "0xa4b1" };
  const arbitrum = (typeByte: number, json: Json, items: string[]): Sent => ({
    json: { ...chain.json, from: A, to: B, value: "0x0", input: "0x", ...json },
    typeByte,
    items: [chain.item, ...items],
  });
  const call = { maxFeePerGas: "0x5f5e100", gasPrice: "0x5f5e100", gas: "0x5208", value: "0x9", input: "0x1234" };
  const callItems = ["0x05f5e100", "0x5208", B, "0x09", "0x1234"];
  const ARBOS = "0x00000000000000000000000000000000000a4b05";
  const types: Sent[] = [
    arbitrum(0x6a, { from: ARBOS, to: ARBOS, input: "0x6bf6a42d" }, ["0x6bf6a42d"]),
    arbitrum(0x64, { requestId: HASH, value: "0x5" }, [HASH, A, B, "0x05"]),
    arbitrum(0x65, { ...call, nonce: "0x80" }, [A, "0x80", ...callItems]),
    arbitrum(0x66, { ...call, requestId: HASH }, [HASH, A, ...callItems]),
    arbitrum(
      0x68,
      { ...call, nonce: "0x0", ticketId: HASH, refundTo: B, maxRefund: "0xff", submissionFeeRefund: "0x0" },
      ["0x", A, ...callItems, HASH, B, "0xff", "0x"],
    ),
    arbitrum(
      0x69,
      {
        requestId: HASH,
        l1BaseFee: "0x1",
        depositValue: "0x2",
        gasPrice: "0x5f5e100",
        gas: "0x5208",
        retryTo: B,
        retryValue: "0x3",
        beneficiary: A,
        maxSubmissionFee: "0x4",
        refundTo: B,
        retryData: "0x",
        to: "0x000000000000000000000000000000000000006e",
      },
      [HASH, A, "0x01", "0x02", "0x05f5e100", "0x5208", B, "0x03", A, "0x04", B, "0x"],
    ),
  ];

  test("every own transaction type is proven, with logs", () => {
    const built = buildBlock(types.map((type) => ({ ...type, logs: [logOf(B)] })));
    expect(proofOf(42161, built)).toMatchObject({ proven: true, senders: [ARBOS, A, A, A, A, A] });
  });

  test.each([
    ["from of an internal transaction", 0, { from: B }],
    ["value of an internal transaction", 0, { value: "0x1" }],
    ["input of a deposit", 1, { input: "0x01" }],
    ["from of a deposit", 1, { from: B }],
    ["value of a submit retryable", 5, { value: "0x1" }],
    ["to of a submit retryable", 5, { to: B }],
    ["mint, which is no field of Arbitrum", 2, { mint: "0x1" }],
  ])("a changed %s is no proof", (_, index, change) => {
    const { block, receipts } = buildBlock(types);
    block.transactions[index] = { ...block.transactions[index], ...change };
    receipts[index] = {
      ...receipts[index],
      logs: [],
      from: block.transactions[index]?.["from"],
      to: block.transactions[index]?.["to"],
    };
    expect(proofOf(42161, { block, receipts })).toMatchObject({ proven: false, check: "transactions" });
  });

  test("a contract created by a contract's transaction is agreed, not proven: its nonce is not in the block", () => {
    const creation = arbitrum(0x66, { ...call, requestId: HASH, to: null }, [
      HASH,
      A,
      ...callItems.toSpliced(2, 1, "0x"),
    ]);
    const built = buildBlock([{ ...creation, receipt: { contractAddress: B } }]);
    expect(proofOf(42161, built)).toMatchObject({ proven: false, kind: "unsupported", check: "receipts" });
  });

  test("blocks of Arbitrum Classic are agreed, not proven", () => {
    const { block, receipts } = buildBlock(types, { number: "0x100000" });
    const other = { ...block, stateRoot: HASH };
    expect(proofOf(42161, { block: other, receipts })).toMatchObject({ proven: false, kind: "unsupported" });
    expect(proofOf(42161, { block: { ...other, number: "0x5000000" }, receipts })).toMatchObject({ kind: "mismatch" });
  });
});

describe("Polygon state syncs", () => {
  const legacy: Sent = { json: OP_LEGACY, typeByte: 0, items: legacyItems(OP_LEGACY) };
  const stateSync: Sent = {
    json: { from: ZERO, to: ZERO, value: "0x0", input: "0x", gas: "0x0", nonce: "0x0" },
    typeByte: 0,
    items: [],
    logs: [logOf(A), logOf(B)],
  };
  // Chain id 10 signed the only real legacy transaction at hand; Polygon's rules are asked for under that id.
  const profile = { ...profileOf(137), chainId: 10 };
  const prove = (built: { block: BlockJson; receipts: Json[] }, raw: ReadonlyMap<number, string> = new Map()) =>
    proveBlock({ header: followed(built.block), raw, ...built }, { profile, senders: "all" });
  const before = { number: "0x2faf080" };
  const after = { number: "0x4c60000" };

  test("before Madhugiri the receipt at the end is set aside, and the block says so", () => {
    const built = buildBlock([legacy], before, [stateSync]);
    expect(prove(built)).toMatchObject({
      proven: true,
      senders: [OP_LEGACY["from"], null],
      uncovered: ["state syncs"],
    });
  });

  test("a sprint's first block may hide one, the next cannot have one", () => {
    expect(prove(buildBlock([legacy], before))).toMatchObject({ proven: true, uncovered: ["state syncs"] });
    expect(prove(buildBlock([legacy], { number: "0x2faf081" }))).toMatchObject({ proven: true, uncovered: [] });
    expect(prove(buildBlock([legacy], after))).toMatchObject({ proven: true, uncovered: [] });
  });

  test("one of another block, with value, or out of its place is no proof", () => {
    const wrong: ((built: { block: BlockJson; receipts: Json[] }) => void)[] = [
      ({ block }) => (block.transactions[1] = { ...block.transactions[1], hash: HASH }),
      ({ block }) => (block.transactions[1] = { ...block.transactions[1], value: "0x1" }),
      ({ receipts }) => (receipts[1] = { ...receipts[1], transactionIndex: "0x2" }),
      ({ receipts }) => (receipts[1] = { ...receipts[1], logs: [] }),
      ({ receipts }) => (receipts[1] = { ...receipts[1], from: A }),
    ];
    for (const change of wrong) {
      const built = buildBlock([legacy], before, [stateSync]);
      change(built);
      expect(prove(built)).toMatchObject({ proven: false });
    }
  });

  test("since Madhugiri it is a transaction of its own type, proven from its raw bytes", () => {
    const content = [["0x01", A, "0x1234", HASH]];
    const typed: Sent = { ...stateSync, typeByte: 0x7f, items: content };
    const { block, receipts } = buildBlock([legacy, typed], after);
    expect(rawTransactionsNeeded(block, profile)).toEqual([1]);
    expect(prove({ block, receipts }, new Map([[1, encode(content, 0x7f)]]))).toMatchObject({
      proven: true,
      uncovered: [],
    });
    expect(prove({ block, receipts })).toMatchObject({ proven: false, kind: "unsupported", check: "transactions" });
    for (const raw of [encode(content, 0x7e), encode([["0x02"]], 0x7f), "0x", "0x7", "7f"])
      expect(prove({ block, receipts }, new Map([[1, raw]]))).toMatchObject({ proven: false, check: "transactions" });
  });

  test("asking what raw bytes a malformed block needs is no crash", () => {
    for (const block of [
      null,
      1,
      "x",
      [],
      {},
      { transactions: 1 },
      { transactions: [null, 1, { type: {} }, { type: "x" }] },
    ])
      expect(rawTransactionsNeeded(block, profile)).toEqual([]);
  });
});

function legacyItems(json: Json): string[] {
  const item = (key: string) => int(json[key] as string);
  return [
    item("nonce"),
    item("gasPrice"),
    item("gas"),
    json["to"] as string,
    item("value"),
    "0x",
    item("v"),
    item("r"),
    item("s"),
  ];
}

test("a transaction type that a profile lacks makes the block agreed, not proven", () => {
  const built = buildBlock([{ json: { from: A, to: B, value: "0x0", input: "0x" }, typeByte: 0x7e, items: ["0x01"] }]);
  expect(proofOf(1, built)).toMatchObject({
    proven: false,
    kind: "unsupported",
    check: "transactions",
    reason: "transaction 0: type 0x7e is not one that we can encode on Ethereum",
  });
});

test("on a chain that we know nothing of, a mismatch is not held against the node", () => {
  const entry = entryOf(1_000_000);
  const built = { block: { ...loadBlock(entry), stateRoot: HASH }, receipts: loadReceipts(entry) };
  expect(proofOf(1, built)).toMatchObject({ proven: false, kind: "mismatch", check: "header" });
  expect(proofOf(987_654, built)).toMatchObject({ proven: false, kind: "unsupported", check: "header" });
});
