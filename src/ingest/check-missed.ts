/**
 * An operator that was missing is back: every block scanned without it is compared with what it names, hash by hash,
 * lowest first, some at a time beside the live chain.
 */
import type { BlockRef, ChainAdapter, OperatorView } from "../types/chain.ts";
import type { Lease, UncheckedBlock } from "../types/checkpoint.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../types/log.ts";

export interface CheckStore {
  unchecked(of: { chain: string; operator: string; contradicted: boolean; limit: number }): Promise<UncheckedBlock[]>;
  uncheckedBy(chain: string): Promise<{ operator: string; contradicted: boolean }[]>;
  commitChecked(of: {
    lease: Lease;
    operator: string;
    vouched: readonly BlockRef[];
    contradicted: readonly BlockRef[];
    now: number;
  }): Promise<void>;
}

/** Operators with blocks still to be compared, and those that name others in place of final ones. */
export interface Missed {
  readonly unchecked: Set<string>;
  readonly contradicted: Set<string>;
  askedAt: number;
  contradictedAskedAt: number;
}

export interface CheckOptions {
  readonly adapter: ChainAdapter;
  readonly store: CheckStore;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Log;
  readonly views: readonly OperatorView[];
  readonly onCommitted: (what: { blocks: number; hits: number; reorgDepth: number }) => void;
}

// 64 headers a second: a day of Ethereum in two minutes, beside the live chain.
const BATCH = 64;
const PAUSE_MS = 1_000;
// Whoever contradicted a final block may come round once its node was repaired.
const CONTRADICTED_PAUSE_MS = 60_000;

export async function openMissed(store: CheckStore, chain: string): Promise<Missed> {
  const rows = await store.uncheckedBy(chain);
  const named = (contradicted: boolean) =>
    new Set(rows.filter((row) => row.contradicted === contradicted).map(({ operator }) => operator));
  return {
    unchecked: named(false),
    contradicted: named(true),
    askedAt: Number.NEGATIVE_INFINITY,
    contradictedAskedAt: Number.NEGATIVE_INFINITY,
  };
}

export async function checkMissed(
  options: CheckOptions,
  state: { readonly missed: Missed; readonly finalizedNumber: number },
  signal: AbortSignal,
): Promise<void> {
  const { missed } = state;
  const now = options.clock.now();
  const again = now - missed.contradictedAskedAt >= CONTRADICTED_PAUSE_MS;
  if (now - missed.askedAt < PAUSE_MS) return;
  missed.askedAt = now;
  for (const view of options.views) {
    try {
      if (missed.unchecked.has(view.operator)) await checkBatch(options, state, { view, contradicted: false, signal });
      if (again && missed.contradicted.has(view.operator)) {
        missed.contradictedAskedAt = now;
        await checkBatch(options, state, { view, contradicted: true, signal });
      }
    } catch (error) {
      // Gone again in the middle of it: the live chain does not wait for that. A dispute is the loop's to tell.
      const { code, retryable } = error as { code?: unknown; retryable?: unknown };
      if (code === "dispute" || typeof retryable !== "boolean" || FROM_STORE.has(code)) throw error;
    }
  }
}

const FROM_STORE: ReadonlySet<unknown> = new Set(["fenced", "list_changed"]);

async function checkBatch(
  { adapter, store, lease, clock, log, onCommitted }: CheckOptions,
  { missed, finalizedNumber }: { readonly missed: Missed; readonly finalizedNumber: number },
  { view, contradicted, signal }: { view: OperatorView; contradicted: boolean; signal: AbortSignal },
): Promise<void> {
  const { operator } = view;
  const rows = await store.unchecked({ chain: lease.chain, operator, contradicted, limit: BATCH });
  const set = contradicted ? missed.contradicted : missed.unchecked;
  if (rows.length === 0) {
    set.delete(operator);
    log.info({ operator }, "every block scanned without this operator was compared with what it names");
    return;
  }
  const headers = await Promise.all(rows.map(({ number }) => view.headerAt(number, signal)));
  const vouched = rows.filter(({ hash }, index) => headers[index]?.hash === hash);
  const others = rows.filter(({ hash }, index) => headers[index] !== null && headers[index]?.hash !== hash);
  const against = others.filter(({ number }) => number <= finalizedNumber);
  const isNew = against.length > 0 && !contradicted;
  if (vouched.length > 0 || isNew) {
    await store.commitChecked({ lease, operator, vouched, contradicted: isNew ? against : [], now: clock.now() });
    onCommitted({ blocks: 0, hits: 0, reorgDepth: 0 });
  }
  if (isNew) {
    missed.contradicted.add(operator);
    log.error({ operator, from: against[0]?.number }, "an operator that was missing contradicts final blocks");
  }
  // Not final: asked of all together, it is a dispute, and both sides are told.
  const [open] = others.filter(({ number }) => number > finalizedNumber);
  if (open !== undefined) await adapter.headerAt(open.number, signal);
}
