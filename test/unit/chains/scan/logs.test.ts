/**
 * Goal: what is read out of header and receipts alone is what the logs of the true block tell, or there is no answer: a
 * node can change the hashes of transactions (which no root covers here, and which `readLogs` promises nothing of) and
 * nothing else.
 * Method: every block we have, in every writing, against the reference path's reading of the whole block; then seeded
 * changes, of what is said and of the bytes it is said in, against the reading of the true block. `PROOF_MUTANTS=10000`
 * makes that many of each kind; `PROOF_SEED` replays.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { wasmCore } from "../../../../src/chains/evm/scan/scanner-core.ts";
import { typescriptCore } from "../../../../src/chains/evm/scan/typescript-core.ts";
import type { BlockReader, NodeAnswers } from "../../../../src/chains/evm/block-reader.ts";
import type { Transfer } from "../../../../src/types/chain.ts";
import type { Watchlist } from "../../../../src/types/watch.ts";
import { type Answers, createRandom, KINDS, type Random } from "../proof/mutants.ts";
import type { BlockJson, Json, ReceiptJson } from "../proof/support.ts";
import { polygonBefore, type WholeBlock } from "./built-blocks.ts";
import { type MutateText, resultText, type ResultText, TEXT_KINDS } from "./byte-mutants.ts";
import { hitsOf, hitsText, partiesApart, partiesOf, strangers, watchlistOf } from "./watched.ts";
import { around, createBase } from "./outcomes.ts";
import { createReader, createWays, envelope, startToldNode, tableBytes } from "./ways.ts";
import {
  allBlocks,
  createReferenceReader,
  isScannable,
  type Reading,
  type Written,
  writtenBy,
} from "./whole-blocks.ts";
import { compact, shuffled, WRITINGS } from "./written.ts";

const COUNT = Number(process.env["PROOF_MUTANTS"] ?? 300);
const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);
const TIMEOUT_MS = 300_000 + COUNT * 100;
const CORES = [wasmCore, typescriptCore];

const node = await startToldNode();
const told = { reads: 0, hits: 0, mutants: 0, answered: 0 };
afterAll(async () => {
  await node.close();
  console.log(`${JSON.stringify(told)}, seed ${SEED}`);
});

const chainOf = ({ chainId }: WholeBlock) => `eip155:${chainId}`;
const readersOf = ({ chainId }: WholeBlock) => CORES.map((core) => createReader(chainId, core));
const logsOf = ({ transfers }: Reading) => transfers.filter(({ key }) => key.startsWith("log:"));
/** As a node answers where full transactions are not asked for. */
const light = (block: BlockJson) => ({ ...block, transactions: hashesIn(block.transactions) });
const lightBlock = (one: WholeBlock): WholeBlock => ({ ...one, block: light(one.block) as unknown as BlockJson });

/** Changes may have made anything of the list. */
function hashesIn(list: unknown): unknown[] {
  if (!Array.isArray(list)) return list as unknown[];
  return list.map((one: unknown) => (typeof one === "object" && one !== null ? (one as Json)["hash"] : one));
}

function hitsIn(transfers: readonly Transfer[], { header }: Written, of: { one: WholeBlock; watchlist: Watchlist }) {
  return hitsOf(transfers, { header, chain: chainOf(of.one), watchlist: of.watchlist });
}

