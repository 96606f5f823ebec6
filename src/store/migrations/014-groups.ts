/** Alerts that are told together: the groups, who is in them, and which alerts are held for a group's digest. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table alert_group (
    group_id text primary key,
    rule text not null,
    key text not null,
    severity text not null,
    about text not null,
    opened_at int8 not null,
    closes_at int8 not null,
    closed boolean not null default false,
    alerts int8 not null default 0,
    subjects int8 not null default 0,
    held int8 not null default 0,
    retracted int8 not null default 0,
    digests int8 not null default 0,
    held_told int8 not null default 0,
    retracted_told int8 not null default 0,
    digest_due_at int8,
    sinks text not null
  )`,
  `create unique index alert_group_open on alert_group (key) where not closed`,
  `create index alert_group_due on alert_group (digest_due_at) where digest_due_at is not null`,
  `create index alert_group_opened on alert_group (opened_at)`,
  `create table alert_group_member (
    group_id text not null references alert_group (group_id),
    alert_id text not null,
    subject text not null,
    asset text not null,
    amount numeric not null,
    usd_cents numeric,
    held boolean not null,
    at int8 not null,
    primary key (group_id, alert_id)
  )`,
  `create index alert_group_member_subject on alert_group_member (group_id, subject)`,
  // The largest of a group, by value and by amount of each asset.
  `create index alert_group_member_usd on alert_group_member (group_id, usd_cents)`,
  `create index alert_group_member_amount on alert_group_member (group_id, asset, amount)`,
  `alter table alert add column held_in text`,
  // What is only recorded: found by time; what was pruned is still counted.
  `create index hit_recorded on hit (created_at) where recorded_rule is not null`,
  `create table recorded_total (
    chain text not null,
    rule text not null,
    hits int8 not null,
    primary key (chain, rule)
  )`,
  `create table recorded_digest (
    day text primary key,
    at int8 not null
  )`,
  // Work of severe alerts overtakes the rest.
  `alter table outbox add column lane int2 not null default 1`,
  `create index outbox_lane on outbox (lane, id)`,
  `alter table delivery add column lane int2 not null default 1`,
  `update delivery set lane = 0 where severity in ('critical', 'high')`,
  `alter table hit_event add column lane int2 not null default 1`,
];
