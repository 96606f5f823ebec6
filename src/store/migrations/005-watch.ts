/** Watchlists: entries and their immutable versions, proposals, the audit trail, people, and which hits rest on which entry. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const KEPT_FOR_EVER = ["watch_version", "watch_change", "watch_audit"];

const STATEMENTS = [
  // One row: its number rises with every change of what is watched, its lock makes changes serial.
  `create table watch_state (one int8 primary key check (one = 1), revision int8 not null)`,
  `insert into watch_state values (1, 0)`,
  `create table watch_list (
    list text primary key,
    number int8 not null,
    version text not null,
    incident text not null,
    file text
  )`,
  `create table watch_entry (
    entry_id text primary key,
    list text not null references watch_list (list),
    chain text not null,
    address text not null,
    payload text not null,
    digest text not null,
    wake_at int8
  )`,
  `create index watch_entry_address on watch_entry (address)`,
  `create index watch_entry_list on watch_entry (list, entry_id)`,
  // Disputes and suppressions that end by themselves.
  `create index watch_entry_wake on watch_entry (wake_at) where wake_at is not null`,
  // What a file said when it was last imported: only what it says differently since is news.
  `create table watch_row (entry_id text primary key, list text not null, digest text not null)`,
  `create index watch_row_list on watch_row (list)`,
  `create table watch_version (
    list text not null,
    number int8 not null,
    version text not null,
    incident text not null,
    action text not null,
    actor text not null,
    approver text,
    why text,
    at int8 not null,
    primary key (list, number)
  )`,
  `create table watch_change (
    list text not null,
    number int8 not null,
    entry_id text not null,
    before text,
    after text,
    primary key (list, number, entry_id)
  )`,
  `create index watch_change_entry on watch_change (entry_id, number)`,
  `create table watch_audit (
    seq bigserial primary key,
    at int8 not null,
    actor text not null,
    action text not null,
    subject text not null,
    why text,
    before text,
    after text,
    approver text,
    change_hash text
  )`,
  `create table watch_proposal (
    proposal_id text primary key,
    change_hash text not null,
    action text not null,
    list text not null,
    payload text not null,
    proposer text not null,
    why text,
    created_at int8 not null,
    expires_at int8 not null,
    state text not null check (state in ('open', 'approved', 'rejected', 'expired', 'void')),
    decided_by text,
    decided_at int8
  )`,
  // The same change waits once, however often it is proposed.
  `create unique index watch_proposal_open on watch_proposal (change_hash) where state = 'open'`,
  `create table watch_person (
    name text primary key,
    role text not null,
    token_id text not null unique,
    token_hash text not null,
    created_by text not null,
    created_at int8 not null,
    expires_at int8 not null,
    revoked_at int8
  )`,
  `create table hit_entry (
    entry_id text not null,
    hit_id text not null,
    primary key (entry_id, hit_id)
  )`,
  // Where a hit that is only recorded stands: told from there if it is told after all.
  `alter table hit add column block text`,
  `alter table hit add column trust text`,
  `insert into hit_entry
    select distinct match -> 'entry' ->> 'id', hit_id
    from hit, jsonb_array_elements(payload::jsonb -> 'matches') as match`,
  `create function watch_keep() returns trigger language plpgsql as $$
    begin raise exception 'rows of % are kept as they are', tg_table_name; end $$`,
  ...KEPT_FOR_EVER.map(
    (table) =>
      `create trigger keep before update or delete or truncate on ${table} for each statement execute function watch_keep()`,
  ),
];