describe("of a good node", () => {
  const byReference = createReferenceReader();

  async function truthOf(one: WholeBlock): Promise<Reading> {
    const answers = await writtenBy(node, one, { writing: compact, random: createRandom(SEED) });
    return byReference(one, answers, createWays(one.chainId));
  }

  function expectLogHits(
    reader: BlockReader,
    { one, answers, truth, addresses }: { one: WholeBlock; answers: Written; truth: Reading; addresses: string[] },
  ): void {
    const watchlist = watchlistOf(chainOf(one), addresses);
    const before = tableBytes(watchlist.addresses);
    const transfers = reader.readLogs(answers, watchlist.addresses);
    if (transfers === null) throw new Error(`${one.name} is not read`);
    const expected = hitsIn(logsOf(truth), answers, { one, watchlist });
    const found = hitsIn(transfers, answers, { one, watchlist });
    if (hitsText(found) !== hitsText(expected)) expect(found).toEqual(expected);
    if (!tableBytes(watchlist.addresses).equals(before)) throw new Error(`${one.name} changed who is watched`);
    told.reads += 1;
    told.hits += expected.length;
  }

  test.each(Object.entries(WRITINGS))(
    "blocks written %s give the hits of their logs, hashes included",
    async (_name, writing) => {
      const random = createRandom(SEED);
      for (const one of allBlocks().filter(isScannable)) {
        const answers = await writtenBy(node, lightBlock(one), { writing, random });
        const truth = await truthOf(one);
        const parties = partiesOf(truth.transfers);
        const some = shuffled(parties, random).slice(0, 1 + random.below(Math.max(1, parties.length / 4)));
        for (const reader of readersOf(one))
          expectLogHits(reader, { one, answers, truth, addresses: [...some, ...strangers(5, random)] });
      }
    },
    TIMEOUT_MS,
  );

  test(
    "each party of a log is hit when no other party of its transaction is watched",
    async () => {
      for (const one of allBlocks().filter(isScannable)) {
        const answers = await writtenBy(node, lightBlock(one), { writing: compact, random: createRandom(SEED) });
        const truth = await truthOf(one);
        const [byWasm] = readersOf(one);
        if (byWasm === undefined) continue;
        for (const addresses of partiesApart(logsOf(truth))) expectLogHits(byWasm, { one, answers, truth, addresses });
      }
    },
    TIMEOUT_MS,
  );

  test("nobody watched on this chain is nothing found, in a block that is read all the same", async () => {
    for (const one of allBlocks().filter(isScannable)) {
      const answers = await writtenBy(node, lightBlock(one), { writing: compact, random: createRandom(SEED) });
      const watchlist = watchlistOf("eip155:5", strangers(5, createRandom(SEED)));
      for (const reader of readersOf(one)) expect(reader.readLogs(answers, watchlist.addresses)).toEqual([]);
    }
  });

  test("blocks that may hold what no root covers are not read", async () => {
    const one = polygonBefore();
    const answers = await writtenBy(node, lightBlock(one), { writing: compact, random: createRandom(SEED) });
    const watchlist = watchlistOf(chainOf(one), partiesOf((await truthOf(one)).transfers));
    for (const reader of readersOf(one)) expect(reader.readLogs(answers, watchlist.addresses)).toBeNull();
  });

  test("the two kinds of blocks are not taken for each other", async () => {
    for (const one of allBlocks().filter(({ block }) => block.transactions.length > 0)) {
      const watchlist = watchlistOf(chainOf(one), strangers(5, createRandom(SEED)));
      const pieces = { writing: compact, random: createRandom(SEED) };
      const full = await writtenBy(node, one, pieces);
      const hashes = await writtenBy(node, lightBlock(one), pieces);
      const reference = createReader(one.chainId, null);
      for (const reader of readersOf(one)) {
        expect(reader.readLogs(full, watchlist.addresses)).toBeNull();
        const wanted = { watched: watchlist.addresses, senders: "hits" } as const;
        const outcome = (by: BlockReader) => by.read(hashes, wanted, new AbortController().signal);
        await expect(outcome(reference)).rejects.toThrow();
        await expect(outcome(reader)).rejects.toThrow();
      }
    }
  });

  test("enough was compared to mean something", () => {
    expect(told.reads).toBeGreaterThan(1_000);
    expect(told.hits).toBeGreaterThan(10_000);
  });
});

/** Small blocks, one of each kind of chain, read over and over. */
const NAMES = [
  "ethereum 1000000",
  "ethereum 15537393",
  "a little of everything",
  "OP stack, chain 8453",
  "Arbitrum",
  "2 transactions",
];

interface Victim {
  readonly one: WholeBlock;
  readonly truth: Reading;
  readonly watchlist: Watchlist;
  readonly readers: readonly BlockReader[];
  readonly texts: { readonly block: ResultText; readonly receipts: ResultText };
  readonly answers: Written;
}

async function createVictim(one: WholeBlock): Promise<Victim> {
  const base = await createBase(node, one, SEED);
  const truth = await base.reference.read(base.answers, { senders: "all" });
  if (truth.kind !== "read") throw new Error(`${one.name} is read by the reference path`);
  const random = createRandom(SEED);
  const parties = partiesOf(truth.transfers).filter(() => random.below(2) === 0);
  return {
    one,
    truth,
    watchlist: watchlistOf(chainOf(one), [...parties, ...strangers(5, random)]),
    readers: readersOf(one),
    texts: { block: resultText(light(one.block)), receipts: resultText(one.receipts) },
    answers: await writtenBy(node, lightBlock(one), { writing: compact, random }),
  };
}

