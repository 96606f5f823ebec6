import { loadRecordedBlocks } from "../../../bench/replay/fixtures.ts";
import { generateBlocks } from "../../../bench/replay/generate.ts";
import { createRandom, createZipf } from "../../../bench/replay/random.ts";
import { findFaults, findWrongSenders } from "../../../bench/replay/verify.ts";
import { profileOf } from "../../../src/chains/evm/proof/profiles.ts";
import { proveBlock } from "../../../src/chains/evm/proof/prove-block.ts";

const recorded = [...loadRecordedBlocks("ethereum"), ...loadRecordedBlocks("polygon")];

test("every recorded block verifies, its senders included", () => {
  expect(recorded).toHaveLength(20);
  for (const { block, receipts } of recorded)
    expect([block.number, findFaults(block, receipts)]).toEqual([block.number, []]);
  // The one block of every transaction type; recovering them all takes half a second.
  const prague = recorded.find(({ block }) => Number(block.number) === 22_869_878);
  expect(prague === undefined ? null : findWrongSenders(prague.block)).toEqual([]);
});

const generated = [...generateBlocks({ blocks: 3, seed: 7 })];
/** A copy to do anything with. */
const small = () => structuredClone(generated);

test("every generated block verifies, its senders included, and follows its parent", () => {
  const blocks = small();
  for (const { block, receipts } of blocks) {
    expect(findFaults(block, receipts)).toEqual([]);
    expect(findWrongSenders(block)).toEqual([]);
  }
  for (let index = 1; index < blocks.length; index += 1)
    expect(blocks[index]?.block.parentHash).toBe(blocks[index - 1]?.block.hash);
});

test("the production proof holds for every generated block", () => {
  for (const { block, receipts } of small()) {
    const { hash, parentHash } = block;
    const header = { number: Number(block.number), hash, parentHash, timestamp: Number(block.timestamp) };
    const proof = proveBlock({ header, block, receipts }, { profile: profileOf(1), senders: "all" });
    expect(proof.proven ? "proven" : proof.reason).toBe("proven");
  }
});

test("one seed gives one chain, another seed another", () => {
  const hashes = small().map(({ block }) => block.hash);
  expect([...generateBlocks({ blocks: 3, seed: 7 })].map(({ block }) => block.hash)).toEqual(hashes);
  expect([...generateBlocks({ blocks: 1, seed: 8 })][0]?.block.hash).not.toBe(hashes[0]);
});

test("a generated block's receipts and logs are numbered as a node numbers them", () => {
  for (const { block, receipts } of small()) {
    const logs = receipts.flatMap((receipt) => receipt.logs);
    expect(logs.map((log) => Number(log.logIndex))).toEqual(logs.map((_, index) => index));
    expect(receipts.map((receipt) => receipt.transactionHash)).toEqual(block.transactions.map(({ hash }) => hash));
    expect(new Set(block.transactions.map(({ hash }) => hash)).size).toBe(block.transactions.length);
    for (const log of logs) expect(log.blockHash).toBe(block.hash);
  }
});

const TAMPERINGS: readonly [what: string, tamper: (of: ReturnType<typeof small>[number]) => void, fault: string][] = [
  ["a dropped receipt", ({ receipts }) => receipts.pop(), "receiptsRoot"],
  ["a dropped log", ({ receipts }) => receipts.find(({ logs }) => logs.length > 0)?.logs.pop(), "receiptsRoot"],
  ["a dropped transaction", ({ block }) => block.transactions.pop(), "transactionsRoot"],
  ["another header field", ({ block }) => (block.gasUsed = "0x1"), "hash"],
  ["a dropped withdrawal", ({ block }) => block.withdrawals?.pop(), "withdrawalsRoot"],
];

test.each(TAMPERINGS)("%s is a fault", (_what, tamper, fault) => {
  const built = small()[1];
  if (built === undefined) throw new Error("no block");
  tamper(built);
  expect(findFaults(built.block, built.receipts)).toContain(fault);
});

test("a changed sender is seen only by recovering it", () => {
  const built = small()[1];
  const [transaction] = built?.block.transactions ?? [];
  if (built === undefined || transaction === undefined) throw new Error("no transaction");
  transaction.from = `0x${"ab".repeat(20)}`;
  expect(findFaults(built.block, built.receipts)).toEqual([]);
  expect(findWrongSenders(built.block)).toEqual([0]);
});

test("low ranks come up most, and no rank is outside of the population", () => {
  const random = createRandom(3);
  const draw = createZipf(1_000, 0.95);
  const ranks = Array.from({ length: 20_000 }, () => draw(random));
  const times = (rank: number) => ranks.filter((one) => one === rank).length;
  expect(Math.min(...ranks)).toBe(0);
  expect(Math.max(...ranks)).toBeLessThan(1_000);
  expect(times(0)).toBeGreaterThan(5 * times(20));
});
