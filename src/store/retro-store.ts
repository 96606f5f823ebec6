/**
 * Scans of the past: what was asked for, what is to be read, what came of it. The store is the truth; jobs in the queue
 * only say "look here". How ranges are claimed and stored: retro-claims.ts.
 */
import { sql, type Transaction } from "kysely";
import { AppError } from "../lib/errors.ts";
import { countNumbers } from "../lib/ranges.ts";
import type { EntryFinding, NumberRange, ScanPlan, ScanRequest, ScanStatus } from "../types/retro.ts";
import { LIVE } from "./coverage.ts";
import type { Db } from "./database.ts";
import { versionsNaming } from "./list-members.ts";
import { inChunks } from "./outbox.ts";
import { liveCountsFrom } from "./rewatched.ts";
import type { Database } from "./schema.ts";

/** The rule that says what has to be read, and how it is cut: the caller's. */
export interface ScanRule {
  plan(
    facts: {
      finalNumber: number;
      tip: number;
      live: readonly (NumberRange & { listVersion: string })[];
      groups: readonly { listVersions: ReadonlySet<string>; liveFrom: number; past: readonly NumberRange[] }[];
    },
    from: number,
  ): { ranges: readonly NumberRange[]; joinAt: number };
  cut(ranges: readonly NumberRange[]): readonly (NumberRange & { chunk: number })[];
}

/** What was asked for cannot be scanned as things are; the text says what to do. */
export class ScanRefusedError extends AppError {
  override readonly code = "scan_refused";
}

export interface RetroStore {
  /** What a scan would read; nothing is stored. Throws ScanRefusedError. */
  preview(request: ScanRequest, rule: ScanRule): Promise<ScanPlan>;
  /** Stores the scan with its ranges. The same request again changes nothing. Throws ScanRefusedError. */
  start(request: ScanRequest, rule: ScanRule): Promise<ScanPlan>;
  list(options: { limit: number }): Promise<ScanStatus[]>;
  show(scanId: string): Promise<{ scan: ScanStatus; findings: EntryFinding[] } | null>;
  /** What was read stays read and told; the rest is not read. False: it does not run. */
  cancel(scanId: string, now: number): Promise<boolean>;
  /** Scans that ended and whose findings are not told yet. */
  untold(): Promise<ScanStatus[]>;
  findings(scanId: string): Promise<EntryFinding[]>;
  markTold(scanId: string): Promise<void>;
  addressesOf(scanId: string): Promise<string[]>;
  /** Blocks the ledger holds for a scan: as many as it was to read, once it is done. */
  coveredBlocks(scan: { scanId: string; chain: string }): Promise<number>;
  /** Running scans that have not got on for that long. */
  stuck(options: { since: number }): Promise<ScanStatus[]>;
}

