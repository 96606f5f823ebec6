/**
 * What a chain's leader writes: one transaction per batch of blocks, per reorg, per step of finality.
 *
 * Always holds: a block counts as scanned only in the transaction that stores everything found in it; every write
 * carries the lease and is refused when it is stale; every change of a hit is an event, and every event an outbox row.
 */
import type { Transaction } from "kysely";
import { assert } from "../lib/assert.ts";
import type { BlockRef } from "../types/chain.ts";
import type { Checkpoint, Lease, ScannedBlock, UncheckedBlock, WindowBlock } from "../types/checkpoint.ts";
import type { Hit, HitBlock } from "../types/hit.ts";
import { encodeHit, matchDigest } from "./codec.ts";
import { addCoverage, cutCoverage, rematchCoverage } from "./coverage.ts";
import type { Db } from "./database.ts";
import { holdForMatching, holdLease } from "./leases.ts";
import { addHitEvents, hitBlock, type KnownHit, knownHits, writeHits } from "./hit-rows.ts";
import { inChunks } from "./outbox.ts";
import { settleMined, settleUnmined } from "./pending-moves.ts";
import type { Database } from "./schema.ts";
import {
  addUnchecked,
  checkBlocks,
  cutUnchecked,
  doubtHits,
  listUnchecked,
  settleDisputed,
  storeDisputed,
} from "./trust.ts";
import { stillTold } from "./watch-hits.ts";

export interface CommitBlocks {
  readonly lease: Lease;
  readonly scanned: readonly ScannedBlock[];
  /** The version of the list they were matched with. */
  readonly listVersion: string;
  readonly headNumber: number;
  readonly windowDepth: number;
  readonly now: number;
}

export interface ChainStore {
  load(chain: string): Promise<Checkpoint | null>;
  /** The first window of a chain: blocks known, none scanned. */
  begin(lease: Lease, window: readonly WindowBlock[]): Promise<void>;
  commitBlocks(commit: CommitBlocks): Promise<void>;
  /** Blocks of the window matched again with a changed list. */
  commitRematch(commit: Omit<CommitBlocks, "windowDepth">): Promise<void>;
  commitReorg(of: { lease: Lease; ancestor: BlockRef; now: number }): Promise<{ removedHits: number }>;
  /** Refused when the list changed: what it names in blocks that become final would be seen by nobody. */
  commitFinalized(of: {
    lease: Lease;
    listVersion: string;
    number: number;
    now: number;
  }): Promise<{ finalHits: number }>;
  /**
   * Blocks that only some operators name: their hits are told as disputed, and so are our own above `doubtedAbove`. The
   * cursor stays; what the agreed blocks hold is settled by `commitBlocks`.
   */
  commitDisputed(commit: CommitDisputed): Promise<void>;
  /** Blocks an operator has not named, lowest first. */
  unchecked(of: { chain: string; operator: string; contradicted: boolean; limit: number }): Promise<UncheckedBlock[]>;
  /** Operators that blocks wait for. */
  uncheckedBy(chain: string): Promise<{ operator: string; contradicted: boolean }[]>;
  /** An operator that was missing named these blocks, or others in place of the contradicted ones. */
  commitChecked(commit: CommitChecked): Promise<void>;
}

export interface CommitDisputed {
  readonly lease: Lease;
  readonly scanned: readonly ScannedBlock[];
  readonly listVersion: string;
  readonly headNumber: number;
  readonly doubtedAbove: number | null;
  readonly now: number;
}

export interface CommitChecked {
  readonly lease: Lease;
  readonly operator: string;
  readonly vouched: readonly BlockRef[];
  readonly contradicted: readonly BlockRef[];
  readonly now: number;
}

