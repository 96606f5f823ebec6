/**
 * What a chain's leader writes about its mempool: hits without a block, and how their transactions end.
 *
 * Always holds: every write carries the lease; a transaction is moved only from the state its follower saw, so a block
 * committed in between wins; nothing here touches a hit that is in a block.
 */
import type { Transaction } from "kysely";
import type { BlockRef, BlockTrust } from "../types/chain.ts";
import type { Lease } from "../types/checkpoint.ts";
import type { Hit, HitEvent } from "../types/hit.ts";
import type { PendingState, TrackedTransaction } from "../types/mempool.ts";
import { decodeHit, encodeHit, matchDigest } from "./codec.ts";
import type { Db } from "./database.ts";
import { addHitEvents, bareEvent, encodeLink, knownHits, type NewHitEvent, writeHits } from "./hit-rows.ts";
import { holdForMatching, holdLease } from "./leases.ts";
import { inChunks } from "./outbox.ts";
import { endPendingHits, supersede } from "./pending-moves.ts";
import type { Database } from "./schema.ts";

export interface FoundPending {
  readonly hash: string;
  readonly slots: readonly string[];
  /** As its follower knew it; null: not at all. */
  readonly was: PendingState | null;
  /** Only what is told: what is recorded only is recorded once it is in a block. */
  readonly hits: readonly Hit[];
}

export interface CommitPending {
  readonly lease: Lease;
  /** The version of the list they were matched with. */
  readonly listVersion: string;
  readonly found: readonly FoundPending[];
  readonly trust: BlockTrust;
  readonly now: number;
}

/** How a wait ended. `block`: the block that decided it, when one did; it counts once it is scanned here. */
export interface EndedPending {
  readonly hash: string;
  /** As its follower knew it. */
  readonly was: PendingState;
  readonly how: "included" | "replaced" | "dropped";
  /** The transaction that took its place. */
  readonly by: string | null;
  readonly block: BlockRef | null;
}

export interface PendingStore {
  load(chain: string): Promise<TrackedTransaction[]>;
  commitPending(commit: CommitPending): Promise<{ hits: number }>;
  commitEnded(of: { lease: Lease; ended: readonly EndedPending[]; now: number }): Promise<{ hits: number }>;
  /** Forgets transactions that were replaced or dropped before that time. */
  prune(of: { lease: Lease; changedBefore: number }): Promise<void>;
}

// No slot has one in it.
const SEPARATOR = " ";

export function createPendingStore(db: Db): PendingStore {
  return {
    async load(chain) {
      const rows = await db
        .selectFrom("pending_transaction")
        .select(["tx_hash", "slots", "state"])
        .where("chain", "=", chain)
        .orderBy("tx_hash")
        .execute();
      return rows.map((row) => ({ hash: row.tx_hash, slots: row.slots.split(SEPARATOR), state: row.state }));
    },

    commitPending: (commit) =>
      db.transaction().execute(async (trx) => {
        await holdForMatching(trx, commit);
        let hits = 0;
        for (const chunk of inChunks(commit.found)) hits += await storePending(trx, { ...commit, found: chunk });
        return { hits };
      }),

    commitEnded: ({ lease, ended, now }) =>
      db.transaction().execute(async (trx) => {
        await holdLease(trx, lease);
        let hits = 0;
        for (const one of ended) hits += await endOne(trx, { chain: lease.chain, ended: one, now });
        return { hits };
      }),

    prune: ({ lease, changedBefore }) =>
      db.transaction().execute(async (trx) => {
        await holdLease(trx, lease);
        await trx
          .deleteFrom("pending_transaction")
          .where("chain", "=", lease.chain)
          .where("state", "in", ["replaced", "dropped"])
          .where("changed_at", "<", changedBefore)
          .execute();
      }),
  };
}

async function storePending(trx: Transaction<Database>, { lease, found, trust, now }: CommitPending): Promise<number> {
  const { chain } = lease;
  const hashes = found.map((one) => one.hash);
  const states = await trx
    .selectFrom("pending_transaction")
    .select(["tx_hash", "state"])
    .where("chain", "=", chain)
    .where("tx_hash", "in", hashes)
    .execute();
  const stateOf = new Map(states.map((row) => [row.tx_hash, row.state]));
  const taken = found.filter((one) => (stateOf.get(one.hash) ?? null) === one.was);
  if (taken.length === 0) return 0;
  await trx
    .insertInto("pending_transaction")
    .values(
      taken.map(({ hash, slots }) => ({
        chain,
        tx_hash: hash,
        slots: slots.join(SEPARATOR),
        state: "pending" as const,
        block_number: null,
        changed_at: now,
      })),
    )
    .onConflict((conflict) => conflict.columns(["chain", "tx_hash"]).doUpdateSet({ state: "pending", changed_at: now }))
    .execute();
  return storeHits(trx, { hits: taken.flatMap((one) => one.hits), trust, now });
}

