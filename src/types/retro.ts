/** Scans of the past: what is to be read for which addresses, and what reading it showed. */
import type { Block } from "./chain.ts";
import type { Hit } from "./hit.ts";

/** Numbers of blocks, both included. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/**
 * How blocks were looked at. `whole`: each was read and proven. `filtered`: those that an own node's index of everything
 * names were read and proven; that the others hold nothing is the node's word. `logs`: the same by an index of logs
 * alone, so that value without a log was not looked for.
 */
export const READINGS = ["whole", "filtered", "logs"] as const;
export type Reading = (typeof READINGS)[number];

export type ScanState = "running" | "done" | "cancelled";

/** A scan asked for: these addresses of this chain, from this block up to where live coverage of each begins. */
export interface ScanRequest {
  readonly scanId: string;
  readonly chain: string;
  /** Canonical texts; not empty. */
  readonly addresses: readonly string[];
  readonly from: number;
  readonly reading: Reading;
  /** The lists the caller read: the scan is refused where the chain is followed with others. */
  readonly listVersion: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly now: number;
}

/** What a scan will read. */
export interface ScanPlan {
  readonly scanId: string;
  readonly chain: string;
  readonly addresses: number;
  /** What nobody has scanned for all of its addresses yet, ascending; empty: there is nothing to do. */
  readonly ranges: readonly NumberRange[];
  readonly blocks: number;
  /** The first block from which on live coverage holds for all of its addresses. */
  readonly joinAt: number;
  /** Highest final block: what lies between it and `joinAt` is read once it is final. */
  readonly finalNumber: number;
}

/** Where a scan stands. Times are unix milliseconds. */
export interface ScanStatus {
  readonly scanId: string;
  readonly chain: string;
  readonly state: ScanState;
  readonly reading: Reading;
  readonly addresses: number;
  readonly from: number;
  readonly to: number;
  readonly blocks: number;
  readonly blocksDone: number;
  /** Processes that hold ranges of it at present. */
  readonly holders: readonly string[];
  /** Transfers found, and how many of them nobody had found before. */
  readonly hits: number;
  readonly freshHits: number;
  readonly reason: string;
  readonly requestedBy: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly trouble: string | null;
}

/** Ranges of one chunk of one chain, held by one process until its claim runs out. */
export interface Claim {
  readonly chain: string;
  readonly holder: string;
  readonly ranges: readonly ClaimedRange[];
}

export interface ClaimedRange extends NumberRange {
  readonly scanId: string;
  readonly epoch: number;
  readonly reading: Reading;
  readonly addresses: readonly string[];
}

/** A block that was read for a claim, with the hits of the claim's addresses. */
export interface PastBlock {
  readonly block: Block;
  readonly hits: readonly Hit[];
}

/** What reading one claimed range gave. */
export interface ReadRange {
  readonly range: ClaimedRange;
  /** Ascending. Every block of the range where `reading` is `whole`, else those that were named. */
  readonly blocks: readonly PastBlock[];
  /** Hash of the block below the range and of its last block; null where the range was not read whole. */
  readonly parentHash: string | null;
  readonly lastHash: string | null;
}

/** What a scan found for one entry. */
export interface EntryFinding {
  readonly entryId: string;
  readonly address: string;
  readonly transfers: number;
  readonly freshTransfers: number;
  readonly recordedOnly: number;
  readonly alerts: number;
  readonly ownTransfers: number;
  readonly firstBlock: number | null;
  readonly lastBlock: number | null;
}
