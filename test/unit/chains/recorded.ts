/** Recorded blocks as a node answered them. Sources: test/fixtures/evm/manifest.json. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { createChecksum } from "../../../src/chains/evm/checksum.ts";
import { decodeHeader, decodeTransfers, type DecodeContext } from "../../../src/chains/evm/decode-block.ts";
import type { Transfer } from "../../../src/types/chain.ts";

const FOLDER = path.join(import.meta.dirname, "../../fixtures/evm");

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export interface Answers {
  readonly block: JsonObject & { hash: string; number: string; transactions: JsonObject[] };
  readonly receipts: (JsonObject & { logs: (JsonObject & { topics: string[] })[] })[];
}

export interface ManifestBlock {
  readonly chain: string;
  readonly chainId: number;
  readonly number: number;
  readonly hash: string;
  readonly has: readonly string[];
  readonly nonIndexedTransfer: number;
  readonly transactions: number;
  readonly logs: number;
  readonly erc20Transfer: number;
  readonly files: { readonly block: { file: string }; readonly receipts: { file: string } };
}

/** The blocks recorded with full transactions and receipts. */
export const MANIFEST = (
  JSON.parse(readFileSync(path.join(FOLDER, "manifest.json"), "utf8")) as { blocks: ManifestBlock[] }
).blocks.filter(({ has }) => has.includes("block(full tx)") && has.includes("receipts"));

function read(file: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(path.join(FOLDER, file))).toString());
}

/** A fresh copy each time: tests spoil it. */
export function recorded(number: number): Answers {
  const entry = MANIFEST.find((one) => one.number === number);
  if (entry === undefined) throw new Error(`block ${number} is not recorded`);
  return { block: read(entry.files.block.file), receipts: read(entry.files.receipts.file) } as Answers;
}

const checksum = createChecksum();

export function contextOf(chainId = 1): DecodeContext {
  return { chain: `eip155:${chainId}`, nativeAssetId: `eip155:${chainId}/slip44:60`, checksum };
}

/** What our decoder reads. The header is the one asked for, whatever the answers say. */
export function decode(answers: { block: unknown; receipts: unknown }, header: unknown, chainId = 1): Transfer[] {
  return decodeTransfers({ header: decodeHeader(header), ...answers, traces: null }, contextOf(chainId));
}
