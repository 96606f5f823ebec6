/**
 * What a scan of the past has to read: everything from a block on that nobody scanned for its addresses yet. Pure.
 *
 * Always holds: what is left out was scanned, live or before, with a list that named the address by the entries it has now;
 * so the scan meets live coverage exactly, wherever that began and however often the address came and went.
 */
import { mergeRanges, subtractRanges } from "../lib/ranges.ts";
import type { NumberRange } from "../types/retro.ts";

/** What is known of a chain when a scan is asked for; all of it read in one transaction. */
export interface PlanFacts {
  /** Highest final block; -1 before the first. */
  readonly finalNumber: number;
  /** Highest block followed. */
  readonly tip: number;
  /** What was followed live, and the list each block was matched with last. */
  readonly live: readonly (NumberRange & { readonly listVersion: string })[];
  /** The asked addresses, those of one history together. */
  readonly groups: readonly AddressHistory[];
}

export interface AddressHistory {
  /** The lists that name them. */
  readonly listVersions: ReadonlySet<string>;
  /** Blocks below were followed live for entries of before: what they found does not rest on those of now. */
  readonly liveFrom: number;
  /** What scans of the past have read for them. */
  readonly past: readonly NumberRange[];
}

export interface MissingBlocks {
  /** Ascending, apart from each other. */
  readonly ranges: readonly NumberRange[];
  /** From this block on live coverage holds for every address. */
  readonly joinAt: number;
}

export type PlanScan = (facts: PlanFacts, from: number) => MissingBlocks;

/** The list in force names all of the addresses: blocks that are not final yet are matched with it before they are. */
export const planScan: PlanScan = ({ finalNumber, tip, live, groups }, from) => {
  const all = [{ from, to: tip }];
  const notLive = groups.map(({ listVersions, liveFrom }) =>
    subtractRanges(
      all,
      live.map(({ from: first, to, listVersion }) => {
        const counts = listVersions.has(listVersion) ? liveFrom : finalNumber + 1;
        return { from: Math.max(first, counts), to };
      }),
    ),
  );
  const missing = notLive.flatMap((ranges, index) => subtractRanges(ranges, groups[index]?.past ?? []));
  const highest = Math.max(from - 1, ...notLive.map((ranges) => ranges.at(-1)?.to ?? from - 1));
  return { ranges: mergeRanges(missing), joinAt: highest + 1 };
};

/**
 * Blocks that are read and stored together. Few enough that a lost worker costs little and many workers share a scan
 * well, enough that claiming them costs next to nothing.
 */
export const CHUNK_BLOCKS = 32;

export interface ChunkRange extends NumberRange {
  readonly chunk: number;
}

/** The ranges, cut where chunks begin: the same places for every scan, so that scans of one chunk are read as one. */
export function chunksOf(ranges: readonly NumberRange[]): ChunkRange[] {
  return ranges.flatMap(({ from, to }) => {
    const first = Math.floor(from / CHUNK_BLOCKS);
    const last = Math.floor(to / CHUNK_BLOCKS);
    return Array.from({ length: last - first + 1 }, (_, index) => {
      const chunk = first + index;
      return {
        chunk,
        from: Math.max(from, chunk * CHUNK_BLOCKS),
        to: Math.min(to, (chunk + 1) * CHUNK_BLOCKS - 1),
      };
    });
  });
}
