/** Entries whose review is due, or whose dates end: each due date is handed out once, by whichever process asks first. */
import { sql, type Transaction } from "kysely";
import type { WatchEntry } from "../types/watch.ts";
import type { Db } from "./database.ts";
import type { Database } from "./schema.ts";
import { entryOf } from "./watch-rows.ts";

/** Entries of one list that are due now, and were not told yet. */
export interface DueOfList {
  readonly list: string;
  readonly count: number;
  /** Unix ms: the earliest of their dates. */
  readonly first: number;
  /** The first of them, by id. */
  readonly named: readonly string[];
}

export interface DueCounts {
  readonly reviews: number;
  /** Entries whose dates are over. */
  readonly ended: number;
}

const NAMED_MAX = 3;
const grouped = sql`list, count(*)::int4 as count, min(at) as first,
  (array_agg(entry_id order by entry_id))[1:${sql.lit(NAMED_MAX)}] as named`;
const reviewDue = (now: number) => sql`review_by <= ${now} and review_told is distinct from review_by`;

/** Told twice: `noticeMs` before the end, and when it is over. */
const endNow = (now: number, noticeMs: number) =>
  sql`case when valid_until <= ${now} then valid_until else valid_until - ${noticeMs}::int8 end`;
const endDue = (now: number, noticeMs: number) =>
  sql`valid_until <= ${now + noticeMs} and end_told is distinct from ${endNow(now, noticeMs)}`;

export async function isAnythingDue(db: Db, of: { now: number; noticeMs: number }): Promise<boolean> {
  const { rows } = await sql`select 1 from watch_entry
    where (${reviewDue(of.now)}) or (${endDue(of.now, of.noticeMs)}) limit 1`.execute(db);
  return rows.length > 0;
}

/** In the transaction that tells them. */
export async function takeReviews(trx: Transaction<Database>, now: number): Promise<readonly DueOfList[]> {
  const { rows } = await sql<DueOfList>`with due as (
      update watch_entry set review_told = review_by where ${reviewDue(now)} returning list, entry_id, review_by as at
    ) select ${grouped} from due group by list order by list`.execute(trx);
  return rows;
}

/** `over`: whether their end is past, or ahead. */
export async function takeEnds(
  trx: Transaction<Database>,
  { now, noticeMs }: { now: number; noticeMs: number },
): Promise<readonly (DueOfList & { readonly over: boolean })[]> {
  const { rows } = await sql<DueOfList & { over: boolean }>`with due as (
      update watch_entry set end_told = ${endNow(now, noticeMs)} where ${endDue(now, noticeMs)}
      returning list, entry_id, valid_until as at, valid_until <= ${now} as over
    ) select ${grouped}, over from due group by list, over order by list, over`.execute(trx);
  return rows;
}

export async function countDue(db: Db, now: number): Promise<DueCounts> {
  const { rows } = await sql<DueCounts>`select
      count(*) filter (where review_by <= ${now})::int4 as reviews,
      count(*) filter (where valid_until <= ${now})::int4 as ended
    from watch_entry where review_by <= ${now} or valid_until <= ${now}`.execute(db);
  return rows[0] ?? { reviews: 0, ended: 0 };
}

/** Those that somebody should look at, the next first. */
export async function entriesToReview(db: Db, limit: number): Promise<WatchEntry[]> {
  const rows = await db
    .selectFrom("watch_entry")
    .select("payload")
    .where("review_by", "is not", null)
    .orderBy("review_by")
    .orderBy("entry_id")
    .limit(limit)
    .execute();
  return rows.map(entryOf);
}