export function createRetroStore(db: Db): RetroStore {
  const statuses = (where: StatusFilter) => scanStatuses(db, where);
  return {
    preview: (request, rule) => db.transaction().execute((trx) => planOf(trx, request, rule)),
    start: (request, rule) => db.transaction().execute((trx) => startScan(trx, request, rule)),
    list: ({ limit }) => statuses({ limit }),
    async show(scanId) {
      const [scan] = await statuses({ scanId, limit: 1 });
      return scan === undefined ? null : { scan, findings: await findingsOf(db, scanId) };
    },
    async cancel(scanId, now) {
      const { numUpdatedRows } = await db
        .updateTable("retro_scan")
        .set({ state: "cancelled", ended_at: now })
        .where("scan_id", "=", scanId)
        .where("state", "=", "running")
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    untold: () => statuses({ untold: true, limit: 100 }),
    findings: (scanId) => findingsOf(db, scanId),
    async markTold(scanId) {
      await db.updateTable("retro_scan").set({ told: true }).where("scan_id", "=", scanId).execute();
    },
    async coveredBlocks({ scanId, chain }) {
      const row = await db
        .selectFrom("coverage")
        .select(sql<number>`coalesce(sum(to_number - from_number + 1), 0)::int8`.as("blocks"))
        .where((eb) => eb.and({ chain, scan: scanId }))
        .executeTakeFirstOrThrow();
      return row.blocks;
    },
    stuck: ({ since }) => statuses({ stuckSince: since, limit: 100 }),
    async addressesOf(scanId) {
      const rows = await db.selectFrom("retro_address").select("address").where("scan_id", "=", scanId).execute();
      return rows.map(({ address }) => address);
    },
  };
}

/** Everything a plan rests on, read while nothing of the chain can change. */
async function planOf(trx: Transaction<Database>, request: ScanRequest, rule: ScanRule): Promise<ScanPlan> {
  const { chain, scanId, from } = request;
  const lease = await trx
    .selectFrom("chain_lease")
    .select(["list_version", "finalized_number"])
    .where("chain", "=", chain)
    .forUpdate()
    .executeTakeFirst();
  const { tip } = await trx
    .selectFrom("checkpoint")
    .select((eb) => eb.fn.max("number").as("tip"))
    .where("chain", "=", chain)
    .executeTakeFirstOrThrow();
  if (lease === undefined || tip === null)
    throw new ScanRefusedError(`${chain} is not followed yet: start heistwatch first, its past is read up to there`);
  if (lease.list_version !== request.listVersion)
    throw new ScanRefusedError(
      `${chain} is followed with other lists than these: restart heistwatch, so that the addresses are watched from here on, then ask again`,
    );
  if (from > tip) throw new ScanRefusedError(`block ${from} of ${chain} is not there yet: the last one is ${tip}`);
  const facts = {
    finalNumber: lease.finalized_number,
    tip,
    live: await liveRanges(trx, { chain, from }),
    groups: await historiesOf(trx, request),
  };
  const { ranges, joinAt } = rule.plan(facts, from);
  return {
    scanId,
    chain,
    addresses: request.addresses.length,
    ranges,
    blocks: countNumbers(ranges),
    joinAt,
    finalNumber: facts.finalNumber,
  };
}

async function liveRanges(trx: Transaction<Database>, { chain, from }: { chain: string; from: number }) {
  const rows = await trx
    .selectFrom("coverage")
    .select(["from_number", "to_number", "list_version"])
    .where((eb) => eb.and({ chain, scan: LIVE }))
    .where("to_number", ">=", from)
    .orderBy("from_number")
    .execute();
  return rows.map((row) => ({ from: row.from_number, to: row.to_number, listVersion: row.list_version }));
}

/** The addresses by what is known of them: many that were added together are one group. */
async function historiesOf(trx: Transaction<Database>, { chain, addresses, listVersion, reading }: ScanRequest) {
  const naming = await versionsNaming(trx, { chain, addresses });
  const unnamed = addresses.filter((address) => naming.get(address)?.has(listVersion) !== true);
  if (unnamed.length > 0)
    throw new ScanRefusedError(
      `not watched on ${chain} by the lists in force, or these are still being written down (then ask again in a moment): ${unnamed.slice(0, 10).join(", ")}${unnamed.length > 10 ? ` and ${unnamed.length - 10} more` : ""}`,
    );
  const past = await sql<{ address: string; from_number: number; to_number: number; list_version: string }>`
    select asked.address, coverage.from_number, coverage.to_number, coverage.list_version
    from retro_address as asked
    join coverage on coverage.scan = asked.scan_id and coverage.chain = ${chain}
    where asked.address in (select json_array_elements_text(${JSON.stringify(addresses)}::json)) and not asked.stale
      and coverage.reading in ('whole', ${reading})`.execute(trx);
  const countsFrom = await liveCountsFrom(trx, { chain, addresses });
  const pastOf = Map.groupBy(past.rows, ({ address }) => address);
  const groups = new Map<ReadonlySet<string>, Map<string, History>>();
  for (const address of addresses) {
    const listVersions = naming.get(address) ?? new Set();
    const liveFrom = countsFrom.get(address) ?? 0;
    const ranges = (pastOf.get(address) ?? [])
      .filter((row) => listVersions.has(row.list_version))
      .map((row) => ({ from: row.from_number, to: row.to_number }))
      .toSorted((a, b) => a.from - b.from);
    const ofVersions = groups.get(listVersions) ?? new Map<string, History>();
    groups.set(listVersions, ofVersions.set(JSON.stringify([liveFrom, ranges]), { liveFrom, past: ranges }));
  }
  return [...groups].flatMap(([listVersions, histories]) =>
    [...histories.values()].map((history) => ({ listVersions, ...history })),
  );
}

interface History {
  readonly liveFrom: number;
  readonly past: readonly NumberRange[];
}

async function startScan(trx: Transaction<Database>, request: ScanRequest, rule: ScanRule): Promise<ScanPlan> {
  const plan = await planOf(trx, request, rule);
  const { scanId, chain, addresses, reading, now } = request;
  const isNothing = plan.ranges.length === 0;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto("retro_scan")
    .values({
      scan_id: scanId,
      chain,
      state: isNothing ? "done" : "running",
      reading,
      from_number: request.from,
      to_number: plan.ranges.at(-1)?.to ?? plan.joinAt - 1,
      blocks: plan.blocks,
      reason: request.reason,
      requested_by: request.requestedBy,
      created_at: now,
      ended_at: isNothing ? now : null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) return plan;
  for (const chunk of inChunks(addresses))
    await trx
      .insertInto("retro_address")
      .values(chunk.map((address) => ({ scan_id: scanId, address })))
      .execute();
  for (const chunk of inChunks(rule.cut(plan.ranges)))
    await trx
      .insertInto("retro_range")
      .values(
        chunk.map((range) => ({
          scan_id: scanId,
          chain,
          chunk: range.chunk,
          from_number: range.from,
          to_number: range.to,
          state: "open" as const,
        })),
      )
      .execute();
  return plan;
}

interface StatusFilter {
  readonly scanId?: string;
  readonly untold?: true;
  readonly stuckSince?: number;
  readonly limit: number;
}

async function scanStatuses(db: Db, { scanId, untold, stuckSince, limit }: StatusFilter): Promise<ScanStatus[]> {
  const rows = await db
    .selectFrom("retro_scan as scan")
    .selectAll("scan")
    .select((eb) => [
      eb
        .selectFrom("retro_address")
        .whereRef("retro_address.scan_id", "=", "scan.scan_id")
        .select((count) => count.fn.countAll<number>().as("count"))
        .as("addresses"),
      sql<number>`(select coalesce(sum(to_number - from_number + 1), 0)::int8 from retro_range
        where scan_id = scan.scan_id and state = 'done')`.as("blocks_done"),
      sql<string | null>`(select string_agg(distinct holder, ',') from retro_range
        where scan_id = scan.scan_id and state = 'claimed' and expires_at > now())`.as("holders"),
      sql<number>`(select count(distinct hit_id) from retro_hit where scan_id = scan.scan_id)`.as("hits"),
      sql<number>`(select count(distinct hit_id) from retro_hit where scan_id = scan.scan_id and fresh)`.as("fresh"),
    ])
    .$if(scanId !== undefined, (query) => query.where("scan.scan_id", "=", scanId ?? ""))
    .$if(untold === true, (query) => query.where("scan.state", "=", "done").where("scan.told", "=", false))
    .$if(stuckSince !== undefined, (query) =>
      query.where("scan.state", "=", "running").where("scan.trouble_since", "<=", stuckSince ?? 0),
    )
    .orderBy("scan.created_at", "desc")
    .orderBy("scan.scan_id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    scanId: row.scan_id,
    chain: row.chain,
    state: row.state,
    reading: row.reading,
    addresses: row.addresses ?? 0,
    from: row.from_number,
    to: row.to_number,
    blocks: row.blocks,
    blocksDone: row.blocks_done,
    holders: row.holders === null ? [] : row.holders.split(",").toSorted(),
    hits: row.hits,
    freshHits: row.fresh,
    reason: row.reason,
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    trouble: row.state === "running" ? row.trouble : null,
  }));
}

/** By entry, the one that was touched most first; entries that nothing touched are not named. */
async function findingsOf(db: Db, scanId: string): Promise<EntryFinding[]> {
  const rows = await db
    .selectFrom("retro_hit")
    .select((eb) => [
      "entry_id as entryId",
      "address",
      eb.fn.countAll<number>().as("transfers"),
      sql<number>`count(*) filter (where fresh)`.as("freshTransfers"),
      sql<number>`count(*) filter (where not told)`.as("recordedOnly"),
      sql<number>`count(distinct alert_id) filter (where told)`.as("alerts"),
      sql<number>`count(*) filter (where own)`.as("ownTransfers"),
      eb.fn.min("block_number").as("firstBlock"),
      eb.fn.max("block_number").as("lastBlock"),
    ])
    .where("scan_id", "=", scanId)
    .groupBy(["entry_id", "address"])
    .orderBy("transfers", "desc")
    .orderBy("entry_id")
    .execute();
  return rows;
}
