/**
 * Goal: whoever is watched, and however the node writes its answers, a scanned block gives exactly the hits that the
 * reference path gives; and well-formed blocks are really scanned.
 * Method: every block we have, in every writing, with lists drawn from the parties of the block; then each party alone.
 * `PROOF_SEED` replays.
 *
 * Planted in a copy of the core, built, and found by this folder's tests:
 * - here: probing without wrap-around, or the first slot only; questions dropped when many wait; not asking about the third
 *   data word, the last topic, the token contract, the recipient, withdrawals or the fee recipient; one event unknown;
 *   creations or authorizations not marked; keys of the trie wrong at 128 or from 256 on; a small leaf hashed; a bloom
 *   cache that compares a part; a predicted key taken unseen; transactions kept where withdrawals lie;
 * - by fields.test.ts: not compared: the bloom of the block, gasUsed of block or receipt, blockTimestamp, logIndex,
 *   transactionHash and `removed` of logs, `from` and contractAddress of receipts, transaction hashes, fixed fields, the
 *   roots of transactions and withdrawals; accepted: a key twice, escapes, a transaction twice, a failed one that logs, an
 *   authorization's parity of any length;
 * - by mutants.test.ts: not compared: the bloom of a receipt, the hash asked for, the parent hash, `data` beside `input`;
 *   accepted: fields of other types, holes in the header, fewer receipts, status and root at once, trailing bytes, ids
 *   that are no digits, nesting without a bound, entries read where the room was full.
 * Not found, because another check stands behind each: the last whole word of a log's data (never a party), `result` twice,
 * an error beside a result, the trie going on where the room was full.
 */
import { afterAll, describe, expect, test } from "@jest/globals";
import { wasmCore } from "../../../../src/chains/evm/scan/scanner-core.ts";
import { typescriptCore } from "../../../../src/chains/evm/scan/typescript-core.ts";
import { createBlockScanner, type ScannedBlock } from "../../../../src/chains/evm/scan/block-scanner.ts";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import type { Watchlist } from "../../../../src/types/watch.ts";
import { createRandom } from "../proof/mutants.ts";
import { polygonBefore, type WholeBlock } from "./built-blocks.ts";
import { createSwitchableTable, hitsOf, hitsText, partiesApart, partiesOf, strangers, watchlistOf } from "./watched.ts";
import { createWays, startToldNode, tableBytes, type Way } from "./ways.ts";
import {
  allBlocks,
  createReferenceReader,
  isScannable,
  type Reading,
  type Written,
  writtenBy,
} from "./whole-blocks.ts";
import { compact, shuffled, WRITINGS } from "./written.ts";

// Seconds where the machine is idle, minutes where it is not.
const TIMEOUT_MS = 300_000;
const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);
const BLOCKS = allBlocks();

const node = await startToldNode();
const byReference = createReferenceReader();
const compared = { reads: 0, hits: 0 };
afterAll(async () => {
  await node.close();
  console.log(`${compared.reads} readings compared, with ${compared.hits} hits; seed ${SEED}`);
});

const chainOf = ({ chainId }: WholeBlock) => `eip155:${chainId}`;
const pieces = (one: WholeBlock, random = createRandom(SEED)) => ({ writing: compact, random, one });

interface Comparison {
  readonly one: WholeBlock;
  readonly answers: Written;
  /** By the reference path. */
  readonly reading: Reading;
  readonly watchlist: Watchlist;
  readonly senders: "all" | "hits";
}

