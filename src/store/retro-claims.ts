/**
 * Who reads which range of a scan of the past, and what reading it gave.
 *
 * States of a range: `open` -> `claimed` (a process reads it) -> `done`. A claim that ran out may be taken by anybody;
 * the epoch, checked in the transaction that stores, decides whose reading counts. A range is done only in the
 * transaction that stores everything found in it, with its coverage.
 */
import { sql, type Transaction } from "kysely";
import { AppError } from "../lib/errors.ts";
import type { PastBlock, Claim, ClaimedRange, ReadRange } from "../types/retro.ts";
import { addRange, trustOf } from "./coverage.ts";
import type { Db } from "./database.ts";
import { FencedError, ListChangedError } from "./leases.ts";
import { inChunks } from "./outbox.ts";
import { type FoundHit, storePastHits } from "./past-hits.ts";
import type { Database } from "./schema.ts";

/** What was read does not join what is known beside it: somebody told of another chain. */
export class UnlinkedError extends AppError {
  override readonly code = "unlinked";
  override readonly retryable = true;
}

/** Where a claim may be made: something of this chunk waits to be read. `epoch` rises with every claim. */
export interface ClaimablePlace {
  readonly chain: string;
  readonly chunk: number;
  readonly epoch: number;
}

export interface CommitPast {
  readonly claim: Claim;
  readonly read: readonly ReadRange[];
  /** Of the lists they were matched with. */
  readonly listVersion: string;
  readonly headNumber: number;
  readonly now: number;
}

export interface RetroClaims {
  /** Chunks that wait for a reader, the newest blocks first; only final blocks do. */
  claimable(options: { chains: readonly string[]; limit: number }): Promise<ClaimablePlace[]>;
  /** The list its blocks are matched with at present; null: nobody ever followed it. */
  listInForce(chain: string): Promise<string | null>;
  /** All that waits in a chunk, of every scan: what is read together costs the node one reading. Null: nothing does. */
  claim(of: { chain: string; chunk: number; holder: string; ttlMs: number }): Promise<Claim | null>;
  /** False: not one of its ranges is ours any more. */
  renew(claim: Claim, ttlMs: number): Promise<boolean>;
  /** Gives the ranges back at once, with the reason where it failed. */
  release(claim: Claim, of: { trouble: string | null; now: number }): Promise<void>;
  /**
   * Stores what was read for the ranges that are still ours, and which scans ended with it.
   * Throws FencedError (nothing is ours any more), ListChangedError or UnlinkedError; then nothing is stored.
   */
  commit(commit: CommitPast): Promise<{ hits: number; fresh: number; ended: readonly string[] }>;
}

export function createRetroClaims(db: Db): RetroClaims {
  return {
    async claimable({ chains, limit }) {
      if (chains.length === 0) return [];
      return db
        .selectFrom("retro_range as range")
        .innerJoin("retro_scan as scan", "scan.scan_id", "range.scan_id")
        .innerJoin("chain_lease as lease", "lease.chain", "range.chain")
        .select(["range.chain", "range.chunk", (eb) => eb.fn.max("range.epoch").as("epoch")])
        .where("scan.state", "=", "running")
        .where("range.chain", "in", chains)
        .where(IS_FREE)
        .whereRef("range.to_number", "<=", "lease.finalized_number")
        .groupBy(["range.chain", "range.chunk"])
        .orderBy("range.chunk", "desc")
        .orderBy("range.chain")
        .limit(limit)
        .execute();
    },

    async listInForce(chain) {
      const lease = await db
        .selectFrom("chain_lease")
        .select("list_version")
        .where("chain", "=", chain)
        .executeTakeFirst();
      return lease?.list_version ?? null;
    },

    claim: (of) => db.transaction().execute((trx) => claimChunk(trx, of)),

    async renew(claim, ttlMs) {
      const result = await sql`
        update retro_range set expires_at = now() + ${ttlMs} * interval '1 millisecond'
        where ${isOurs(claim)}`.execute(db);
      return Number(result.numAffectedRows ?? 0) > 0;
    },

    async release(claim, { trouble, now }) {
      const rest = trouble === null ? sql`null` : sql`now() + ${TROUBLE_REST_MS} * interval '1 millisecond'`;
      await sql`update retro_range set state = 'open', holder = null, expires_at = ${rest} where ${isOurs(claim)}`.execute(
        db,
      );
      if (trouble === null) return;
      await db
        .updateTable("retro_scan")
        .set({ trouble, trouble_since: sql<number>`coalesce(trouble_since, ${now}::int8)` })
        .where("scan_id", "in", scansOf(claim))
        .where("state", "=", "running")
        .execute();
    },

    commit: (commit) => db.transaction().execute((trx) => commitRead(trx, commit)),
  };
}