export function createChainStore(db: Db): ChainStore {
  return {
    load: (chain) => loadCheckpoint(db, chain),

    begin: (lease, window) =>
      db.transaction().execute(async (trx) => {
        await holdLease(trx, lease);
        for (const chunk of inChunks(window))
          await trx
            .insertInto("checkpoint")
            .values(chunk.map((block) => checkpointRow(lease.chain, block)))
            .execute();
      }),

    commitBlocks: (commit) =>
      db.transaction().execute(async (trx) => {
        const { finalizedNumber } = await holdForMatching(trx, commit);
        await extendWindow(trx, commit);
        await storeHits(trx, commit, "included");
        await settleMined(trx, commit);
        const upTo = commit.scanned.at(-1)?.block.number ?? 0;
        await settleDisputed(trx, { chain: commit.lease.chain, upTo, now: commit.now });
        await addCoverage(trx, commit.lease.chain, commit.scanned, commit.listVersion);
        await addUnchecked(trx, commit.lease.chain, commit.scanned);
        await pruneWindow(trx, commit, finalizedNumber);
      }),

    commitRematch: (commit) =>
      db.transaction().execute(async (trx) => {
        await holdForMatching(trx, commit);
        for (const { block } of commit.scanned) {
          const { numUpdatedRows } = await trx
            .updateTable("checkpoint")
            .set({ list_version: commit.listVersion, scanned: true })
            .where("chain", "=", commit.lease.chain)
            .where("number", "=", block.number)
            .where("hash", "=", block.hash)
            .executeTakeFirst();
          assert(numUpdatedRows === 1n, `block ${block.number} matched again is still in the window`);
        }
        await rematchCoverage(trx, commit.lease.chain, commit.scanned, commit.listVersion);
        await storeHits(trx, commit, "rematched");
      }),

    commitReorg: ({ lease, ancestor, now }) =>
      db.transaction().execute(async (trx) => {
        const { finalizedNumber } = await holdLease(trx, lease);
        assert(ancestor.number >= finalizedNumber, "a reorg never goes below a final block");
        await trx
          .deleteFrom("checkpoint")
          .where("chain", "=", lease.chain)
          .where("number", ">", ancestor.number)
          .execute();
        await cutCoverage(trx, lease.chain, ancestor.number);
        await settleUnmined(trx, { chain: lease.chain, above: ancestor.number, now });
        await cutUnchecked(trx, lease.chain, ancestor.number);
        return {
          removedHits: await settleHits(trx, { chain: lease.chain, above: ancestor.number, to: "removed", now }),
        };
      }),

    commitFinalized: ({ lease, listVersion, number, now }) =>
      db.transaction().execute(async (trx) => {
        const { finalizedNumber } = await holdForMatching(trx, { lease, listVersion });
        if (number <= finalizedNumber) return { finalHits: 0 };
        await trx
          .updateTable("chain_lease")
          .set({ finalized_number: number })
          .where("chain", "=", lease.chain)
          .execute();
        await trx
          .deleteFrom("pending_transaction")
          .where("chain", "=", lease.chain)
          .where("block_number", "<=", number)
          .execute();
        await settleDisputed(trx, { chain: lease.chain, upTo: number, now });
        return { finalHits: await settleHits(trx, { chain: lease.chain, upTo: number, to: "final", now }) };
      }),

    commitDisputed: (commit) =>
      db.transaction().execute(async (trx) => {
        await holdForMatching(trx, commit);
        const { chain } = commit.lease;
        if (commit.doubtedAbove !== null) await doubtHits(trx, { chain, above: commit.doubtedAbove, now: commit.now });
        await storeDisputed(trx, commit);
      }),

    unchecked: (of) => listUnchecked(db, of),

    uncheckedBy: (chain) =>
      db.selectFrom("unchecked").select(["operator", "contradicted"]).distinct().where("chain", "=", chain).execute(),

    commitChecked: ({ lease, ...checked }) =>
      db.transaction().execute(async (trx) => {
        await holdLease(trx, lease);
        await checkBlocks(trx, { chain: lease.chain, ...checked });
      }),
  };
}

async function loadCheckpoint(db: Db, chain: string): Promise<Checkpoint | null> {
  const rows = await db.selectFrom("checkpoint").selectAll().where("chain", "=", chain).orderBy("number").execute();
  if (rows.length === 0) return null;
  const lease = await db
    .selectFrom("chain_lease")
    .select("finalized_number")
    .where("chain", "=", chain)
    .executeTakeFirst();
  return {
    window: rows.map((row) => ({
      number: row.number,
      hash: row.hash,
      parentHash: row.parent_hash,
      timestamp: row.timestamp,
      ...(row.work === null ? {} : { work: BigInt(row.work) }),
      scanned: row.scanned,
      listVersion: row.list_version,
    })),
    finalizedNumber: lease?.finalized_number ?? -1,
  };
}

function checkpointRow(chain: string, block: WindowBlock) {
  return {
    chain,
    number: block.number,
    hash: block.hash,
    parent_hash: block.parentHash,
    timestamp: block.timestamp,
    work: block.work?.toString() ?? null,
    scanned: block.scanned,
    list_version: block.listVersion,
  };
}

