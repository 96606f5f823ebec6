/** A node can hold back a pending transaction, but not make one: recorded transactions, then every lie about them. */
import { describe, expect, test } from "@jest/globals";
import { Transaction, Wallet } from "ethers";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { provePending } from "../../../../src/chains/evm/proof/prove-pending.ts";
import { decodePending } from "../../../../src/chains/evm/mempool/decode-pending.ts";
import { contextOf, decode, type JsonObject, MANIFEST, recorded } from "../recorded.ts";

/** As it looked before its block. */
function asPending(transaction: JsonObject): JsonObject {
  return { ...transaction, blockHash: null, blockNumber: null, transactionIndex: null, blockTimestamp: null };
}

const ETHEREUM = MANIFEST.filter(({ chainId }) => chainId === 1);
const ALL = ETHEREUM.flatMap(({ number }) => recorded(number).block.transactions);
const TYPES = ["0x0", "0x1", "0x2", "0x3", "0x4"];
const profile = profileOf(1);

describe("recorded transactions of Ethereum, as they looked in the mempool", () => {
  test("each is proven, whatever its type", () => {
    for (const transaction of ALL) {
      const { from: sender } = transaction;
      expect(provePending(asPending(transaction), profile)).toEqual({ sender });
    }
    expect(new Set(ALL.map(({ type }) => type))).toEqual(new Set(TYPES));
  });

  test("each movement that can be known before is the one the block tells, under the same key", () => {
    let compared = 0;
    for (const { number } of ETHEREUM) {
      const answers = recorded(number);
      const told = new Map(
        decode(answers, answers.block).map((transfer) => [`${transfer.txHash} ${transfer.key}`, transfer]),
      );
      for (const [index, transaction] of answers.block.transactions.entries()) {
        // A transaction that failed moved nothing.
        if (answers.receipts[index]?.["status"] === "0x0") continue;
        for (const transfer of decodePending(asPending(transaction), contextOf()).transfers) {
          if (transfer.key === "calldata") continue;
          expect(told.get(`${transfer.txHash} ${transfer.key}`)).toEqual({ ...transfer, txIndex: index });
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  test("what most calls ask an ERC-20 token for is what its log tells in the end", () => {
    let [asked, came] = [0, 0];
    for (const { number } of ETHEREUM) {
      const answers = recorded(number);
      const logged = decode(answers, answers.block).filter(({ key }) => key.startsWith("log:"));
      const words = new Set(
        logged.map(({ txHash, category, from, to, assetId, amount }) =>
          [txHash, category, from, to, assetId, amount].join(" "),
        ),
      );
      for (const [index, transaction] of answers.block.transactions.entries()) {
        if (answers.receipts[index]?.["status"] !== "0x1") continue;
        for (const one of decodePending(asPending(transaction), contextOf()).transfers) {
          if (one.key !== "calldata") continue;
          asked += 1;
          const { txHash, category, from, to, assetId, amount } = one;
          if (words.has([txHash, category, from, to, assetId, amount].join(" "))) came += 1;
        }
      }
    }
    expect(asked).toBeGreaterThan(50);
    // The rest are NFTs by the same selector, tokens that keep a fee, and tokens that lie.
    expect(came / asked).toBeGreaterThan(0.9);
  });
});

describe("a lie", () => {
  const one = (type: string) => asPending(ALL.find((each) => each["type"] === type) as JsonObject);
  const other = `0x${"ab".repeat(20)}`;
  const LIES: readonly [what: string, change: (fields: JsonObject) => JsonObject][] = [
    ["the sender", () => ({ from: other })],
    ["the recipient", () => ({ to: other })],
    ["the amount", ({ value }) => ({ value: `0x${(BigInt(value as string) + 1n).toString(16)}` })],
    ["the call", () => ({ input: "0xa9059cbb" })],
    ["the nonce", ({ nonce }) => ({ nonce: `0x${(Number(nonce) + 1).toString(16)}` })],
    ["the hash", () => ({ hash: `0x${"cd".repeat(32)}` })],
    ["the signature", ({ s }) => ({ s: `0x${(BigInt(s as string) ^ 1n).toString(16)}` })],
    ["a call beside the call", () => ({ data: "0xa9059cbb" })],
    ["a sender in capitals", ({ from }) => ({ from: `0x${(from as string).slice(2).toUpperCase()}` })],
  ];
  test.each(TYPES.flatMap((type) => LIES.map(([what, change]) => [type, what, change] as const)))(
    "type %s: %s is not believed",
    (type, _what, change) => {
      const transaction = one(type);
      expect(provePending({ ...transaction, ...change(transaction) }, profile)).toEqual({ reason: expect.any(String) });
    },
  );

  test("a delegation that a transaction of another type cannot carry", () => {
    const authorizationList = one("0x4")["authorizationList"] ?? null;
    expect(provePending({ ...one("0x2"), authorizationList }, profile)).toEqual({ reason: expect.any(String) });
  });

  test.each([0, 1, 2])("what somebody signed for another chain is not his here: type %s", async (type) => {
    const wallet = Wallet.createRandom();
    const fees = type === 2 ? { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n } : { gasPrice: 2n };
    const json = async (chainId: number) => {
      const raw = await wallet.signTransaction({
        type,
        chainId,
        nonce: 7,
        to: other,
        value: 5n,
        gasLimit: 21_000,
        ...fees,
      });
      const { hash, signature } = Transaction.from(raw);
      const hex = (value: bigint | number) => `0x${value.toString(16)}`;
      return {
        hash,
        type: hex(type),
        from: wallet.address.toLowerCase(),
        to: other,
        nonce: "0x7",
        value: "0x5",
        gas: hex(21_000),
        input: "0x",
        chainId: hex(chainId),
        ...(type === 2 ? { maxFeePerGas: "0x2", maxPriorityFeePerGas: "0x1" } : { gasPrice: "0x2" }),
        ...(type === 0 ? {} : { accessList: [] }),
        v: hex(type === 0 ? (signature?.networkV ?? 0n) : (signature?.yParity ?? 0)),
        r: hex(BigInt(signature?.r ?? 0)),
        s: hex(BigInt(signature?.s ?? 0)),
      };
    };
    expect(provePending(await json(1), profile)).toEqual({ sender: wallet.address.toLowerCase() });
    expect(provePending(await json(137), profile)).toEqual({ reason: expect.any(String) });
  });

  test("whatever the node sends, it is a reason and no exception", () => {
    for (const answer of [null, [], "0x", 7, {}, { type: "0x2" }, { type: "0x7e", from: other, hash: "0x" }])
      expect(provePending(answer, profile)).toEqual({ reason: expect.any(String) });
  });
});
