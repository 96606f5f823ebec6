/** Own addresses that people gave: as they are, every change of them, and how many each source had. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // One row: its lock makes changes serial, its number rises and its mark is another one with each of them.
  `create table own_state (
    one int8 primary key check (one = 1),
    revision int8 not null,
    mark text not null,
    addresses int8 not null
  )`,
  `insert into own_state values (1, 0, '', 0)`,
  `create table own_address (
    chain text not null,
    address text not null,
    customer_ref text,
    wallet text not null,
    primary key (chain, address)
  )`,
  `create index own_address_customer on own_address (customer_ref)`,
  `create index own_address_address on own_address (address)`,
  `create table own_change (
    revision int8 not null,
    chain text not null,
    address text not null,
    before text,
    after text,
    primary key (revision, chain, address)
  )`,
  `create trigger keep before update or delete or truncate on own_change for each statement execute function watch_keep()`,
  // The most addresses a source had on a day: what is compared with only the last reading may be lost bit by bit.
  `create table own_count (
    source text not null,
    day int8 not null,
    highest int8 not null,
    primary key (source, day)
  )`,
];