/** Reads by `way`, and expects the hits that the reference path's transfers give. */
async function expectSameHits(way: Way, { one, answers, reading, watchlist, senders }: Comparison): Promise<void> {
  const { addresses: watched } = watchlist;
  const before = tableBytes(watched);
  const outcome = await way.read(answers, { watched, senders });
  const of = { header: answers.header, chain: chainOf(one), watchlist };
  const expected = hitsOf(reading.transfers, of);
  if (outcome.kind !== "read") throw new Error(`${way.name} does not read ${one.name}: ${JSON.stringify(outcome)}`);
  const found = hitsOf(outcome.transfers, of);
  if (hitsText(found) !== hitsText(expected)) expect(found).toEqual(expected);
  if (way.scanned() !== isScannable(one))
    throw new Error(`${one.name} is ${way.scanned() ? "" : "not "}scanned by ${way.name}`);
  expect(outcome.proven).toBe(reading.proven);
  if (!tableBytes(watched).equals(before)) throw new Error(`${one.name} changed who is watched`);
  compared.reads += 1;
  compared.hits += expected.length;
}

test("blocks of every size that matters to a trie are here", () => {
  const counts = BLOCKS.filter(isScannable).map(({ block }) => block.transactions.length);
  for (const count of [0, 1, 127, 128, 129, 255, 256, 257]) expect(counts).toContain(count);
  expect(Math.max(...counts)).toBeGreaterThan(300);
});

describe.each(Object.entries(WRITINGS))("blocks written %s", (name, writing) => {
  test(
    "give the same hits three ways, for lists drawn from them",
    async () => {
      const random = createRandom(SEED + name.length);
      for (const one of [...BLOCKS, polygonBefore()]) {
        const ways = createWays(one.chainId);
        const answers = await writtenBy(node, one, { writing, random });
        const reading = await byReference(one, answers, ways);
        const parties = partiesOf(reading.transfers);
        for (let list = 0; list < (name === "compact" ? 2 : 1); list += 1) {
          const some = shuffled(parties, random).slice(0, 1 + random.below(Math.max(1, parties.length / 4)));
          const addresses = [...some, ...strangers(5, random)];
          // Every sender is recovered where the bytes are those that most nodes send; it takes most of the time.
          const senders = name === "compact" && list === 0 ? "all" : "hits";
          for (const way of [ways.wasm, ways.typescript]) {
            const watchlist = watchlistOf(chainOf(one), addresses);
            await expectSameHits(way, { one, answers, reading, watchlist, senders });
          }
        }
      }
    },
    TIMEOUT_MS,
  );
});

test("nobody watched on this chain is no hit, and the block is proven all the same", async () => {
  for (const one of BLOCKS.filter(({ block }) => block.transactions.length < 50)) {
    const ways = createWays(one.chainId);
    const answers = await writtenBy(node, one, pieces(one));
    const reading = await byReference(one, answers, ways);
    const watchlist = watchlistOf("eip155:5", partiesOf(reading.transfers));
    for (const way of [ways.wasm, ways.typescript])
      await expectSameHits(way, { one, answers, reading, watchlist, senders: "all" });
  }
});

// The TypeScript core is the same source: there the largest blocks only cost time.
describe.each([
  ["wasm", Number.POSITIVE_INFINITY],
  ["typescript", 300_000],
] as const)("each party, by %s, of blocks up to %d characters", (name, charactersMax) => {
  const blocks = BLOCKS.filter((one) => isScannable(one) && JSON.stringify(one).length <= charactersMax);

  test(
    "is hit as on the reference path when no other party of its transactions is watched",
    async () => {
      let parties = 0;
      for (const one of blocks) {
        const ways = createWays(one.chainId);
        const answers = await writtenBy(node, one, pieces(one));
        const reading = await byReference(one, answers, ways);
        for (const group of partiesApart(reading.transfers)) {
          const watchlist = watchlistOf(chainOf(one), group);
          await expectSameHits(ways[name], { one, answers, reading, watchlist, senders: "hits" });
          parties += group.length;
        }
      }
      expect(parties).toBeGreaterThan(1_000);
    },
    TIMEOUT_MS,
  );

  test(
    "is hit watched alone, wherever in the table it stands",
    async () => {
      const random = createRandom(SEED);
      for (const one of blocks.filter(({ block }) => block.transactions.length < 25)) {
        const chain = chainOf(one);
        const ways = createWays(one.chainId);
        const answers = await writtenBy(node, one, pieces(one));
        const reading = await byReference(one, answers, ways);
        const switchable = createSwitchableTable(chain);
        for (const party of partiesOf(reading.transfers)) {
          // Behind up to six others: searches pass them, and go on from the last slot to the first.
          switchable.watch(party, random.below(7));
          const watchlist = watchlistOf(chain, [party], switchable.table);
          await expectSameHits(ways[name], { one, answers, reading, watchlist, senders: "hits" });
        }
      }
    },
    TIMEOUT_MS,
  );
});

