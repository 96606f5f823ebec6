/**
 * One watched transaction of the mempool: what each observation means. Pure, no clock, no node.
 *
 * States (see `PendingState`): `pending` waits in the pool; `included` is in a block of ours; `unmined` was, and waits
 * again; `replaced` and `dropped` are over, as far as anybody can tell: a block may still bring them.
 */
import type { PendingState } from "../types/mempool.ts";

/**
 * `seen`: in the pool. `rival`: another one with a slot of its is in the pool, or in a block. `mined`: in a block. `unmined`:
 * that block left the chain. `lost`: gone for good, by the rules of `absenceOf`.
 */
export type PendingEvent = "seen" | "rival" | "mined" | "unmined" | "lost";

/** `mined` and `unmined` are the store's moves, made with the block; the others are the follower's. */
export const PENDING_MOVES: Record<PendingState, Record<PendingEvent, PendingState>> = {
  pending: { seen: "pending", rival: "replaced", mined: "included", unmined: "pending", lost: "dropped" },
  // A pool may show a transaction a little longer than it waits, and a rival that comes too late.
  included: { seen: "included", rival: "included", mined: "included", unmined: "unmined", lost: "included" },
  unmined: { seen: "pending", rival: "replaced", mined: "included", unmined: "unmined", lost: "dropped" },
  // Several pools behind one address may show both in turn: only a block brings a replaced one back.
  replaced: { seen: "replaced", rival: "replaced", mined: "included", unmined: "replaced", lost: "replaced" },
  dropped: { seen: "pending", rival: "replaced", mined: "included", unmined: "dropped", lost: "dropped" },
};

/** Since when a transaction is missing from the pool, and how often in a row; null: it is there. */
export interface Absence {
  readonly since: number;
  readonly times: number;
}

export interface DropRules {
  readonly afterMs: number;
  /** When anything at all was last seen in the pool. */
  readonly poolAliveAt: number;
  readonly now: number;
}

// Fewer could all fall into one moment in which the node was busy or another pool answered.
const TIMES_MIN = 5;
// A pool in which nothing moves may be a node that was just started: it gets this many times longer.
const PATIENCE_WITH_DEAD_POOL = 30;

/** One more look that did not find it. `lost` once it is missing long and often enough, in a pool that lives. */
export function absenceOf(
  before: Absence | null,
  { afterMs, poolAliveAt, now }: DropRules,
): { absence: Absence; lost: boolean } {
  const absence = { since: before?.since ?? now, times: (before?.times ?? 0) + 1 };
  const waitedMs = now - absence.since;
  const isAlive = poolAliveAt > absence.since;
  const enoughMs = isAlive ? afterMs : afterMs * PATIENCE_WITH_DEAD_POOL;
  return { absence, lost: absence.times >= TIMES_MIN && waitedMs >= enoughMs };
}

/** Twenty block times, at least 15 s, at most ten minutes: as long as a node takes to fill its pool after a restart. */
export function dropAfterMs(blockTimeMs: number): number {
  return Math.min(Math.max(20 * blockTimeMs, 15_000), 600_000);
}
