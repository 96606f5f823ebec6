/** The past of an address: scans, their ranges and what they found; which list named which address; the ledger of both. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What was followed live and what each scan of the past read stand in one ledger.
  `alter table coverage add column scan text not null default 'live'`,
  `alter table coverage add column reading text not null default 'whole' check (reading in ('whole', 'filtered', 'logs'))`,
  `alter table coverage drop constraint coverage_pkey`,
  `alter table coverage add primary key (chain, scan, from_number)`,
  `alter table hit add column retro_scan text`,
  `alter table hit_event add column retroactive boolean not null default false`,
  `create table list_version (
    seq bigserial primary key,
    version text not null unique,
    at int8 not null
  )`,
  `create table list_member (
    chain text not null,
    address text not null,
    since_seq int8 not null,
    until_seq int8,
    primary key (chain, address, since_seq)
  )`,
  `create unique index list_member_now on list_member (chain, address) where until_seq is null`,
  `create table retro_scan (
    scan_id text primary key,
    chain text not null,
    state text not null check (state in ('running', 'done', 'cancelled')),
    reading text not null check (reading in ('whole', 'filtered', 'logs')),
    from_number int8 not null,
    to_number int8 not null,
    blocks int8 not null,
    reason text not null,
    requested_by text not null,
    created_at int8 not null,
    ended_at int8,
    told boolean not null default false,
    trouble text,
    trouble_since int8
  )`,
  `create index retro_scan_untold on retro_scan (ended_at) where state = 'done' and not told`,
  `create table retro_address (
    scan_id text not null references retro_scan (scan_id),
    address text not null,
    primary key (scan_id, address)
  )`,
  `create index retro_address_address on retro_address (address)`,
  `create table retro_range (
    scan_id text not null references retro_scan (scan_id),
    chain text not null,
    chunk int8 not null,
    from_number int8 not null,
    to_number int8 not null,
    state text not null check (state in ('open', 'claimed', 'done')),
    epoch int8 not null default 0,
    holder text,
    expires_at timestamptz,
    parent_hash text,
    last_hash text,
    primary key (scan_id, from_number),
    check (from_number <= to_number)
  )`,
  // What is still to be read; nearly all rows of an old database are done and stay out of it.
  `create index retro_range_open on retro_range (chain, chunk) where state <> 'done'`,
  `create table retro_hit (
    scan_id text not null references retro_scan (scan_id),
    entry_id text not null,
    address text not null,
    hit_id text not null,
    alert_id text not null,
    block_number int8 not null,
    at int8 not null,
    own boolean not null,
    told boolean not null,
    fresh boolean not null,
    primary key (scan_id, entry_id, hit_id)
  )`,
  // Entries that are watched from now on, whose past nobody has asked for yet.
  `create table retro_wanted (
    chain text not null,
    entry_id text not null,
    address text not null,
    incident text not null,
    join_at int8,
    primary key (chain, entry_id)
  )`,
];
