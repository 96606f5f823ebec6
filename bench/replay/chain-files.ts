/**
 * A chain on disk as a node would answer it: `bodies.bin` holds every answer as JSON bytes, `index.json` says where.
 * Written once under a temporary name and renamed, so that a half-written chain is never read.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { RpcBlock, RpcReceipt } from "./rpc-shapes.ts";

/** Byte range in `bodies.bin`. */
export type Range = readonly [start: number, length: number];

export interface IndexedBlock {
  readonly number: number;
  readonly hash: string;
  /** With whole transactions. */
  readonly full: Range;
  /** With transaction hashes only. */
  readonly light: Range;
  /** As newHeads tells it. */
  readonly head: Range;
  readonly receipts: Range;
  readonly logs: Range;
  readonly transactionCount: number;
  readonly logCount: number;
}

export interface ChainIndex {
  readonly chainId: number;
  /** Ascending numbers. */
  readonly blocks: readonly IndexedBlock[];
  /** The people of a generated chain, by rank; empty for recorded blocks. */
  readonly accounts: readonly { readonly rank: number; readonly address: string }[];
}

export const BODIES_FILE = "bodies.bin";
export const INDEX_FILE = "index.json";

export interface ChainWriter {
  add(block: RpcBlock, receipts: readonly RpcReceipt[]): void;
  finish(chain: { chainId: number; accounts: ChainIndex["accounts"] }): void;
}

export function createChainWriter(folder: string): ChainWriter {
  const unfinished = `${folder}.${process.pid}.unfinished`;
  mkdirSync(unfinished, { recursive: true });
  const file = openSync(path.join(unfinished, BODIES_FILE), "w");
  const blocks: IndexedBlock[] = [];
  let end = 0;
  const write = (value: unknown): Range => {
    const bytes = Buffer.from(JSON.stringify(value));
    writeSync(file, bytes);
    const start = end;
    end += bytes.length;
    return [start, bytes.length];
  };
  return {
    add(block, receipts) {
      const logs = receipts.flatMap((receipt) => receipt.logs);
      blocks.push({
        number: Number(block.number),
        hash: block.hash,
        full: write(block),
        light: write({ ...block, transactions: block.transactions.map(({ hash }) => hash) }),
        head: write(headOf(block)),
        receipts: write(receipts),
        logs: write(logs),
        transactionCount: block.transactions.length,
        logCount: logs.length,
      });
    },
    finish({ chainId, accounts }) {
      closeSync(file);
      const index: ChainIndex = { chainId, blocks, accounts };
      writeFileSync(path.join(unfinished, INDEX_FILE), JSON.stringify(index));
      // Another process may have written the same chain meanwhile: its bytes are the same.
      if (existsSync(folder)) rmSync(unfinished, { recursive: true });
      else renameSync(unfinished, folder);
    },
  };
}

const NOT_IN_A_HEAD: ReadonlySet<string> = new Set(["transactions", "withdrawals", "uncles", "size"]);

function headOf(block: RpcBlock): object {
  return Object.fromEntries(Object.entries(block).filter(([name]) => !NOT_IN_A_HEAD.has(name)));
}

export function readChainIndex(folder: string): ChainIndex {
  return JSON.parse(readFileSync(path.join(folder, INDEX_FILE), "utf8")) as ChainIndex;
}