async function extendWindow(trx: Transaction<Database>, { lease, scanned, listVersion }: CommitBlocks): Promise<void> {
  const tip = await trx
    .selectFrom("checkpoint")
    .select(["number", "hash"])
    .where("chain", "=", lease.chain)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  let parent: BlockRef | undefined = tip;
  for (const { block } of scanned) {
    assert(
      parent === undefined || (block.number === parent.number + 1 && block.parentHash === parent.hash),
      `block ${block.number} follows the stored tip`,
    );
    parent = block;
  }
  for (const chunk of inChunks(scanned)) {
    await trx
      .insertInto("checkpoint")
      .values(chunk.map(({ block }) => checkpointRow(lease.chain, { ...block, scanned: true, listVersion })))
      .execute();
  }
}

async function pruneWindow(
  trx: Transaction<Database>,
  { lease, scanned, windowDepth }: CommitBlocks,
  finalizedNumber: number,
): Promise<void> {
  const tip = scanned.at(-1)?.block.number ?? 0;
  const lowest = Math.min(Math.max(finalizedNumber, 0), tip - windowDepth);
  await trx.deleteFrom("checkpoint").where("chain", "=", lease.chain).where("number", "<", lowest).execute();
}

/** Stores the hits of the blocks and an event for each that is new, came back, or is told differently now. */
async function storeHits(
  trx: Transaction<Database>,
  commit: Omit<CommitBlocks, "windowDepth">,
  kind: "included" | "rematched",
): Promise<void> {
  const writes = commit.scanned.flatMap((scanned) => scanned.hits.map((hit) => ({ hit, scanned })));
  for (const chunk of inChunks(writes)) {
    const known = await knownHits(trx, chunk);
    const placed = chunk.map((write) => ({ ...write, ...placeHit(write.hit, known.get(write.hit.hitId)) }));
    await writeHits(trx, placed, { state: "included", headNumber: commit.headNumber, now: commit.now });
    const toTell = placed.filter(({ hit, digest, before, scanned }) => {
      if (hit.recordedOnly !== null && (before === undefined || before.recorded_rule !== null)) return false;
      return isNew(before) || before?.match_digest !== digest || before?.block_hash !== scanned.block.hash;
    });
    await addHitEvents(
      trx,
      toTell.map(({ hit, scanned, before }) => ({
        hitId: hit.hitId,
        alertId: hit.alertId,
        kind: isNew(before) ? "included" : kind,
        block: hitBlock(scanned, commit.headNumber),
        payload: encodeHit(hit),
        trust: JSON.stringify(scanned.block.trust),
        late: scanned.late,
      })),
      commit.now,
    );
  }
}

/**
 * An alert's id is fixed at creation: a hit seen before keeps the alert it belongs to. And one that was told stays told
 * when its entry is muted or over: its alert says what became of the entry.
 */
function placeHit(hit: Hit, before: KnownHit | undefined): { hit: Hit; before: KnownHit | undefined; digest: string } {
  const isTold = before !== undefined && before.recorded_rule === null && before.state !== "removed";
  const placed = { ...(isTold ? stillTold(hit) : hit), alertId: before?.alert_id ?? hit.alertId };
  return { hit: placed, before, digest: matchDigest(placed) };
}

/** New to the chain: never seen, gone since, seen in the mempool only, or in a block that was disputed. */
function isNew(before: KnownHit | undefined): boolean {
  return (
    before === undefined || before.state === "removed" || before.state === "pending" || before.state === "disputed"
  );
}

interface Settle {
  readonly chain: string;
  readonly above?: number;
  readonly upTo?: number;
  readonly to: "removed" | "final";
  readonly now: number;
}

/** Moves unsettled hits above or up to a height to their new state, with an event for each that people were told of. */
async function settleHits(trx: Transaction<Database>, { chain, above, upTo, to, now }: Settle): Promise<number> {
  let update = trx.updateTable("hit").set({ state: to }).where("chain", "=", chain).where("state", "=", "included");
  if (above !== undefined) update = update.where("block_number", ">", above);
  if (upTo !== undefined) update = update.where("block_number", "<=", upTo);
  const rows = await update.returning(["hit_id", "alert_id", "block_number", "block_hash", "recorded_rule"]).execute();
  const told = rows
    .filter((row) => row.recorded_rule === null)
    .map((row) => ({ ...row, block_number: row.block_number ?? -1, block_hash: row.block_hash ?? "" }))
    .toSorted((a, b) => a.block_number - b.block_number || (a.hit_id < b.hit_id ? -1 : 1));
  await addHitEvents(
    trx,
    told.map((row) => ({
      hitId: row.hit_id,
      alertId: row.alert_id,
      kind: to,
      block: JSON.stringify({
        number: row.block_number,
        hash: row.block_hash,
        timestamp: 0,
        confirmations: 0,
      } satisfies HitBlock),
      payload: null,
      trust: null,
      late: false,
      reason: to === "removed" ? "reorg" : null,
    })),
    now,
  );
  return rows.length;
}
