/**
 * A long chain in which everything verifies, from real transactions and receipts: drawn again and again with people of a
 * zipf population in them, signed by those people, with every hash, root and bloom computed anew.
 *
 *     node bench/replay/generate.ts [blocks] [seed]
 */
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createPopulation } from "./accounts.ts";
import { buildBlock, type BuiltBlock, type Parent, type World } from "./build-block.ts";
import { createChainWriter } from "./chain-files.ts";
import { loadRecordedBlocks } from "./fixtures.ts";
import { createRandom, createZipf } from "./random.ts";
import { loadTemplates } from "./templates.ts";

export interface GeneratedChain {
  readonly blocks: number;
  readonly seed: number;
}

/** `recorded`: the real blocks themselves, with gaps between their numbers. */
export type ChainSource = GeneratedChain | "recorded";

export const DEFAULT_CHAIN: GeneratedChain = { blocks: 400, seed: 1 };
export const GENERATED_CHAIN_ID = 1;
export const FIRST_NUMBER = 23_000_001;

const GENESIS: Parent = { number: FIRST_NUMBER - 1, hash: `0x${"11".repeat(32)}`, timestamp: 1_754_000_000 };
// Mainnet has a few million addresses active in a month, a few of them very active.
const POPULATION = 5_000_000;
const ZIPF_EXPONENT = 0.95;
// Around 172: with the recorded transactions that is about 0.85 MB and 430 logs a block.
const TRANSACTIONS_PER_BLOCK = { min: 112, max: 232 };
// Part of the cache's name: raised when the same seed gives other bytes.
const GENERATOR_VERSION = 2;

/** Blocks of the chain, one after the other; the same seed gives the same bytes. */
export function* generateBlocks(chain: GeneratedChain): Generator<BuiltBlock, World["population"]> {
  const population = createPopulation();
  const world: World = {
    random: createRandom(chain.seed),
    templates: loadTemplates(),
    population,
    drawRank: createZipf(POPULATION, ZIPF_EXPONENT),
    nonces: new Map(),
    transactionsPerBlock: TRANSACTIONS_PER_BLOCK,
  };
  let parent = GENESIS;
  for (let built = 0; built < chain.blocks; built += 1) {
    const next = buildBlock(parent, world);
    parent = { number: Number(next.block.number), hash: next.block.hash, timestamp: Number(next.block.timestamp) };
    yield next;
  }
  return population;
}

/** The folder of the chain's files, written now if it is not there yet. */
export function ensureChain(source: ChainSource, root = path.join(tmpdir(), "heistwatch-replay")): string {
  const name = source === "recorded" ? "recorded" : `generated-${source.seed}-${source.blocks}`;
  const folder = path.join(root, `${name}-v${GENERATOR_VERSION}`);
  if (existsSync(folder)) return folder;
  mkdirSync(root, { recursive: true });
  if (source === "recorded") writeRecorded(folder);
  else writeGenerated(folder, source);
  return folder;
}

function writeGenerated(folder: string, chain: GeneratedChain): void {
  const writer = createChainWriter(folder);
  const blocks = generateBlocks(chain);
  let next = blocks.next();
  while (next.done !== true) {
    writer.add(next.value.block, next.value.receipts);
    next = blocks.next();
  }
  const accounts = next.value.used().toSorted((a, b) => a.rank - b.rank);
  writer.finish({ chainId: GENERATED_CHAIN_ID, accounts });
}

function writeRecorded(folder: string): void {
  const writer = createChainWriter(folder);
  for (const { block, receipts } of loadRecordedBlocks("ethereum")) writer.add(block, receipts);
  writer.finish({ chainId: 1, accounts: [] });
}

if (process.argv[1] === import.meta.filename) {
  const [blocks = DEFAULT_CHAIN.blocks, seed = DEFAULT_CHAIN.seed] = process.argv.slice(2).map(Number);
  const started = performance.now();
  const folder = ensureChain({ blocks, seed });
  console.log(`${folder} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
