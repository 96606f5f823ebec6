/**
 * Bitcoin blocks: transactions a second with a million watched scripts, what the proofs cost beside the hashing that they
 * are made of, and bitcoinjs-lib on the same work.
 *
 *     node --expose-gc bench/bitcoin.ts [--scripts 1000000] [--turns 5]
 *
 * A round reads seven real mainnet blocks of 2014 to 2024 one after another, so that no block's data stays in the
 * caches; all ways take turns, because the machine is shared. CPU time of this process, its garbage
 * collector included. Three of the blocks have their real spent coins; those of the others are made up (P2WPKH).
 */
import { hash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Block } from "bitcoinjs-lib";
import { BufferReader } from "bitcoinjs-lib/src/bufferutils";
import { addressOf, targetOf } from "../src/chains/bitcoin/address.ts";
import { outpointsOf, outputsOf } from "../src/chains/bitcoin/coins.ts";
import { HEADER_BYTES, headerOf } from "../src/chains/bitcoin/header.ts";
import { NETWORKS } from "../src/chains/bitcoin/networks.ts";
import { parseBlock, readBlock } from "../src/chains/bitcoin/read-block.ts";
import { createScriptTable } from "../src/chains/bitcoin/script-table.ts";
import { type AddressKind, isData, payloadBytes, scriptOf } from "../src/chains/bitcoin/scripts.ts";
import { hasWitness, INPUTS, PARTS, START, type Transactions, WITNESS } from "../src/chains/bitcoin/transactions.ts";
import type { Address, Header } from "../src/types/chain.ts";
import { markdownTable, median } from "./table.ts";

const FOLDER = join(import.meta.dirname, "../test/fixtures/bitcoin");
const { mainnet: network } = NETWORKS;
/** Roughly what is in use: of every ten addresses. */
const MIX: readonly AddressKind[] = [
  ...(["p2wpkh", "p2pkh", "p2sh", "p2wpkh", "p2pkh", "p2tr", "p2wpkh", "p2pkh", "p2wsh", "p2wpkh"] as const),
];
/** A turn is this many rounds and at least that much CPU time: the rounds of one way are a hundred times those of another. */
const ROUNDS_A_TURN = 8;
const TURN_MS = 200;
/**
 * Before it, untold: brings the way's code and tables back into the caches, ends what the collector does for the way before, and
 * lets V8 compile again what the forced collection made it forget.
 */
const WARM_ROUNDS = 2;
const WARM_MS = 250;

interface Sample {
  readonly header: Header;
  readonly block: Buffer;
  readonly spent: Buffer;
  readonly transactions: Transactions;
}

interface ManifestBlock {
  readonly height: number;
  readonly file: string;
  readonly spent?: { readonly file: string };
}

function load({ height, file, spent }: ManifestBlock): Sample {
  const block = readFileSync(join(FOLDER, file));
  const transactions = parseBlock(block);
  const { hash: name, parentHash, timestamp } = headerOf(block.subarray(0, HEADER_BYTES));
  return {
    header: { number: height, hash: name, parentHash, timestamp },
    block,
    spent: spent === undefined ? madeUpCoins(transactions) : readFileSync(join(FOLDER, spent.file)),
    transactions,
  };
}

function sizeOf(count: number): Buffer {
  return count < 0xfd ? Buffer.of(count) : Buffer.of(0xfd, count % 256, count >> 8);
}

