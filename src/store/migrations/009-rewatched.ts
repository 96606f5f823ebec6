/** Addresses that get a new entry: what was scanned for them before does not know it. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table rewatched (
    chain text not null,
    address text not null,
    final_number int8 not null,
    primary key (chain, address)
  )`,
  `alter table retro_address add column stale boolean not null default false`,
  // The change that asked for it: the same entry may be wanted again.
  `alter table retro_wanted add column revision int8 not null default 0`,
];
