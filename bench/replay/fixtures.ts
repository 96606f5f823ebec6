/** The recorded real blocks of test/fixtures/evm, with their sources in its manifest. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { RpcBlock, RpcReceipt } from "./rpc-shapes.ts";

const ROOT = path.join(import.meta.dirname, "../../test/fixtures/evm");

export interface RecordedBlock {
  readonly chainId: number;
  readonly block: RpcBlock;
  readonly receipts: RpcReceipt[];
}

interface ManifestEntry {
  readonly chain: string;
  readonly chainId: number;
  readonly number: number;
  readonly files: Readonly<Record<string, { readonly file: string }>>;
}

/** Every recorded block of `chain` that has full transactions and receipts, lowest first. */
export function loadRecordedBlocks(chain: "ethereum" | "polygon"): RecordedBlock[] {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, "manifest.json"), "utf8")) as { blocks: ManifestEntry[] };
  const whole = manifest.blocks.filter(
    (entry) => entry.chain === chain && entry.files["block"] !== undefined && entry.files["receipts"] !== undefined,
  );
  return whole
    .toSorted((a, b) => a.number - b.number)
    .map(({ chainId, files }) => ({
      chainId,
      block: load(files["block"]?.file ?? "") as RpcBlock,
      receipts: load(files["receipts"]?.file ?? "") as RpcReceipt[],
    }));
}

function load(file: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(path.join(ROOT, file))).toString());
}
