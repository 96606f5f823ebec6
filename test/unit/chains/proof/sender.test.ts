/** Who signed: what recovery takes, and what it refuses. */
import { expect, test } from "@jest/globals";
import { getCreateAddress, type TransactionLike, Transaction, Wallet } from "ethers";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { proveBlock, proveSender } from "../../../../src/chains/evm/proof/prove-block.ts";
import { authoritiesOf, createdAddress } from "../../../../src/chains/evm/proof/sender.ts";
import { typedTransaction } from "../../../../src/chains/evm/proof/transactions.ts";
import { otherHex, createRandom } from "./mutants.ts";
import { entryOf, followed, type Json, loadBlock, loadReceipts } from "./support.ts";

const wallet = new Wallet(`0x${"17".repeat(32)}`);
const from = wallet.address.toLowerCase();
const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** A legacy transaction as a node answers it, signed by `wallet` for `chainId` (0: before EIP-155). */
function legacy(chainId: number): Json {
  const like: TransactionLike = {
    type: 0,
    to: `0x${"aa".repeat(20)}`,
    value: 5,
    gasLimit: 21_000,
    gasPrice: 1,
    nonce: 0,
    chainId,
  };
  const transaction = Transaction.from(like);
  transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
  const { signature } = transaction;
  if (signature === null) throw new Error("it was signed");
  const v = hex(BigInt(signature.yParity) + (chainId === 0 ? 27n : BigInt(chainId) * 2n + 35n));
  const content = { gas: "0x5208", gasPrice: "0x1", nonce: "0x0", input: "0x", value: "0x5", to: like.to, type: "0x0" };
  return { ...content, from, v, r: hex(BigInt(signature.r)), s: hex(BigInt(signature.s)) };
}

test.each([0, 1])("a legacy transaction for chain %d (0: any) has its sender", (chainId) => {
  expect(proveSender(legacy(chainId), profileOf(1))).toEqual({ sender: from });
});

test("a transaction that was signed for another chain has no sender here", () => {
  expect(proveSender(legacy(5), profileOf(1))).toEqual({ reason: "v is 46, which no transaction of chain 1 has" });
});

test.each([
  ["r is zero", { r: "0x0" }],
  ["s is zero", { s: "0x0" }],
  ["r is the order", { r: "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141" }],
  ["s is above the order", { s: `0x${"f".repeat(64)}` }],
  ["r is too long", { r: `0x${"1".repeat(65)}` }],
  ["v is missing", { v: undefined }],
  ["v is nonsense", { v: "0x2" }],
  ["another value was signed", { value: "0x6" }],
])("no sender where %s", (_, change) => {
  expect(proveSender({ ...legacy(1), ...change }, profileOf(1))).toHaveProperty("reason");
});

test("created addresses agree with ethers for nonces of every length", () => {
  for (const nonce of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 40])
    expect(createdAddress(from, nonce)).toBe(getCreateAddress({ from, nonce }).toLowerCase());
});

test("an authorization without a valid signature has no authority, and fails nothing", async () => {
  const { signature, address, nonce, chainId } = await wallet.authorize({
    address: `0x${"aa".repeat(20)}`,
    nonce: 3n,
    chainId: 1n,
  });
  const good = { address: address.toLowerCase(), nonce: hex(nonce), chainId: hex(chainId) };
  const signed = { ...good, yParity: hex(signature.yParity), r: hex(BigInt(signature.r)), s: hex(BigInt(signature.s)) };
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const malleated = { ...signed, yParity: hex(1 - signature.yParity), s: hex(order - BigInt(signature.s)) };
  const authorizationList = [
    signed,
    malleated,
    { ...signed, yParity: "0x2" },
    { ...signed, r: "0x0" },
    { ...signed, nonce: "0x4" },
  ];
  const found = authoritiesOf(typedTransaction({ type: "0x4", authorizationList }, profileOf(1)));
  expect(found.slice(0, 4)).toEqual([from, null, null, null]);
  expect(found[4]).not.toBe(from); // Another content: some other key, or none.
});

test("no changed authorization is ever proven", () => {
  const entry = entryOf(22_869_878);
  const receipts = loadReceipts(entry);
  const random = createRandom(7);
  const block = loadBlock(entry);
  const place = block.transactions.findIndex(({ type }) => type === "0x4");
  for (const key of ["chainId", "address", "nonce", "yParity", "r", "s"]) {
    for (const change of [(text: string) => otherHex(text, random), () => undefined, () => null, () => 1]) {
      const altered = structuredClone(block);
      const [authorization] = (altered.transactions[place]?.["authorizationList"] ?? []) as Json[];
      if (authorization === undefined) throw new Error("the block has an authorization");
      authorization[key] = change(authorization[key] as string);
      const proof = proveBlock(
        { header: followed(block), block: altered, receipts },
        { profile: profileOf(1), senders: "creations" },
      );
      expect(proof).toMatchObject({ proven: false, check: "transactions" });
    }
  }
});
