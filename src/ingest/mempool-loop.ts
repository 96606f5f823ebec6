/**
 * A node's mempool -> stored pending hits, for as long as this daemon leads the chain.
 *
 * Beside the head loop, never in its way: whatever fails here is told, waited out and tried again, and the blocks go on.
 * What it stores is an early warning; the block is the truth, and the store lets a block win every race.
 */
import type { AddressTable } from "../types/address-table.ts";
import type {
  BlockRef,
  BlockTrust,
  MempoolSource,
  PendingTransaction,
  TransactionFate,
  Transfer,
} from "../types/chain.ts";
import type { Lease } from "../types/checkpoint.ts";
import type { Hit } from "../types/hit.ts";
import type { Log } from "../types/log.ts";
import type { Valuer } from "../types/valuer.ts";
import type { PendingState, TrackedTransaction } from "../types/mempool.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { Waker } from "../lib/waker.ts";
import { type Absence, absenceOf, dropAfterMs, PENDING_MOVES } from "./pending-tracker.ts";

interface Found {
  readonly hash: string;
  readonly slots: readonly string[];
  readonly was: PendingState | null;
  readonly hits: readonly Hit[];
}

interface Ended {
  readonly hash: string;
  readonly was: PendingState;
  readonly how: "included" | "replaced" | "dropped";
  readonly by: string | null;
  readonly block: BlockRef | null;
}

export interface MempoolLoopStore {
  load(chain: string): Promise<TrackedTransaction[]>;
  commitPending(commit: {
    lease: Lease;
    listVersion: string;
    found: readonly Found[];
    trust: BlockTrust;
    now: number;
  }): Promise<{ hits: number }>;
  commitEnded(of: { lease: Lease; ended: readonly Ended[]; now: number }): Promise<{ hits: number }>;
  prune(of: { lease: Lease; changedBefore: number }): Promise<void>;
}

export interface MempoolStatus {
  /** Watched transactions that are waited for. */
  readonly tracked: number;
  /** Pending transactions never looked at, or not stored, because there were too many; since the start. */
  readonly skipped: number;
  /** What watched addresses spend is not seen yet. */
  readonly inputsUnseen: boolean;
}

export interface MempoolLoopOptions {
  readonly source: MempoolSource;
  readonly blockTimeMs: number;
  readonly store: MempoolLoopStore;
  readonly lease: Lease;
  /** The lists to match with, and their version. */
  readonly match: (transfers: readonly Transfer[]) => readonly Hit[];
  /** Who says what hits are worth; absent: nobody. */
  readonly valuer?: Valuer | undefined;
  readonly listVersion: string;
  /** The addresses that `match` looks for. */
  readonly watched?: AddressTable;
  readonly clock: Clock;
  readonly waker: Waker;
  readonly log: Log;
  readonly onStatus: (status: MempoolStatus) => void;
  readonly onCommitted: (what: { hits: number }) => void;
}

// Anyone can make pending transactions that name a watched address and never pay for them: beyond this many, new ones
// wait for their block like everything else. 5,000 rows are read in a few milliseconds.
const TRACKED_MAX = 5_000;
// All are read in each round: what spends a thousand coins at once takes the room of many.
const SLOTS_MAX = 50_000;
// A commit holds the chain's row, which the head loop waits for: a few milliseconds each.
const COMMIT_MAX = 100;
// Lookups of one round; the node's request cap spaces them.
const LOOKUPS_MAX = 100;
const PAUSE_MS = 100;
// How long a replaced or dropped transaction is remembered, so that one that comes back is known.
const REMEMBER_MS = 3_600_000;
const PRUNE_MS = 60_000;
const TROUBLE_LINE_MS = 60_000;

interface ReaderState {
  readonly absences: Map<string, Absence>;
  readonly askedAt: Map<string, number>;
  poolAliveAt: number;
  prunedAt: number;
  /** Watched transactions that were not stored because too many wait already. */
  notTracked: number;
}

/** Runs until the signal aborts; throws when the lease is lost or the list changed (the caller takes over again). */
export async function runMempoolLoop(options: MempoolLoopOptions, signal: AbortSignal): Promise<void> {
  const { source, waker, clock, log } = options;
  source.onHint(() => waker.wake(), signal);
  const pollMs = Math.min(Math.max(options.blockTimeMs / 4, 250), 2_000);
  const reader = createMempoolReader(options);
  let toldAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    try {
      await reader.round(signal);
    } catch (error) {
      if (signal.aborted) return;
      const code = (error as { code?: unknown }).code;
      if (code === "fenced" || code === "list_changed") throw error;
      // Also a bug of ours: it costs early warnings, and must not cost blocks.
      if (clock.now() - toldAt >= TROUBLE_LINE_MS) {
        log.warn({ error: redactText(describeError(error)) }, "mempool not read, trying again; blocks go on");
        toldAt = clock.now();
      }
    }
    // Hints may come by the thousand; each round has its price.
    await sleep(PAUSE_MS, signal);
    await waker.wait(pollMs, signal);
  }
}

