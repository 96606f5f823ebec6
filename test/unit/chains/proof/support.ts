/** Recorded blocks (test/fixtures/evm) as a node answers them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Header } from "../../../../src/types/chain.ts";

const ROOT = join(import.meta.dirname, "../../../fixtures/evm");

export type Json = Record<string, unknown>;

/** A block's JSON, loosely: tests change it in every way. */
export interface BlockJson extends Json {
  transactions: Json[];
  withdrawals?: Json[];
}

export interface ReceiptJson extends Json {
  logs: Json[];
}

export interface Entry {
  readonly chain: string;
  readonly chainId: number;
  readonly number: number;
  readonly form: string;
  readonly transactions?: number;
  readonly verified?: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, { readonly file: string }>>;
}

export const ENTRIES: readonly Entry[] = (
  JSON.parse(readFileSync(join(ROOT, "manifest.json"), "utf8")) as { blocks: Entry[] }
).blocks;

/** The text of one recorded answer. */
export function loadText(entry: Entry, file: string): string {
  const found = entry.files[file];
  if (found === undefined) throw new Error(`${entry.chain} ${entry.number} has no ${file}`);
  return gunzipSync(readFileSync(join(ROOT, found.file))).toString();
}

export function loadBlock(entry: Entry, file = "block"): BlockJson {
  return JSON.parse(loadText(entry, file)) as BlockJson;
}

export function loadReceipts(entry: Entry): ReceiptJson[] {
  return JSON.parse(loadText(entry, "receipts")) as ReceiptJson[];
}

export function entryOf(number: number): Entry {
  const entry = ENTRIES.find((one) => one.number === number);
  if (entry === undefined) throw new Error(`no fixture of block ${number}`);
  return entry;
}

/** The header as the chain follower would have decoded it. */
export function followed(block: Json): Header {
  return {
    number: Number(block["number"]),
    hash: block["hash"] as string,
    parentHash: block["parentHash"] as string,
    timestamp: Number(block["timestamp"]),
  };
}
