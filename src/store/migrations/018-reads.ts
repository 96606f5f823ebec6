/** Who read which alerts. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table alert_read (
    seq bigserial primary key,
    at int8 not null,
    actor text not null,
    call text not null,
    asked text not null,
    alerts int8 not null,
    alert_ids text not null
  )`,
  `create index alert_read_at on alert_read (at)`,
  `create index alert_read_actor on alert_read (actor, seq)`,
  // Rows of the time that is kept stay as they are; only what is older is deleted.
  `create trigger keep before update or truncate on alert_read for each statement execute function watch_keep()`,
];
