/**
 * A claim on blocks of the past -> what stands in them. Read as live blocks are: the header the operators agree on, the
 * content proven against it; behind live requests at the node's gate.
 *
 * Always holds: a range is returned only with every one of its blocks (or, where it asks for less, every one that was
 * named), each the parent of the next.
 */
import type { AddressTable } from "../types/address-table.ts";
import type { Block, ChainAdapter } from "../types/chain.ts";
import type { Hit } from "../types/hit.ts";
import type { Valuer } from "../types/valuer.ts";
import type { Claim, ClaimedRange, PastBlock, ReadRange } from "../types/retro.ts";
import { UnavailableError } from "../lib/errors.ts";
import { hitsOf } from "./value-block.ts";
import { sideBySide } from "../lib/side-by-side.ts";

export interface ReadPastOptions {
  readonly adapter: ChainAdapter;
  /** Operators that must name a block: what is final is final by so many. */
  readonly quorum: number;
  /** The addresses of the claim, as a table to scan with. */
  readonly watched: AddressTable;
  /** With everything the lists in force say. */
  readonly match: (block: Block) => readonly Hit[];
  /** Who says what hits are worth; absent: nobody. */
  readonly valuer?: Valuer | undefined;
}

// A block is about 10 MB of JSON at most; the node's gate bounds the requests.
const AT_ONCE = 4;

export async function readPast(claim: Claim, options: ReadPastOptions, signal: AbortSignal): Promise<ReadRange[]> {
  const numbers = new Map<ClaimedRange, readonly number[]>();
  for (const range of claim.ranges) numbers.set(range, await numbersOf(range, options, signal));
  // Each block once, whichever scans want it.
  const wanted = [...new Set([...numbers.values()].flat())].toSorted((a, b) => a - b);
  const blocks = await sideBySide(wanted, { atOnce: AT_ONCE, signal }, (number, either) =>
    readBlock(number, options, either),
  );
  const byNumber = new Map(blocks.map((one) => [one.block.number, one]));
  return claim.ranges.map((range) =>
    readRange(
      range,
      (numbers.get(range) ?? []).flatMap((at) => byNumber.get(at) ?? []),
    ),
  );
}

async function numbersOf(
  range: ClaimedRange,
  { adapter }: ReadPastOptions,
  signal: AbortSignal,
): Promise<readonly number[]> {
  if (range.reading === "whole")
    return Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
  const named = (await adapter.candidates?.(range.addresses, range, signal)) ?? null;
  const covers = range.reading === "filtered" ? "everything" : "logs";
  if (named === null || (covers === "everything" && named.covers !== covers))
    throw new UnavailableError(`no own node of ${adapter.chainId} can say which blocks touch the addresses`);
  return named.numbers.filter((number) => number >= range.from && number <= range.to);
}

async function readBlock(
  number: number,
  { adapter, quorum, watched, ...matching }: ReadPastOptions,
  signal: AbortSignal,
): Promise<PastBlock> {
  const header = await adapter.headerAt(number, signal);
  // Every sender is recovered: this is the first reading for these addresses, and a node could hide one by a false sender.
  const block = header === null ? null : await adapter.blockOf(header, signal, { watched, senders: "all" });
  if (block === null) throw new UnavailableError(`no node has block ${number} of ${adapter.chainId} any more`);
  const { operators } = block.trust;
  if (operators.length < quorum)
    throw new UnavailableError(
      `block ${number} of ${adapter.chainId} is named by ${operators.join(", ") || "nobody"} alone: ${quorum} operators have to`,
    );
  const hits = await hitsOf(block, matching, { chain: adapter.chainId, signal });
  return { block: { ...block, transfers: [] }, hits };
}

function readRange(range: ClaimedRange, blocks: readonly PastBlock[]): ReadRange {
  const asked = new Set(range.addresses);
  const touched = blocks.map(({ block, hits }) => ({
    block,
    hits: hits.filter(({ matches }) => matches.some(({ entry }) => asked.has(entry.address))),
  }));
  if (range.reading !== "whole") return { range, blocks: touched, parentHash: null, lastHash: null };
  blocks.forEach(({ block }, index) => {
    const parent = blocks[index - 1]?.block;
    if (parent !== undefined && parent.hash !== block.parentHash)
      throw new UnavailableError(
        `block ${block.number} does not follow the one before it: the nodes changed their chain`,
      );
  });
  return {
    range,
    blocks: touched,
    parentHash: blocks[0]?.block.parentHash ?? null,
    lastHash: blocks.at(-1)?.block.hash ?? null,
  };
}