/** A coin for each input, worth what its transaction pays; the first leaves what the coinbase takes as fees. */
function madeUpCoins(transactions: Transactions): Buffer {
  const pieces = [sizeOf(transactions.count), sizeOf(0)];
  for (let index = 1; index < transactions.count; index += 1) {
    const inputs = outpointsOf(transactions, index).length;
    const paid = outputsOf(transactions, index).reduce((sum, { amount }) => sum + amount, 0n);
    pieces.push(sizeOf(inputs));
    for (let input = 0; input < inputs; input += 1) {
      const coin = Buffer.concat([Buffer.alloc(8), Buffer.of(22, 0, 20), randomBytes(20)]);
      const claimed = index === 1 ? 5_000_000_000n : 0n;
      coin.writeBigInt64LE(input === 0 ? paid + claimed : 0n);
      pieces.push(coin);
    }
  }
  return Buffer.concat(pieces);
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function watchedAddresses(count: number, samples: readonly Sample[]): Address[] {
  const addresses = new Set<Address>();
  for (const { transactions } of samples) addresses.add(hitOf(transactions));
  for (let index = 0; addresses.size < count; index += 1) {
    const kind = MIX[index % MIX.length] as AddressKind;
    addresses.add(addressOf(scriptOf(kind, randomBytes(payloadBytes(kind))), network));
  }
  return [...addresses];
}

/** The recipient of an ordinary payment of a block, to be watched: a hit in each. */
function hitOf(transactions: Transactions): Address {
  for (let index = transactions.count - 1; index > 0; index -= 1) {
    const [coin, ...others] = outputsOf(transactions, index);
    const isSmall = others.length < 3 && outpointsOf(transactions, index).length < 3;
    if (coin !== undefined && isSmall && !isData(coin.script)) return addressOf(coin.script, network);
  }
  throw new Error("a block without an ordinary payment");
}

/** All that the proofs of a block hash: its header, its transactions with and without witnesses, the pairs of both trees. */
function hashedBytes({ block, transactions }: Sample): Buffer[] {
  const { bytes, parts, count } = transactions;
  const messages: Buffer[] = [Buffer.from(block.subarray(0, HEADER_BYTES))];
  let isSegwit = false;
  for (let index = 0; index < count; index += 1) {
    const row = index * PARTS;
    const [start, end] = [parts[row + START] as number, parts[row + PARTS] as number];
    const body = bytes.subarray(parts[row + INPUTS], parts[row + WITNESS]);
    messages.push(Buffer.concat([bytes.subarray(start, start + 4), body, bytes.subarray(end - 4, end)]));
    isSegwit ||= hasWitness(transactions, index);
  }
  const pairs = () => {
    for (let width = count; width > 1; width = Math.ceil(width / 2))
      for (let pair = 0; pair < Math.ceil(width / 2); pair += 1) messages.push(randomBytes(64));
  };
  pairs();
  if (!isSegwit) return messages;
  for (let index = 1; index < count; index += 1)
    messages.push(Buffer.from(bytes.subarray(parts[index * PARTS], parts[(index + 1) * PARTS])));
  pairs();
  return messages;
}

function hashBare(messages: readonly Buffer[]): void {
  for (const message of messages) hash("sha256", hash("sha256", message, "buffer"), "buffer");
}

/** The same with bitcoinjs-lib: every output and every spent coin looked up in a Set of hexadecimal scripts. */
function readWithBitcoinjs({ block, spent }: Sample, watched: ReadonlySet<string>, proofs: boolean): number {
  const parsed = Block.fromBuffer(block);
  if (proofs && !(parsed.checkProofOfWork() && parsed.checkTxRoots()))
    throw new Error("bitcoinjs-lib refuses the block");
  const reader = new BufferReader(spent);
  reader.readVarInt();
  let hits = 0;
  for (const { outs } of parsed.transactions ?? []) {
    let touches = false;
    const coins = Number(reader.readVarInt());
    for (let coin = 0; coin < coins; coin += 1) {
      reader.readInt64();
      touches = watched.has(hexOf(reader.readVarSlice())) || touches;
    }
    for (const { script } of outs) touches = watched.has(hexOf(script)) || touches;
    if (touches) hits += 1;
  }
  return hits;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

interface Way {
  readonly title: string;
  readonly run: () => void;
  readonly cpus: number[];
}

function tableOf(ways: readonly Way[], transactions: number): string {
  const rows = ways.map(({ title, cpus }) => {
    const rate = (ms: number) => (transactions / ms / 1000).toFixed(2);
    return [title, median(cpus).toFixed(2), Math.min(...cpus).toFixed(2), rate(median(cpus)), rate(Math.min(...cpus))];
  });
  return markdownTable(["way", "CPU ms a round", "best", "M transactions/s", "best"], rows);
}

const { values } = parseArgs({
  options: { scripts: { type: "string", default: "1000000" }, turns: { type: "string", default: "5" } },
});
const manifest = JSON.parse(readFileSync(join(FOLDER, "manifest.json"), "utf8")) as { mainnet: ManifestBlock[] };
const samples = manifest.mainnet.filter(({ height }) => height > 1).map(load);
const transactions = samples.reduce((sum, { transactions: { count } }) => sum + count, 0);
const addresses = watchedAddresses(Number(values.scripts), samples);

let watched = createScriptTable([], network);
const buildMs = cpuMs(() => {
  watched = createScriptTable(addresses, network);
});
const set = new Set(addresses.map((address) => hexOf((targetOf(address, network) as { script: Uint8Array }).script)));
const messages = samples.map(hashedBytes);
const hits = samples.map((sample) => readBlock({ ...sample, network, watched }).transfers.length);

const read = (proofs: boolean) => () => {
  for (const sample of samples) readBlock({ ...sample, network, watched, proofs });
};
const WAYS: Way[] = [
  { title: "ours, proofs off", run: read(false), cpus: [] },
  { title: "ours, all proofs", run: read(true), cpus: [] },
  { title: "the proofs' hashes alone (node:crypto)", run: () => messages.forEach(hashBare), cpus: [] },
  {
    title: "bitcoinjs-lib, proofs off",
    run: () => samples.forEach((one) => readWithBitcoinjs(one, set, false)),
    cpus: [],
  },
  {
    title: "bitcoinjs-lib, its proofs",
    run: () => samples.forEach((one) => readWithBitcoinjs(one, set, true)),
    cpus: [],
  },
];
/** CPU time of each of at least so many rounds, which together take at least so long. */
function roundsOf(run: () => void, rounds: number, totalMs: number): number[] {
  const cpus: number[] = [];
  for (let ms = 0; cpus.length < rounds || ms < totalMs; ms += cpus.at(-1) ?? 0) cpus.push(cpuMs(run));
  return cpus;
}

for (let turn = 0; turn < Number(values.turns); turn += 1)
  for (const { run, cpus } of WAYS) {
    globalThis.gc?.();
    roundsOf(run, WARM_ROUNDS, WARM_MS);
    cpus.push(...roundsOf(run, ROUNDS_A_TURN, TURN_MS));
  }

const [cpu] = os.cpus();
console.log(
  `${os.cpus().length} × ${cpu?.model ?? "?"}, Node ${process.version}, load ${os.loadavg()[0]?.toFixed(1)}\n`,
);
console.log(`${samples.length} blocks, ${transactions} transactions a round, ${hits.join(" + ")} transfers of hits\n`);
console.log(
  `${watched.size} scripts: ${(watched.byteLength / watched.size).toFixed(1)} bytes each, built in ${buildMs.toFixed(0)} ms\n`,
);
console.log(tableOf(WAYS, transactions));
