/** What the head loop needs, what it remembers between two turns, and what it tells about itself. */
import type { AddressTable } from "../types/address-table.ts";
import type { Block, BlockRef, ChainAdapter } from "../types/chain.ts";
import type { Checkpoint, Lease, ScannedBlock, WindowBlock } from "../types/checkpoint.ts";
import type { StartPoint } from "../types/config.ts";
import type { Hit } from "../types/hit.ts";
import type { Log } from "../types/log.ts";
import type { Valuer } from "../types/valuer.ts";
import type { Clock } from "../lib/clock.ts";
import type { Waker } from "../lib/waker.ts";
import type { CheckStore, Missed } from "./check-missed.ts";
import type { Disputes } from "./disputes.ts";
import type { FollowState } from "./follow.ts";

export interface HeadLoopStore extends CheckStore {
  load(chain: string): Promise<Checkpoint | null>;
  begin(lease: Lease, window: readonly WindowBlock[]): Promise<void>;
  commitBlocks(commit: {
    lease: Lease;
    scanned: readonly ScannedBlock[];
    listVersion: string;
    headNumber: number;
    windowDepth: number;
    now: number;
  }): Promise<void>;
  commitRematch(commit: {
    lease: Lease;
    scanned: readonly ScannedBlock[];
    listVersion: string;
    headNumber: number;
    now: number;
  }): Promise<void>;
  commitReorg(of: { lease: Lease; ancestor: BlockRef; now: number }): Promise<{ removedHits: number }>;
  /** Refused when the list changed: what it names in blocks that become final would be seen by nobody. */
  commitFinalized(of: {
    lease: Lease;
    listVersion: string;
    number: number;
    now: number;
  }): Promise<{ finalHits: number }>;
  commitDisputed(commit: {
    lease: Lease;
    scanned: readonly ScannedBlock[];
    listVersion: string;
    headNumber: number;
    doubtedAbove: number | null;
    now: number;
  }): Promise<void>;
}

/** Where the chain stands, for metrics, health and alarms. */
export interface ChainStatus {
  readonly headNumber: number;
  readonly cursorNumber: number;
  readonly finalizedNumber: number;
  /** Block time of the tip, unix seconds; 0 before the first. */
  readonly tipTimestamp: number;
  /** Operators that were missing and have not named every block since; `contradicted`: they name others in place of final ones. */
  readonly unchecked: readonly string[];
  readonly contradicted: readonly string[];
  /** When the loop last made a turn without trouble, unix milliseconds. */
  readonly turnedAt: number;
  /** Why the loop does not move, null when it does. */
  readonly trouble: {
    readonly kind: "node" | "mismatch" | "lag" | "stalled" | "tooDeep" | "store" | "dispute";
    readonly detail: string;
  } | null;
}

export interface HeadLoopOptions {
  readonly adapter: ChainAdapter;
  readonly store: HeadLoopStore;
  readonly lease: Lease;
  readonly start: StartPoint;
  readonly windowDepth: number;
  /** The lists to match with, and their version. */
  readonly match: (block: Block) => readonly Hit[];
  /** Who says what hits are worth; absent: nobody. */
  readonly valuer?: Valuer | undefined;
  /** The addresses of those lists: what touches none of them need not be read. */
  readonly watched: AddressTable;
  readonly listVersion: string;
  readonly clock: Clock;
  /** How the loop waits; woken by the chain's push feed. */
  readonly waker: Waker;
  readonly log: Log;
  readonly onStatus: (status: ChainStatus) => void;
  /** Something was stored that may have caused work. */
  readonly onCommitted: (what: { blocks: number; hits: number; reorgDepth: number }) => void;
}

export interface LoopState {
  window: WindowBlock[];
  finalizedNumber: number;
  headNumber: number;
  phase: FollowState["phase"];
  finalityAskedAt: number;
  /** When the last block was stored (or the loop began), unix milliseconds. */
  progressAt: number;
  turnedAt: number;
  /** Blocks fetched side by side when behind. */
  ahead: number;
  /** What is known of operators that were missing: see check-missed.ts. */
  missed: Missed;
  readonly disputes: Disputes;
}

// Thirty block times and at least a minute: later than that is catch-up after downtime or a start in the past.
export function isLate({ adapter }: HeadLoopOptions, block: Block, now: number): boolean {
  return now - block.timestamp * 1000 > Math.max(60_000, 30 * adapter.blockTimeMs);
}