/** The hash of a transaction is the node's word: everything else of a transfer is compared. */
const unnamed = (transfers: readonly Transfer[]) =>
  transfers.map((one) => ({ ...one, txHash: `place ${one.txIndex}` }));

/** No answer, or the truth. Returns how many of the readers had one. */
function expectTruthOrNone(victim: Victim, changed: Partial<Written>, what: string): number {
  const answers: NodeAnswers = { ...victim.answers, ...changed };
  const text = (transfers: readonly Transfer[]) => hitsText(hitsIn(unnamed(transfers), victim.answers, victim));
  const found = victim.readers.map((reader) => reader.readLogs(answers, victim.watchlist.addresses));
  for (const transfers of found)
    if (transfers !== null && text(transfers) !== text(logsOf(victim.truth)))
      expect({ what, transfers }).toEqual({ what, transfers: logsOf(victim.truth) });
  const answered = found.filter((transfers) => transfers !== null).length;
  // One source, two builds: they agree on what is odd.
  if (answered % victim.readers.length !== 0) throw new Error(`${what}: only ${answered} of the builds have an answer`);
  told.mutants += 1;
  if (answered > 0) told.answered += 1;
  return answered;
}

describe(`of a bad node, ${COUNT} of each kind, seed ${SEED}`, () => {
  const victims: Victim[] = [];
  beforeAll(async () => {
    for (const name of NAMES) {
      const one = allBlocks().find((block) => block.name === name);
      if (one === undefined) throw new Error(`no block ${name}`);
      victims.push(await createVictim(one));
    }
  }, TIMEOUT_MS);

  /** Returns how many had no answer. */
  async function eachMutant(kind: string, make: (victim: Victim, random: Random) => Promise<Partial<Written> | null>) {
    let none = 0;
    for (let round = 0; round < COUNT; round += 1) {
      const random = createRandom(SEED + round);
      const victim = random.pick(victims);
      const changed = await make(victim, random);
      if (changed === null) continue;
      const what = `${kind}, ${victim.one.name}, PROOF_SEED=${SEED + round}`;
      if (expectTruthOrNone(victim, changed, what) === 0) none += 1;
    }
    return none;
  }

  test("the unchanged blocks are read", () => {
    for (const victim of victims) expect(expectTruthOrNone(victim, {}, victim.one.name)).toBe(CORES.length);
    const hits = victims.map((victim) => hitsIn(logsOf(victim.truth), victim.answers, victim).length);
    expect(hits.filter((count) => count > 0).length).toBeGreaterThan(3);
  });

  test.each(Object.keys(KINDS))(
    "what is said: %s",
    async (kind) => {
      const none = await eachMutant(kind, async ({ one, answers }, random) => {
        const changed: Answers = { block: structuredClone(one.block), receipts: structuredClone(one.receipts) };
        try {
          KINDS[kind]?.(changed, random);
        } catch {
          return null; // Not every block has what this kind changes.
        }
        const block = JSON.stringify(light(changed.block));
        const receipts = JSON.stringify(changed.receipts);
        return {
          block: block === JSON.stringify(light(one.block)) ? answers.block : await node.ask(envelope(block)),
          receipts: receipts === JSON.stringify(one.receipts) ? answers.receipts : await node.ask(envelope(receipts)),
        };
      });
      // What stands in transactions alone is not asked for.
      if (/log|receipt|header/.test(kind)) expect(none).toBeGreaterThan(COUNT / 8);
    },
    TIMEOUT_MS,
  );

  test.each(Object.entries(TEXT_KINDS))(
    "how it is written: %s",
    async (kind, mutate: MutateText) => {
      await eachMutant(kind, async ({ texts }, random) => {
        const part = random.pick(["block", "receipts"] as const);
        return { [part]: await node.ask(around(mutate(texts[part], random))) };
      });
    },
    TIMEOUT_MS,
  );

  test("another header, or another block's answers, are no answer", async () => {
    const other = `0x${"12".repeat(32)}`;
    for (const victim of victims) {
      const { answers } = victim;
      const { header } = answers;
      const lies = [
        { hash: other },
        { parentHash: other },
        { number: header.number + 1 },
        { timestamp: header.timestamp + 1 },
      ];
      for (const lie of lies)
        expect(expectTruthOrNone(victim, { header: { ...header, ...lie } }, JSON.stringify(lie))).toBe(0);
      for (const stranger of victims.filter((one) => one !== victim)) {
        expect(expectTruthOrNone(victim, { receipts: stranger.answers.receipts }, "receipts")).toBe(0);
        expect(expectTruthOrNone(victim, { block: stranger.answers.block }, "block")).toBe(0);
      }
      expect(expectTruthOrNone(victim, { block: answers.receipts, receipts: answers.block }, "swapped")).toBe(0);
    }
  });

  test("a block that agrees with itself, but not with the hash it is given under, is no answer", async () => {
    for (const victim of victims)
      for (const stranger of victims.filter((one) => one !== victim)) {
        const { block, receipts } = disguised(stranger.one, victim.one);
        const answers = {
          block: await node.ask(envelope(JSON.stringify(block))),
          receipts: await node.ask(envelope(JSON.stringify(receipts))),
        };
        expect(expectTruthOrNone(victim, answers, `${stranger.one.name} as ${victim.one.name}`)).toBe(0);
      }
  });

  test("enough had an answer, and enough had none, to mean something", () => {
    expect(told.answered).toBeGreaterThan(COUNT);
    expect(told.mutants - told.answered).toBeGreaterThan(COUNT * 10);
  });
});

