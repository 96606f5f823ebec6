/** Screening answers, kept as they left; and what is stored about an address, found by it. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table screen_answer (
    answer_id text primary key,
    at int8 not null,
    actor text not null,
    role text not null,
    verdict text not null,
    items int4 not null,
    list_version text not null,
    -- chain and address or transaction of each item, as asked and as understood
    subjects text[] not null,
    payload text not null
  )`,
  `create index screen_answer_at on screen_answer (at)`,
  // Without a pending list: no answer waits for the keys of thousands before it to be merged.
  `create index screen_answer_subjects on screen_answer using gin (subjects) with (fastupdate = off)`,
  // Who a hit's transfer is from and to: known exposure is asked by address.
  `create index hit_from on hit (chain, ((payload::json -> 'transfer') ->> 'from'))`,
  `create index hit_to on hit (chain, ((payload::json -> 'transfer') ->> 'to'))`,
];