/** What the loop does each time: reads what is new, asks where the known ones are, stores what changed. */
export function createMempoolReader(options: MempoolLoopOptions): { round(signal: AbortSignal): Promise<void> } {
  const state: ReaderState = {
    absences: new Map(),
    askedAt: new Map(),
    poolAliveAt: Number.NEGATIVE_INFINITY,
    prunedAt: Number.NEGATIVE_INFINITY,
    notTracked: 0,
  };
  return { round: (signal) => oneRound(options, state, signal) };
}

async function oneRound(options: MempoolLoopOptions, state: ReaderState, signal: AbortSignal): Promise<void> {
  const { source, store, lease, clock } = options;
  if (clock.now() - state.prunedAt >= PRUNE_MS) {
    await store.prune({ lease, changedBefore: clock.now() - REMEMBER_MS });
    state.prunedAt = clock.now();
  }
  const tracked = new Map((await store.load(lease.chain)).map((one) => [one.hash, one]));
  for (const known of [state.absences, state.askedAt])
    for (const hash of known.keys()) if (!tracked.has(hash)) known.delete(hash);
  await readArrivals(options, state, tracked, signal);
  await lookUp(options, state, tracked, signal);
  const waiting = [...tracked.values()].filter(isWaiting).length;
  options.onStatus({
    tracked: waiting,
    skipped: source.skipped() + state.notTracked,
    inputsUnseen: source.inputsUnseen?.() === true,
  });
}

function isWaiting({ state }: TrackedTransaction): boolean {
  return state === "pending" || state === "unmined";
}

type Tracked = Map<string, TrackedTransaction>;

async function readArrivals(
  options: MempoolLoopOptions,
  state: ReaderState,
  tracked: Tracked,
  signal: AbortSignal,
): Promise<void> {
  const { source, clock } = options;
  const bySlot = groupBySlot(tracked.values());
  const wantedSlots = new Set(bySlot.keys());
  const wants = (transaction: PendingTransaction) => {
    state.poolAliveAt = clock.now();
    // From now on also whatever takes its place: that may come in the same breath.
    if (toldHits(options, transaction).length > 0) for (const slot of transaction.slots) wantedSlots.add(slot);
    return transaction.slots.some((slot) => wantedSlots.has(slot));
  };
  const arrivals = await source.take(wants, signal, options.watched);
  const found: Found[] = [];
  const ended: Ended[] = [];
  const room = roomBeside(tracked.values());
  for (const transaction of arrivals) {
    const { hash, slots } = transaction;
    const was = tracked.get(hash)?.state ?? null;
    if (was !== null && PENDING_MOVES[was].seen !== "pending") continue;
    for (const rival of new Set(slots.flatMap((slot) => [...(bySlot.get(slot) ?? [])]))) {
      const known = tracked.get(rival);
      if (rival === hash || known === undefined || !canBeReplaced(known)) continue;
      ended.push({ hash: rival, was: known.state, how: "replaced", by: hash, block: null });
      tracked.set(rival, { ...known, state: "replaced" });
    }
    const hits = toldHits(options, transaction);
    if (hits.length === 0) continue;
    if (was === null && !room.take(slots.length)) {
      state.notTracked += 1;
      continue;
    }
    found.push({ hash, slots, was, hits });
    tracked.set(hash, { hash, slots, state: "pending" });
    addBySlot(bySlot, { hash, slots });
  }
  // First what is new: what it replaces points at it.
  await storeFound(options, found, signal);
  await storeEnded(options, ended);
}

/** Hashes of the transactions that use a slot. */
function groupBySlot(all: Iterable<TrackedTransaction>): Map<string, Set<string>> {
  const bySlot = new Map<string, Set<string>>();
  for (const one of all) addBySlot(bySlot, one);
  return bySlot;
}

function addBySlot(
  bySlot: Map<string, Set<string>>,
  { hash, slots }: Pick<TrackedTransaction, "hash" | "slots">,
): void {
  for (const slot of slots) {
    const hashes = bySlot.get(slot);
    if (hashes === undefined) bySlot.set(slot, new Set([hash]));
    else hashes.add(hash);
  }
}

/** How many more may be waited for. `take`: false where one with so many slots finds no room. */
function roomBeside(tracked: Iterable<TrackedTransaction>): { take(slots: number): boolean } {
  let waiting = 0;
  let used = 0;
  for (const one of tracked) {
    if (isWaiting(one)) waiting += 1;
    used += one.slots.length;
  }
  return {
    take(slots) {
      if (waiting >= TRACKED_MAX || used + slots > SLOTS_MAX) return false;
      waiting += 1;
      used += slots;
      return true;
    },
  };
}

