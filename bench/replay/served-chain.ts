/** A chain on disk, opened to be served: any answer's bytes at once, never parsed. */
import { fstatSync, openSync, readFileSync, readSync } from "node:fs";
import path from "node:path";
import { BODIES_FILE, type ChainIndex, type IndexedBlock, type Range, readChainIndex } from "./chain-files.ts";

export interface ServedChain {
  readonly chainId: number;
  readonly blocks: readonly IndexedBlock[];
  /** Place in `blocks`, or undefined. */
  placeOfNumber(number: number): number | undefined;
  placeOfHash(hash: string): number | undefined;
  bytesOf(range: Range): Buffer;
}

// 400 blocks are 0.45 GB. A longer chain is read from the system's page cache, which costs a copy an answer.
const RESIDENT_BYTES_MAX = 1024 ** 3;

export function openChain(folder: string): ServedChain {
  const index: ChainIndex = readChainIndex(folder);
  const byNumber = new Map(index.blocks.map((block, place) => [block.number, place]));
  const byHash = new Map(index.blocks.map((block, place) => [block.hash, place]));
  return {
    chainId: index.chainId,
    blocks: index.blocks,
    placeOfNumber: (number) => byNumber.get(number),
    placeOfHash: (hash) => byHash.get(hash),
    bytesOf: createBytesOf(path.join(folder, BODIES_FILE)),
  };
}

function createBytesOf(file: string): (range: Range) => Buffer {
  const descriptor = openSync(file, "r");
  if (fstatSync(descriptor).size <= RESIDENT_BYTES_MAX) {
    const all = readFileSync(descriptor);
    return ([start, length]) => all.subarray(start, start + length);
  }
  return ([start, length]) => {
    const bytes = Buffer.allocUnsafe(length);
    readSync(descriptor, bytes, 0, length, start);
    return bytes;
  };
}