async function storeHits(
  trx: Transaction<Database>,
  { hits, trust, now }: { hits: readonly Hit[]; trust: BlockTrust; now: number },
): Promise<number> {
  const events: NewHitEvent[] = [];
  for (const chunk of inChunks(hits)) {
    const known = await knownHits(
      trx,
      chunk.map((hit) => ({ hit })),
    );
    const told = chunk.flatMap((hit) => {
      const before = known.get(hit.hitId);
      if (before === undefined) return [hit];
      const isOld = before.state === "pending" && before.match_digest === matchDigest(hit);
      if (isOld || (before.state !== "pending" && before.state !== "removed")) return [];
      // An alert's id is fixed at creation: a hit seen before keeps the alert it belongs to.
      return [{ ...hit, alertId: before.alert_id }];
    });
    const writes = told.map((hit) => ({ hit, scanned: null }));
    await writeHits(trx, writes, { state: "pending", headNumber: 0, now });
    for (const hit of told)
      events.push({
        ...bareEvent({ hitId: hit.hitId, alertId: hit.alertId, kind: "pending" }),
        payload: encodeHit(hit),
        trust: JSON.stringify(trust),
      });
  }
  await addHitEvents(trx, events, now);
  return events.length;
}

async function endOne(
  trx: Transaction<Database>,
  { chain, ended, now }: { chain: string; ended: EndedPending; now: number },
): Promise<number> {
  const { hash, was, how, by, block } = ended;
  if (block !== null && !(await isScanned(trx, chain, block))) return 0;
  const { numUpdatedRows } = await trx
    .updateTable("pending_transaction")
    .set({ state: how, block_number: how === "included" ? (block?.number ?? null) : null, changed_at: now })
    .where("chain", "=", chain)
    .where("tx_hash", "=", hash)
    .where("state", "=", was)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return 0;
  // The block was scanned with this transaction in it: what it tells is stored, the rest did not happen.
  if (how === "included") return supersede(trx, { chain, hashes: [hash], now });
  const hits = await endPendingHits(trx, { chain, hashes: [hash] });
  const removed = hits.map((hit) => ({ ...bareEvent({ ...hit, kind: "removed" }), reason: how }));
  const links = by === null ? [] : await linksBetween(trx, { chain, replaced: hash, by });
  await addHitEvents(trx, [...removed, ...links], now);
  return hits.length;
}

/** In the window and scanned, or older than all of it: what such a block has to tell is stored. */
async function isScanned(trx: Transaction<Database>, chain: string, { number, hash }: BlockRef): Promise<boolean> {
  const row = await trx
    .selectFrom("checkpoint")
    .select(["number", "hash", "scanned"])
    .where("chain", "=", chain)
    .where("number", ">=", number)
    .orderBy("number")
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return false;
  return row.number > number || (row.hash === hash && row.scanned);
}

/** Two told alerts of transactions that exclude each other point at each other. */
async function linksBetween(
  trx: Transaction<Database>,
  { chain, replaced, by }: { chain: string; replaced: string; by: string },
): Promise<NewHitEvent[]> {
  const rows = await trx
    .selectFrom("hit")
    .select(["hit_id", "alert_id", "tx_hash", "payload"])
    .where("chain", "=", chain)
    .where("tx_hash", "in", [replaced, by])
    .where("recorded_rule", "is", null)
    .orderBy("hit_id")
    .execute();
  const alerts = new Map(
    rows.map((row) => [
      row.alert_id,
      { hitId: row.hit_id, alertId: row.alert_id, txHash: row.tx_hash, subject: decodeHit(row.payload).subject },
    ]),
  );
  return linkEvents([...alerts.values()], { replaced, by });
}

/** An alert as its link needs it: one of its hits carries the event. */
export interface LinkedAlert {
  readonly hitId: string;
  readonly alertId: string;
  readonly txHash: string;
  readonly subject: string;
}

/** Each alert points at the other transaction's alert of its own subject, else at its first one. */
export function linkEvents(alerts: readonly LinkedAlert[], of: { replaced: string; by: string }): NewHitEvent[] {
  return alerts.map(({ hitId, alertId, txHash, subject }) => {
    const isReplaced = txHash === of.replaced;
    const transaction = isReplaced ? of.by : of.replaced;
    const others = alerts.filter((alert) => alert.txHash === transaction).toSorted(byAlertId);
    const other = others.find((alert) => alert.subject === subject) ?? others[0];
    const link: NonNullable<HitEvent["link"]> = {
      as: isReplaced ? "replacedBy" : "replaces",
      other: { transaction, alertId: other?.alertId ?? null },
    };
    return { ...bareEvent({ hitId, alertId, kind: "linked" }), link: encodeLink(link) };
  });
}

function byAlertId(a: LinkedAlert, b: LinkedAlert): number {
  return a.alertId < b.alertId ? -1 : 1;
}