function canBeReplaced({ state }: TrackedTransaction): boolean {
  return PENDING_MOVES[state].rival === "replaced" && state !== "replaced";
}

/** What is only recorded is recorded once it is in a block: a pending transaction costs its sender nothing. */
function toldHits({ match }: MempoolLoopOptions, { transfers }: PendingTransaction): readonly Hit[] {
  return match(transfers).filter((hit) => hit.recordedOnly === null);
}

/** Asks the node about transactions that may have been mined, replaced or dropped; those longest not asked for first. */
async function lookUp(
  options: MempoolLoopOptions,
  state: ReaderState,
  tracked: Tracked,
  signal: AbortSignal,
): Promise<void> {
  const { source, clock, blockTimeMs } = options;
  const everyMs = Math.max(blockTimeMs, 2_000);
  const askedAt = ({ hash }: TrackedTransaction) => state.askedAt.get(hash) ?? Number.NEGATIVE_INFINITY;
  const due = [...tracked.values()]
    .filter((one) => (isWaiting(one) || one.state === "dropped") && clock.now() - askedAt(one) >= everyMs)
    .toSorted((a, b) => askedAt(a) - askedAt(b))
    .slice(0, LOOKUPS_MAX);
  const fates = await Promise.all(due.map(async (one) => ({ one, fate: await source.fateOf(one, signal) })));
  // After all answers: the pool is alive if it showed any of them.
  if (fates.some(({ fate }) => fate.at === "pool")) state.poolAliveAt = clock.now();
  const found: Found[] = [];
  const ended: Ended[] = [];
  for (const { one, fate } of fates) {
    state.askedAt.set(one.hash, clock.now());
    const move = moveOf(options, state, one, fate);
    if (move === null) continue;
    if ("hits" in move) found.push(move);
    else ended.push(move);
  }
  await storeFound(options, found, signal);
  await storeEnded(options, ended);
}

/** What the node's answer about a tracked transaction changes; null: nothing. */
function moveOf(
  options: MempoolLoopOptions,
  state: ReaderState,
  { hash, slots, state: was }: TrackedTransaction,
  fate: TransactionFate,
): Found | Ended | null {
  if (fate.at !== "nowhere") state.absences.delete(hash);
  switch (fate.at) {
    case "pool":
      return was === "pending" ? null : { hash, slots, was, hits: toldHits(options, fate.transaction) };
    case "block":
      return { hash, was, how: "included", by: null, block: fate.block };
    case "replaced":
      return { hash, was, how: "replaced", by: fate.by, block: fate.block };
    case "nowhere": {
      const rules = {
        afterMs: dropAfterMs(options.blockTimeMs),
        poolAliveAt: state.poolAliveAt,
        now: options.clock.now(),
      };
      const { absence, lost } = absenceOf(state.absences.get(hash) ?? null, rules);
      state.absences.set(hash, absence);
      if (!lost || PENDING_MOVES[was].lost === was) return null;
      return { hash, was, how: "dropped", by: null, block: null };
    }
  }
}

async function storeFound(options: MempoolLoopOptions, found: readonly Found[], signal: AbortSignal): Promise<void> {
  const { store, lease, listVersion, source, clock } = options;
  for (const chunk of chunksOf(found)) {
    const valued = await valueFound(options, chunk, signal);
    signal.throwIfAborted();
    const { hits } = await store.commitPending({
      lease,
      listVersion,
      found: valued,
      trust: source.trust,
      now: clock.now(),
    });
    if (hits > 0) options.onCommitted({ hits });
  }
}

/** As of now: the block that takes it values it again. */
async function valueFound(
  { valuer, lease, clock }: MempoolLoopOptions,
  found: readonly Found[],
  signal: AbortSignal,
): Promise<readonly Found[]> {
  if (valuer === undefined) return found;
  const all = found.flatMap(({ hits }) => hits);
  const at = { chain: lease.chain, time: Math.floor(clock.now() / 1_000), blockHash: null };
  const valued = await valuer.valueHits(all, at, signal);
  let next = 0;
  return found.map((one) => ({ ...one, hits: valued.slice(next, (next += one.hits.length)) }));
}

async function storeEnded(
  { store, lease, clock, onCommitted }: MempoolLoopOptions,
  ended: readonly Ended[],
): Promise<void> {
  for (const chunk of chunksOf(ended)) {
    await store.commitEnded({ lease, ended: chunk, now: clock.now() });
    onCommitted({ hits: 0 });
  }
}

function chunksOf<T>(rows: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < rows.length; start += COMMIT_MAX) chunks.push(rows.slice(start, start + COMMIT_MAX));
  return chunks;
}
