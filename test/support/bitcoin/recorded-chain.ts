/**
 * The recorded regtest chain (test/fixtures/bitcoin): 285 blocks of the main branch and the two stale ones, with what the
 * node said about them.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const FIXTURES = join(import.meta.dirname, "../../fixtures/bitcoin");

/** As `getblock 3` gave it, without the parts that nobody reads. */
export interface VerboseBlock {
  readonly tx: readonly VerboseTransaction[];
  readonly [key: string]: unknown;
}

export interface VerboseTransaction {
  readonly txid: string;
  readonly hex: string;
  readonly vin: readonly { readonly prevout?: unknown; readonly [key: string]: unknown }[];
  readonly [key: string]: unknown;
}

export interface RecordedBlock {
  readonly hash: string;
  readonly height: number;
  /** Zeros for the first. */
  readonly parent: string;
  readonly block: Buffer;
  readonly spent: Buffer;
  readonly verbose: VerboseBlock;
}

export interface RecordedChain {
  readonly blocks: ReadonlyMap<string, RecordedBlock>;
  /** Hashes of the main branch by height. */
  readonly main: readonly string[];
  /** Hashes of the branch that lost: heights 280 and 281. */
  readonly stale: readonly string[];
  /** Raw transactions of every block, by txid. */
  readonly transactions: ReadonlyMap<string, { readonly hex: string; readonly block: string }[]>;
}

let loaded: RecordedChain | null = null;

export function recordedChain(): RecordedChain {
  loaded ??= load();
  return loaded;
}

export function fixtureJson(path: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, path), "utf8"));
}

export const displayOrder = (bytes: Uint8Array): string => Buffer.from(bytes.toReversed()).toString("hex");

export function sha256d(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(createHash("sha256").update(bytes).digest()).digest();
}

interface Detailed {
  readonly hash: string;
  readonly branch: "main" | "stale";
  readonly files: { readonly block: string; readonly spent: string; readonly v3: string };
}

function load(): RecordedChain {
  const detailed = fixtureJson("regtest/chain.json") as Detailed[];
  const blocks = new Map([...prefix(), ...detailed.map(detailedBlock)].map((block) => [block.hash, block]));
  const stale = detailed.filter(({ branch }) => branch === "stale").map(({ hash }) => hash);
  const main: string[] = [];
  for (const { hash, height } of blocks.values()) if (!stale.includes(hash)) main[height] = hash;
  const transactions = new Map<string, { hex: string; block: string }[]>();
  for (const { hash, verbose } of blocks.values()) {
    for (const { txid, hex } of verbose.tx) {
      transactions.set(txid, [...(transactions.get(txid) ?? []), { hex, block: hash }]);
    }
  }
  return { blocks, main, stale, transactions };
}

function detailedBlock({ files }: Detailed): RecordedBlock {
  const block = readFileSync(join(FIXTURES, files.block));
  const spent = readFileSync(join(FIXTURES, files.spent));
  const { result } = fixtureJson(files.v3) as { result: VerboseBlock & { height: number } };
  return { ...linksOf(block), height: result.height, block, spent, verbose: result };
}

/** Heights 0 to 250 hold a coinbase each and nothing else. */
function prefix(): RecordedBlock[] {
  const lines = readFileSync(join(FIXTURES, "regtest/prefix.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => {
    const { height, block: hex, spent } = JSON.parse(line) as { height: number; block: string; spent: string };
    const block = Buffer.from(hex, "hex");
    const coinbase = block.subarray(81);
    // The merkle root of one transaction is its id.
    const txid = displayOrder(block.subarray(36, 68));
    const verbose = { tx: [{ txid, hex: coinbase.toString("hex"), vin: [{ coinbase: "" }] }] };
    return { ...linksOf(block), height, block, spent: Buffer.from(spent, "hex"), verbose };
  });
}

function linksOf(block: Buffer): { hash: string; parent: string } {
  return { hash: displayOrder(sha256d(block.subarray(0, 80))), parent: displayOrder(block.subarray(4, 36)) };
}
