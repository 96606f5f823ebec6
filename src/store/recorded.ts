/** Hits that are stored and not told: listed, told after all, summed up once a day, pruned with their counts kept. */
import { sql, type Transaction } from "kysely";
import type { Message } from "../types/alert.ts";
import { ENTRY_RULES, type Hit, type RecordedRule } from "../types/hit.ts";
import { storeMessage } from "./alert-messages.ts";
import { decodeHit, encodeHit, matchDigest } from "./codec.ts";
import type { Db } from "./database.ts";
import { addHitEvents } from "./hit-rows.ts";
import type { Database } from "./schema.ts";
import { firstTold, placeOf } from "./watch-hits.ts";

export interface RecordedHit {
  readonly hit: Hit;
  readonly block: number | null;
  readonly at: number;
}

export interface RecordedCount {
  readonly chain: string;
  readonly rule: RecordedRule;
  readonly hits: number;
  readonly transactions: number;
}

/** Newest first. */
export async function listRecorded(
  db: Db,
  of: { rule?: RecordedRule | undefined; entry?: string | undefined; limit: number; offset: number },
): Promise<RecordedHit[]> {
  let query = db
    .selectFrom("hit")
    .select(["payload", "block_number", "created_at"])
    .where("recorded_rule", "is not", null)
    .where("state", "!=", "removed")
    .orderBy("created_at", "desc")
    .orderBy("hit_id")
    .limit(of.limit)
    .offset(of.offset);
  if (of.rule !== undefined) query = query.where("recorded_rule", "=", of.rule);
  if (of.entry !== undefined)
    query = query.where("hit_id", "in", (eb) =>
      eb
        .selectFrom("hit_entry")
        .select("hit_id")
        .where("entry_id", "=", of.entry as string),
    );
  const rows = await query.execute();
  return rows.map((row) => ({ hit: decodeHit(row.payload), block: row.block_number, at: row.created_at }));
}

export type TellRecorded = "told" | "unknown" | "told before" | "not final yet" | "muted";

/**
 * Tells a recorded hit from now on, whatever the rules say of it later. Only final ones: until then the rules are asked
 * again with every change of the chain.
 */
export async function tellRecorded(db: Db, { hitId, now }: { hitId: string; now: number }): Promise<TellRecorded> {
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom("hit")
      .select(["hit_id", "alert_id", "state", "payload", "match_digest", "recorded_rule", "block", "trust"])
      .where("hit_id", "=", hitId)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined || row.state === "removed") return "unknown";
    if (row.recorded_rule === null) return "told before";
    if (ENTRY_RULES.has(row.recorded_rule as RecordedRule)) return "muted";
    const place = placeOf(row);
    if (row.state !== "final" || place === null) return "not final yet";
    const hit: Hit = { ...decodeHit(row.payload), recordedOnly: null, promoted: true };
    const payload = encodeHit(hit);
    await trx
      .updateTable("hit")
      .set({ payload, match_digest: matchDigest(hit), recorded_rule: null, recorded_reason: null })
      .where("hit_id", "=", hitId)
      .execute();
    await addHitEvents(trx, firstTold(row, { ...place, payload }), now);
    return "told";
  });
}

/** Recorded between two times (unix ms, the first included), by chain and rule. */
export async function countRecorded(
  db: Db | Transaction<Database>,
  { from, to }: { from: number; to: number },
): Promise<RecordedCount[]> {
  const rows = await db
    .selectFrom("hit")
    .select([
      "chain",
      sql<RecordedRule>`recorded_rule`.as("rule"),
      (eb) => eb.fn.countAll<number>().as("hits"),
      sql<number>`count(distinct tx_hash)`.as("transactions"),
    ])
    .where("recorded_rule", "is not", null)
    .where("created_at", ">=", from)
    .where("created_at", "<", to)
    .groupBy(["chain", "recorded_rule"])
    .orderBy("hits", "desc")
    .orderBy("chain")
    .execute();
  return rows;
}

/** Once for each day, whichever daemon comes first; nothing where nothing was recorded. */
export async function tellRecordedDay(
  db: Db,
  of: {
    day: { name: string; from: number; to: number };
    now: number;
    sinks: readonly string[];
    makeMessage: (counts: readonly RecordedCount[]) => Message;
  },
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto("recorded_digest")
      .values({ day: of.day.name, at: of.now })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) return false;
    const counts = await countRecorded(trx, of.day);
    if (counts.length === 0) return false;
    return storeMessage(trx, { message: of.makeMessage(counts), sinks: of.sinks, now: of.now, queued: true });
  });
}

/**
 * Deletes final recorded hits of before `before`; what is recorded for its entries may be told again and stays.
 * How many; fewer than `limit`: no more for now. Like a change of the lists, it waits for each chain's leader and is nobody's in between.
 */
export async function pruneRecorded(db: Db, { before, limit }: { before: number; limit: number }): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const old = await trx
      .selectFrom("hit")
      .select("hit_id")
      .where("recorded_rule", "is not", null)
      .where("recorded_rule", "not in", [...ENTRY_RULES])
      .where("created_at", "<", before)
      .where("state", "in", ["final", "removed"])
      .limit(limit)
      .execute();
    if (old.length === 0) return 0;
    await trx.selectFrom("chain_lease").select("chain").orderBy("chain").forUpdate().execute();
    const gone = await trx
      .deleteFrom("hit")
      .where(
        "hit_id",
        "in",
        old.map((row) => row.hit_id),
      )
      // Told meanwhile, or back in a block.
      .where("recorded_rule", "is not", null)
      .where("state", "in", ["final", "removed"])
      .returning(["hit_id", "chain", "recorded_rule"])
      .execute();
    if (gone.length === 0) return 0;
    await trx
      .deleteFrom("hit_entry")
      .where(
        "hit_id",
        "in",
        gone.map((row) => row.hit_id),
      )
      .execute();
    const totals = Map.groupBy(gone, (row) => JSON.stringify([row.chain, row.recorded_rule]));
    await trx
      .insertInto("recorded_total")
      .values(
        [...totals].map(([key, rows]) => {
          const [chain, rule] = JSON.parse(key) as [string, string];
          return { chain, rule, hits: rows.length };
        }),
      )
      .onConflict((conflict) =>
        conflict.columns(["chain", "rule"]).doUpdateSet({ hits: sql`recorded_total.hits + excluded.hits` }),
      )
      .execute();
    return gone.length;
  });
}

/** All that was ever recorded and pruned. */
export async function prunedTotals(db: Db): Promise<{ chain: string; rule: string; hits: number }[]> {
  return db.selectFrom("recorded_total").selectAll().orderBy("chain").orderBy("rule").execute();
}
