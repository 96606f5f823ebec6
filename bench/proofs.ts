/**
 * What proving a block costs beside parsing it: CPU per recorded block, as a ratio to JSON.parse of the same answers in
 * the same run, so that a busy machine blurs both alike. `node bench/proofs.ts [rounds]`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { headerHash } from "../src/chains/evm/proof/header.ts";
import { profileOf } from "../src/chains/evm/proof/profiles.ts";
import { proveBlock } from "../src/chains/evm/proof/prove-block.ts";
import type { Fields } from "../src/chains/evm/proof/fields.ts";

const ROOT = join(import.meta.dirname, "../test/fixtures/evm");
// Post-merge mainnet blocks of ordinary size; 15,537,394 is one NFT drop of 10,041 logs.
const BLOCKS = [17034870, 18000000, 18951920, 19433902, 20000000, 22162263, 22431084, 22869878];
const rounds = Number(process.argv[2] ?? 60);

interface Sample {
  readonly texts: readonly [block: string, receipts: string];
  readonly block: Fields;
  readonly receipts: unknown;
  readonly header: Parameters<typeof proveBlock>[0]["header"];
}

function load(number: number): Sample {
  const read = (name: string) => gunzipSync(readFileSync(join(ROOT, `ethereum/${number}/${name}.json.gz`))).toString();
  const texts = [read("block"), read("receipts")] as const;
  const block = JSON.parse(texts[0]) as Fields;
  const [hash, parentHash] = [block["hash"] as string, block["parentHash"] as string];
  const header = { number, hash, parentHash, timestamp: Number(block["timestamp"]) };
  return { texts, block, receipts: JSON.parse(texts[1]), header };
}

const samples = BLOCKS.map(load);
const profile = profileOf(1);

function prove(sample: Sample, senders: "all" | "creations"): void {
  const proof = proveBlock(sample, { profile, senders });
  if (!proof.proven) throw new Error(`block ${sample.header.number}: ${proof.reason}`);
}

/** Median over the rounds of CPU milliseconds per block. */
function measure(run: (sample: Sample) => void, times = rounds): number {
  for (const sample of samples) run(sample);
  const perBlock = Array.from({ length: times }, () => {
    const before = process.cpuUsage();
    for (const sample of samples) run(sample);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / samples.length;
  });
  return perBlock.toSorted((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

const rows: [name: string, ms: number][] = [
  [
    "JSON.parse of block and receipts",
    measure(({ texts }) => {
      JSON.parse(texts[0]);
      JSON.parse(texts[1]);
    }),
  ],
  ["header hash alone", measure(({ block }) => void headerHash(block))],
  ["proof of everything but senders", measure((sample) => prove(sample, "creations"))],
  ["proof with every sender", measure((sample) => prove(sample, "all"), Math.max(1, Math.floor(rounds / 10)))],
];

const bytes = samples.reduce((sum, { texts }) => sum + texts[0].length + texts[1].length, 0) / samples.length;
console.log(
  `${samples.length} recorded blocks, ${(bytes / 1e6).toFixed(2)} MB each on average, Node ${process.version}`,
);
const parse = rows[0]?.[1] ?? 1;
for (const [name, ms] of rows) {
  console.log(
    `${name.padEnd(36)} ${ms.toFixed(2).padStart(7)} ms/block  ${(ms / parse).toFixed(2).padStart(6)} x parse`,
  );
}
