/** Where a chain begins when nothing is stored: the latest block, a number or a date. */
import type { ChainAdapter, Header } from "../types/chain.ts";
import type { WindowBlock } from "../types/checkpoint.ts";
import type { StartPoint } from "../types/config.ts";
import { UnavailableError } from "../lib/errors.ts";

/** The number of the first block to scan. */
export async function firstBlock(adapter: ChainAdapter, start: StartPoint, signal: AbortSignal): Promise<number> {
  const head = await adapter.headNumber(signal);
  if (start.at === "latest") return head;
  if (start.at === "number") return start.number;
  return firstBlockSince(adapter, { unixSeconds: start.unixSeconds, head }, signal);
}

/** Lowest block with a time at or after `unixSeconds`; above the head when there is none yet. Binary search. */
async function firstBlockSince(
  adapter: ChainAdapter,
  of: { unixSeconds: number; head: number },
  signal: AbortSignal,
): Promise<number> {
  let low = 0;
  let high = of.head + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const header = await headerOrThrow(adapter, middle, signal);
    if (header.timestamp >= of.unixSeconds) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The blocks below the first, known but not scanned: with them a reorg that reaches below the start is followed like
 * any other. Empty when the chain begins at block 0.
 */
export async function firstWindow(
  adapter: ChainAdapter,
  of: { first: number; depth: number },
  signal: AbortSignal,
): Promise<WindowBlock[]> {
  const head = await adapter.headNumber(signal);
  const top = Math.min(of.first - 1, head);
  const numbers = Array.from({ length: Math.min(of.depth, top + 1) }, (_, index) => top - index).toReversed();
  const headers = await Promise.all(numbers.map((number) => headerOrThrow(adapter, number, signal)));
  headers.forEach((header, index) => {
    const parent = headers[index - 1];
    if (parent !== undefined && parent.hash !== header.parentHash)
      throw new UnavailableError("the chain changed while its first window was read");
  });
  return headers.map((header) => ({ ...header, scanned: false, listVersion: "" }));
}

async function headerOrThrow(adapter: ChainAdapter, number: number, signal: AbortSignal): Promise<Header> {
  const header = await adapter.headerAt(number, signal);
  if (header === null)
    throw new UnavailableError(`the node does not have block ${number} below its head`, { details: { number } });
  return header;
}