// A claim that ran out, or a range given back with a trouble: not before its time.
const IS_FREE = sql<boolean>`range.state <> 'done' and (range.expires_at is null or range.expires_at < now())`;
// A node that is away is not asked for the same range by every process each second.
const TROUBLE_REST_MS = 5_000;

function scansOf({ ranges }: Claim): string[] {
  return [...new Set(ranges.map(({ scanId }) => scanId))].toSorted();
}

/** Ranges of the claim that nobody has taken over. */
function isOurs({ holder, ranges }: Claim) {
  const keys = ranges.map(({ scanId, from, epoch }) => sql`(${scanId}, ${from}::int8, ${epoch}::int8)`);
  return sql<boolean>`state = 'claimed' and holder = ${holder} and (scan_id, from_number, epoch) in (${sql.join(keys)})`;
}

async function claimChunk(
  trx: Transaction<Database>,
  { chain, chunk, holder, ttlMs }: { chain: string; chunk: number; holder: string; ttlMs: number },
): Promise<Claim | null> {
  // Rows that another process is claiming in this moment are skipped, not waited for.
  const free = await trx
    .selectFrom("retro_range as range")
    .innerJoin("retro_scan as scan", "scan.scan_id", "range.scan_id")
    .innerJoin("chain_lease as lease", "lease.chain", "range.chain")
    .select(["range.scan_id", "range.from_number", "range.to_number", "range.epoch", "scan.reading"])
    .where("scan.state", "=", "running")
    .where("range.chain", "=", chain)
    .where("range.chunk", "=", chunk)
    .where(IS_FREE)
    .whereRef("range.to_number", "<=", "lease.finalized_number")
    .orderBy("range.scan_id")
    .orderBy("range.from_number")
    .forUpdate("range")
    .skipLocked()
    .execute();
  if (free.length === 0) return null;
  const keys = free.map((row) => sql`(${row.scan_id}, ${row.from_number}::int8)`);
  await sql`
    update retro_range
    set state = 'claimed', epoch = epoch + 1, holder = ${holder},
        expires_at = now() + ${ttlMs} * interval '1 millisecond'
    where (scan_id, from_number) in (${sql.join(keys)})`.execute(trx);
  const asked = await trx
    .selectFrom("retro_address")
    .select(["scan_id", "address"])
    .where("scan_id", "in", [...new Set(free.map((row) => row.scan_id))])
    .execute();
  const addresses = new Map(
    [...Map.groupBy(asked, (row) => row.scan_id)].map(([scanId, rows]) => [scanId, rows.map((row) => row.address)]),
  );
  return {
    chain,
    holder,
    ranges: free.map((row) => ({
      scanId: row.scan_id,
      from: row.from_number,
      to: row.to_number,
      epoch: row.epoch + 1,
      reading: row.reading,
      addresses: addresses.get(row.scan_id) ?? [],
    })),
  };
}

async function commitRead(
  trx: Transaction<Database>,
  { claim, read, listVersion, headNumber, now }: CommitPast,
): Promise<{ hits: number; fresh: number; ended: readonly string[] }> {
  // One writer a scan: of two that store its last ranges side by side, one must see that nothing is left.
  const running = await trx
    .selectFrom("retro_scan")
    .select("scan_id")
    .where("scan_id", "in", scansOf(claim))
    .where("state", "=", "running")
    .orderBy("scan_id")
    .forUpdate()
    .execute();
  const held = await sql<{ scan_id: string; from_number: number }>`
    select scan_id, from_number from retro_range where ${isOurs(claim)} order by scan_id, from_number for update`.execute(
    trx,
  );
  const isHeld = ({ range }: ReadRange) =>
    running.some((scan) => scan.scan_id === range.scanId) &&
    held.rows.some((row) => row.scan_id === range.scanId && row.from_number === range.from);
  const ours = read.filter(isHeld);
  if (ours.length === 0) throw new FencedError("another process took these ranges over, or their scans ended");
  const found = ours.flatMap(({ range, blocks }) => blocks.flatMap((past) => foundIn(past, range)));
  const { hits, fresh } = await storePastHits(trx, { found, headNumber, now });
  for (const one of ours) {
    await holdLinks(trx, claim.chain, one);
    await cover(trx, claim.chain, one, listVersion);
    await trx
      .updateTable("retro_range")
      .set({ state: "done", holder: null, expires_at: null, parent_hash: one.parentHash, last_hash: one.lastHash })
      .where("scan_id", "=", one.range.scanId)
      .where("from_number", "=", one.range.from)
      .execute();
  }
  const ended = await endScans(trx, [...new Set(ours.map(({ range }) => range.scanId))], now);
  // Last, so that the chain's row is held for a moment only: live blocks wait for it.
  await holdListVersion(trx, claim.chain, listVersion);
  return { hits, fresh, ended };
}

