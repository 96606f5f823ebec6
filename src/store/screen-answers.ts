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

/** By columns: a statement of one text whatever the number of answers, and no text wrapped in another. */
async function keep(db: Kysely<Database>, answers: readonly KeptAnswer[]): Promise<void> {
  const column = <K extends keyof KeptAnswer>(name: K) => answers.map((answer) => answer[name]);
  // No address or hash has a space in it.
  const subjects = answers.map((answer) => answer.subjects.join(" "));
  await sql`
    insert into screen_answer (answer_id, at, actor, role, verdict, items, list_version, subjects, payload)
    select answer_id, at, actor, role, verdict, items, list_version, string_to_array(subjects, ' '), payload
    from unnest(${column("answerId")}::text[], ${column("at")}::int8[], ${column("actor")}::text[],
        ${column("role")}::text[], ${column("verdict")}::text[], ${column("items")}::int4[],
        ${column("listVersion")}::text[], ${subjects}::text[], ${column("payload")}::text[])
      as kept (answer_id, at, actor, role, verdict, items, list_version, subjects, payload)`.execute(db);
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