describe("what was scanned before changes nothing", () => {
  const says = (scanned: ScannedBlock | null) => {
    if (scanned === null) return null;
    const { transactionCount, recipientTouched, withdrawals, marked } = scanned;
    return { transactionCount, recipientTouched, withdrawals, marked };
  };

  test.each([
    ["wasm", wasmCore],
    ["typescript", typescriptCore],
  ] as const)(
    "by %s: a used scanner says what a fresh one says, in any order, of any chain, after any nonsense",
    async (_, makeCore) => {
      const random = createRandom(SEED);
      const small = BLOCKS.filter((one) => isScannable(one) && one.block.transactions.length < 60);
      const parties: [string, string][] = [];
      const told = [];
      for (const [at, one] of small.entries()) {
        const writing = Object.values(WRITINGS)[at % Object.keys(WRITINGS).length] ?? compact;
        const answers = await writtenBy(node, one, { writing, random });
        const some = partiesOf((await byReference(one, answers, createWays(one.chainId))).transfers).filter(
          () => random.below(4) === 0,
        );
        parties.push(...some.map((party): [string, string] => [chainOf(one), party]));
        told.push({ one, answers });
      }
      const tableOf = (chain: string) =>
        watchlistOf(
          chain,
          parties.filter(([of]) => of === chain).map(([, party]) => party),
        ).addresses;
      const scannerOn = (one: WholeBlock, watched = tableOf(chainOf(one))) =>
        createBlockScanner({ chain: chainOf(one), profile: profileOf(one.chainId), watched, makeCore });
      const expected = told.map(({ one, answers }) => says(scannerOn(one).scan(answers)));
      // A table of one chain: on the others the scanner proves, and marks nothing but what it always marks.
      const shared = tableOf("eip155:1");
      // Each scanner has it as another list's table on the same memory: lists that differ in few entries share theirs.
      const onShared = new Map(told.map(({ one }) => [one.chainId, scannerOn(one, { ...shared })]));
      for (let round = 0; round < 5; round += 1) {
        for (const at of shuffled([...told.keys()], random)) {
          const { one, answers } = told[at] as (typeof told)[number];
          const scanner = onShared.get(one.chainId);
          const other = random.pick(told).answers;
          scanner?.scan({ ...answers, receipts: other.receipts });
          scanner?.scan({
            ...answers,
            block: { ...answers.block, chunks: [answers.block.chunks[0]?.subarray(3) ?? new Uint8Array(0)] },
          });
          const now = says(scanner?.scan(answers) ?? null);
          if (one.chainId === 1) expect(now).toEqual(expected[at]);
          else expect(now).toMatchObject({ transactionCount: expected[at]?.transactionCount, recipientTouched: false });
        }
      }
    },
  );

  test("many nodes of many chains share the room of one table", () => {
    const watched = watchlistOf("eip155:1", strangers(10, createRandom(SEED))).addresses;
    for (let nodes = 0; nodes < 20; nodes += 1)
      for (const chainId of [1, 10, 56, 137, 8453, 42161])
        createBlockScanner({ chain: `eip155:${chainId}`, profile: profileOf(chainId), watched });
  });
});

test("enough was compared to mean something", () => {
  expect(compared.reads).toBeGreaterThan(3_000);
  expect(compared.hits).toBeGreaterThan(50_000);
});
