/** Watched transactions that wait in a mempool, as we keep them. */

/**
 * Where a watched transaction stands that was seen in the mempool: `pending`, `included` (in a block of ours), `unmined`
 * (its block left the chain), `replaced` (another one used one of its slots or waits for it), `dropped` (gone).
 */
export type PendingState = "pending" | "included" | "unmined" | "replaced" | "dropped";

/** As stored, and resumed after a restart. */
export interface TrackedTransaction {
  readonly hash: string;
  /** See `PendingTransaction`. */
  readonly slots: readonly string[];
  readonly state: PendingState;
}