/** A block in another's place: its own roots, bloom and gas, under the other's hash, number, parent and time. */
function disguised(one: WholeBlock, as: WholeBlock): { block: unknown; receipts: unknown } {
  const { hash, number, parentHash, timestamp } = as.block;
  const place = { blockHash: hash, blockNumber: number };
  const logIn = (log: Json) => ({
    ...log,
    ...place,
    ...("blockTimestamp" in log ? { blockTimestamp: timestamp } : {}),
  });
  return {
    block: { ...light(one.block), hash, number, parentHash, timestamp },
    receipts: one.receipts.map((receipt) => ({ ...receipt, ...place, logs: receipt.logs.map(logIn) })),
  };
}

/** Each of these is the whole of a lie: what it leaves alone is as in the true block. */
describe("hashes of transactions, which no root covers here", () => {
  const one = allBlocks().find(({ name }) => name === "a little of everything") as WholeBlock;
  const other = `0x${"ab".repeat(32)}`;
  let victim: Victim;
  beforeAll(async () => {
    victim = await createVictim(one);
  }, TIMEOUT_MS);

  async function answered(change: (hashes: unknown[], receipts: ReceiptJson[]) => void): Promise<boolean> {
    const block = structuredClone(light(one.block));
    const receipts = structuredClone(one.receipts);
    change(block.transactions, receipts);
    const answers = {
      block: await node.ask(envelope(JSON.stringify(block))),
      receipts: await node.ask(envelope(JSON.stringify(receipts))),
    };
    return expectTruthOrNone(victim, answers, "hashes") > 0;
  }

  const rename = (receipt: ReceiptJson | undefined, hash: unknown) => {
    if (receipt === undefined) return;
    receipt["transactionHash"] = hash;
    for (const log of receipt.logs) log["transactionHash"] = hash;
  };

  test("a hash that is changed everywhere is believed: that is what readLogs leaves open", async () => {
    const believed = await answered((hashes, receipts) => {
      hashes[0] = other;
      rename(receipts[0], other);
    });
    expect(believed).toBe(true);
  });

  test.each<[string, (hashes: unknown[], receipts: ReceiptJson[]) => void]>([
    ["that only the block names", (hashes) => (hashes[0] = other)],
    ["that only the receipt names", (_, receipts) => rename(receipts[0], other)],
    [
      "that only a log names",
      (_, receipts) => Object.assign(receipts.flatMap(({ logs }) => logs)[0] ?? {}, { transactionHash: other }),
    ],
    [
      "that is there twice",
      (hashes, receipts) => {
        hashes[0] = hashes[1];
        rename(receipts[0], hashes[1]);
      },
    ],
    ["that is missing", (hashes) => hashes.pop()],
    ["too many", (hashes) => hashes.push(other)],
    ["and none at all", (hashes) => hashes.splice(0)],
    ["that is a number", (hashes) => (hashes[0] = 1)],
    ["that is null", (hashes) => (hashes[0] = null)],
    ["that is too short", (hashes) => (hashes[0] = other.slice(0, -2))],
    ["that is a transaction", (hashes) => (hashes[0] = one.block.transactions[0])],
  ])("a hash %s is no answer", async (_, change) => {
    expect(await answered(change)).toBe(false);
  });
});
