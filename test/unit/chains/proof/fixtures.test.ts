/** Every recorded block: what its source committed to is proven, and nothing less. */
import { expect, test } from "@jest/globals";
import { bloomHex, mergeBloom } from "../../../../src/chains/evm/proof/bloom.ts";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { proveBlock, proveHeader, proveTransactions } from "../../../../src/chains/evm/proof/prove-block.ts";
import { checkLogs, receiptsRoot, startTotals } from "../../../../src/chains/evm/proof/receipts.ts";
import { typedTransaction } from "../../../../src/chains/evm/proof/transactions.ts";
import { checkWithdrawals } from "../../../../src/chains/evm/proof/withdrawals.ts";
import { ENTRIES, type Entry, entryOf, followed, loadBlock, loadReceipts } from "./support.ts";

const named = (entries: readonly Entry[]) =>
  entries.map((entry): [string, Entry] => [`${entry.chain} ${entry.number}`, entry]);

const WHOLE = ENTRIES.filter(({ files }) => files["block"] !== undefined && files["receipts"] !== undefined);

test("all 27 entries are here, 20 of them whole blocks", () => {
  expect(ENTRIES).toHaveLength(27);
  expect(WHOLE).toHaveLength(20);
  expect(WHOLE.every(({ verified }) => verified?.["hash"] === true && verified["receiptsRoot"] === true)).toBe(true);
});

test.each(named(WHOLE))("%s is proven, and every sender is the node's `from`", (_, entry) => {
  const block = loadBlock(entry);
  const receipts = loadReceipts(entry);
  const profile = profileOf(entry.chainId);
  const proof = proveBlock({ header: followed(block), block, receipts }, { profile, senders: "all" });
  expect(proof).toMatchObject({ proven: true, senders: block.transactions.map(({ from }) => from) });
});

test.each(named([17034871, 17034873].map(entryOf)))(
  "%s, of which we have no receipts, is proven but for them",
  (_, entry) => {
    const block = loadBlock(entry);
    const profile = profileOf(entry.chainId);
    const place = proveHeader(block, followed(block));
    expect(proveTransactions(block.transactions, { block, place, profile, raw: new Map() })).toHaveLength(
      block.transactions.length,
    );
    expect(() => checkWithdrawals(block, profile)).not.toThrow();
  },
);

test.each([
  [10_000_000, "header"],
  [21_925_176, "blockHashes"],
] as const)(
  "ethereum %d, of which we have no transactions: header, receipts root, bloom and withdrawals",
  (number, file) => {
    const entry = entryOf(number);
    const block = loadBlock(entry, file);
    const profile = profileOf(1);
    const place = proveHeader(block, followed(block));
    const receipts = loadReceipts(entry);
    // A receipt repeats what its root needs of the transaction: the type.
    const transactions = receipts.map((receipt) =>
      typedTransaction({ type: receipt["type"], hash: receipt["transactionHash"] }, profile),
    );
    const totals = startTotals();
    receipts.forEach((receipt, index) => {
      const at = { ...place, transactionIndex: index, transactionHash: receipt["transactionHash"] };
      const bloom = checkLogs(receipt, at, totals);
      mergeBloom(totals.bloom, bloom);
      totals.blooms.push(bloom);
    });
    expect(receiptsRoot(receipts, transactions, totals.blooms)).toBe(block["receiptsRoot"]);
    expect(bloomHex(totals.bloom)).toBe(block["logsBloom"]);
    if (file === "blockHashes") expect(() => checkWithdrawals(block, profile)).not.toThrow();
  },
);
