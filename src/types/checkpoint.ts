/** What is durable about a chain between two blocks. */
import type { Block, BlockRef, Header } from "./chain.ts";
import type { Hit } from "./hit.ts";

/** Proof of leadership over one chain; every write of that chain carries it and is refused when it is stale. */
export interface Lease {
  readonly chain: string;
  readonly holder: string;
  readonly epoch: number;
}

/** One unfinalized (or just final) block of the followed chain. */
export interface WindowBlock extends Header {
  /** False for blocks below the start: known for reorgs, not scanned. */
  readonly scanned: boolean;
  /** The watchlist version it was matched with; empty when not scanned. */
  readonly listVersion: string;
}

/** Where a chain stands: ascending, contiguous, the last is the tip. */
export interface Checkpoint {
  readonly window: readonly WindowBlock[];
  /** Highest number this chain reported final; -1 before the first. */
  readonly finalizedNumber: number;
}

/** A scanned block with what was found in it, ready to be stored. */
export interface ScannedBlock {
  readonly block: Block;
  readonly hits: readonly Hit[];
  readonly late: boolean;
}

/** A scanned block that a configured operator has not named yet. */
export interface UncheckedBlock extends BlockRef {
  readonly operator: string;
  /** It named another block instead, after this one was final. */
  readonly contradicted: boolean;
}