function foundIn({ block, hits }: PastBlock, { scanId, addresses }: ClaimedRange): FoundHit[] {
  const asked = new Set(addresses);
  return hits.map((hit) => ({
    scanId,
    hit,
    block,
    entries: hit.matches.map(({ entry }) => entry).filter(({ address }) => asked.has(address)),
  }));
}

/** Blocks of one scan are one chain of hashes, up to the block where live coverage begins. */
async function holdLinks(trx: Transaction<Database>, chain: string, { range, ...read }: ReadRange): Promise<void> {
  if (read.parentHash === null || read.lastHash === null) return;
  const below = await trx
    .selectFrom("retro_range")
    .select("last_hash")
    .where("scan_id", "=", range.scanId)
    .where("to_number", "=", range.from - 1)
    .where("state", "=", "done")
    .executeTakeFirst();
  const above = await trx
    .selectFrom("retro_range")
    .select("parent_hash")
    .where("scan_id", "=", range.scanId)
    .where("from_number", "=", range.to + 1)
    .where("state", "=", "done")
    .executeTakeFirst();
  const followed = await trx
    .selectFrom("checkpoint")
    .select(["number", "hash", "parent_hash"])
    .where("chain", "=", chain)
    .where("number", "in", [range.to, range.to + 1])
    .execute();
  const known = [
    above?.parent_hash,
    ...followed.map((block) => (block.number === range.to ? block.hash : block.parent_hash)),
  ].filter((hash) => hash !== undefined && hash !== null);
  const isLinked =
    (below?.last_hash ?? read.parentHash) === read.parentHash && known.every((hash) => hash === read.lastHash);
  if (!isLinked)
    throw new UnlinkedError(
      `blocks ${range.from} to ${range.to} of ${chain} do not join the blocks beside them: a node told of another chain`,
      { details: { chain, from: range.from, to: range.to } },
    );
}

async function cover(
  trx: Transaction<Database>,
  chain: string,
  { range, blocks }: ReadRange,
  listVersion: string,
): Promise<void> {
  const kind = { chain, scan: range.scanId, reading: range.reading, list_version: listVersion };
  if (range.reading !== "whole") {
    // What was not named was not read: that it holds nothing is the word of the node that named the others.
    await addRange(trx, { ...kind, traced: false, proven: false, operators: "" }, range);
    return;
  }
  for (const { from, to, trust } of runsOf(blocks)) await addRange(trx, { ...kind, ...trust }, { from, to });
}

/** Blocks in a row that were read alike. */
function runsOf(blocks: readonly PastBlock[]) {
  const runs: { from: number; to: number; trust: ReturnType<typeof trustOf> }[] = [];
  for (const { block } of blocks) {
    const trust = trustOf(block);
    const last = runs.at(-1);
    const isAlike =
      last?.trust.traced === trust.traced &&
      last.trust.proven === trust.proven &&
      last.trust.operators === trust.operators;
    if (last !== undefined && isAlike) last.to = block.number;
    else runs.push({ from: block.number, to: block.number, trust });
  }
  return runs;
}

async function endScans(trx: Transaction<Database>, scanIds: readonly string[], now: number): Promise<string[]> {
  for (const chunk of inChunks(scanIds))
    await trx
      .updateTable("retro_scan")
      .set({ trouble: null, trouble_since: null })
      .where("scan_id", "in", chunk)
      .execute();
  const rows = await trx
    .updateTable("retro_scan")
    .set({ state: "done", ended_at: now })
    .where("scan_id", "in", scanIds)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("retro_range")
            .select("scan_id")
            .whereRef("retro_range.scan_id", "=", "retro_scan.scan_id")
            .where("retro_range.state", "<>", "done"),
        ),
      ),
    )
    .returning("scan_id")
    .execute();
  return rows.map(({ scan_id }) => scan_id);
}

/** What was matched with other lists than those in force is not stored: an entry may be gone, or told otherwise. */
async function holdListVersion(trx: Transaction<Database>, chain: string, listVersion: string): Promise<void> {
  const lease = await trx
    .selectFrom("chain_lease")
    .select("list_version")
    .where("chain", "=", chain)
    .forShare()
    .executeTakeFirst();
  if (lease?.list_version !== listVersion)
    throw new ListChangedError(`the watchlist of ${chain} changed while its past was matched`);
}
