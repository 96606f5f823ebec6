/** Screening answers, kept as they left: who asked, when, what, and what was known. */
import { type Kysely, sql } from "kysely";
import type { PersonRole } from "../types/watch-change.ts";
import type { ScreenVerdict } from "../types/screening.ts";
import type { Db } from "./database.ts";
import type { Database } from "./schema.ts";

export interface KeptHead {
  readonly answerId: string;
  /** Unix ms. */
  readonly at: number;
  readonly actor: string;
  readonly role: PersonRole;
  /** The strongest of its items. */
  readonly verdict: ScreenVerdict;
  readonly items: number;
  readonly listVersion: string;
}

export interface KeptAnswer extends KeptHead {
  /** What its items are found by: `<chain>/<address or transaction>`. */
  readonly subjects: readonly string[];
  /** JSON, as it left. */
  readonly payload: string;
}

export interface ScreenAnswers {
  /** All of them in one statement. Once it resolves, they outlive whatever the store outlives. */
  keep(answers: readonly KeptAnswer[]): Promise<void>;
  /** Newest first. `before`: older than this one. */
  list(of: KeptQuery): Promise<KeptHead[]>;
  show(answerId: string): Promise<(KeptHead & { readonly answer: unknown }) | null>;
  /** Deletes up to `limit` answers older than `before` (unix ms); how many. */
  prune(of: { before: number; limit: number }): Promise<number>;
}

export interface KeptQuery {
  readonly limit: number;
  readonly before?: { readonly at: number; readonly answerId: string } | undefined;
  /** `<chain>/<address or transaction>`. */
  readonly subject?: string | undefined;
  readonly actor?: string | undefined;
  readonly verdict?: ScreenVerdict | undefined;
  /** Unix ms. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

const HEAD = ["answer_id", "at", "actor", "role", "verdict", "items", "list_version"] as const;

export function createScreenAnswers(db: Db): ScreenAnswers {
  return {
    keep: (answers) => keep(db, answers),
    async list({ limit, before, subject, actor, verdict, since, until }) {
      const rows = await db
        .selectFrom("screen_answer")
        .select(HEAD)
        .$if(before !== undefined, (query) =>
          query.where((eb) =>
            eb(eb.refTuple("at", "answer_id"), "<", eb.tuple(before?.at ?? 0, before?.answerId ?? "")),
          ),
        )
        .$if(subject !== undefined, (query) => query.where(sql<boolean>`subjects @> array[${subject}]`))
        .$if(actor !== undefined, (query) => query.where("actor", "=", actor ?? ""))
        .$if(verdict !== undefined, (query) => query.where("verdict", "=", verdict ?? ""))
        .$if(since !== undefined, (query) => query.where("at", ">=", since ?? 0))
        .$if(until !== undefined, (query) => query.where("at", "<", until ?? 0))
        .orderBy("at", "desc")
        .orderBy("answer_id", "desc")
        .limit(limit)
        .execute();
      return rows.map(headOf);
    },
    async show(answerId) {
      const row = await db
        .selectFrom("screen_answer")
        .select([...HEAD, "payload"])
        .where("answer_id", "=", answerId)
        .executeTakeFirst();
      return row === undefined ? null : { ...headOf(row), answer: JSON.parse(row.payload) as unknown };
    },
    async prune({ before, limit }) {
      const { numDeletedRows } = await db
        .deleteFrom("screen_answer")
        .where("answer_id", "in", (eb) =>
          eb.selectFrom("screen_answer").select("answer_id").where("at", "<", before).orderBy("at").limit(limit),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

async function keep(db: Kysely<Database>, answers: readonly KeptAnswer[]): Promise<void> {
  const rows = answers.map(({ answerId, listVersion, ...rest }) => ({
    ...rest,
    answer_id: answerId,
    list_version: listVersion,
  }));
  await sql`
    insert into screen_answer (answer_id, at, actor, role, verdict, items, list_version, subjects, payload)
    select answer_id, at, actor, role, verdict, items, list_version,
      array(select json_array_elements_text(subjects)), payload
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as kept (answer_id text, at int8, actor text, role text, verdict text, items int4, list_version text,
        subjects json, payload text)`.execute(db);
}

function headOf(row: {
  answer_id: string;
  at: number;
  actor: string;
  role: string;
  verdict: string;
  items: number;
  list_version: string;
}): KeptHead {
  return {
    answerId: row.answer_id,
    at: row.at,
    actor: row.actor,
    role: row.role as PersonRole,
    verdict: row.verdict as ScreenVerdict,
    items: row.items,
    listVersion: row.list_version,
  };
}
