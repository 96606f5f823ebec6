/** The line: checkpoints and coverage, hits and their events, alerts, messages, deliveries, outbox. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table chain_lease (
    chain text primary key,
    holder text not null,
    epoch int8 not null,
    expires_at timestamptz not null,
    list_version text not null,
    finalized_number int8 not null
  )`,
  `create table checkpoint (
    chain text not null,
    number int8 not null,
    hash text not null,
    parent_hash text not null,
    timestamp int8 not null,
    scanned boolean not null,
    list_version text not null,
    primary key (chain, number)
  )`,
  `create table coverage (
    chain text not null,
    from_number int8 not null,
    to_number int8 not null,
    list_version text not null,
    traced boolean not null,
    proven boolean not null,
    operators text not null,
    primary key (chain, from_number),
    check (from_number <= to_number)
  )`,
  `create table hit (
    hit_id text primary key,
    alert_id text not null,
    chain text not null,
    tx_hash text not null,
    block_number int8 not null,
    block_hash text not null,
    state text not null check (state in ('included', 'removed', 'final')),
    recorded_rule text,
    recorded_reason text,
    match_digest text not null,
    payload text not null,
    created_at int8 not null
  )`,
  // Finality and reorgs look for hits that may still change; final ones (nearly all) stay out of this index.
  `create index hit_unsettled on hit (chain, block_number) where state = 'included'`,
  `create index hit_alert on hit (alert_id)`,
  `create table hit_event (
    seq bigserial primary key,
    hit_id text not null,
    alert_id text not null,
    kind text not null,
    block text not null,
    payload text,
    trust text,
    late boolean not null,
    at int8 not null,
    applied boolean not null default false
  )`,
  // What the alert worker still has to fold. A mark, not "seq above the last one": a late commit is never skipped.
  `create index hit_event_unapplied on hit_event (alert_id, seq) where not applied`,
  `create table alert (
    alert_id text primary key,
    chain text not null,
    tx_hash text not null,
    subject text not null,
    revision int8 not null,
    kind text not null,
    stage text not null,
    severity text not null,
    action text not null,
    summary text not null,
    state text not null,
    created_at int8 not null,
    updated_at int8 not null
  )`,
  `create index alert_updated on alert (updated_at)`,
  `create table message (
    webhook_id text primary key,
    alert_id text,
    revision int8 not null,
    type text not null,
    severity text not null,
    body text not null,
    created_at int8 not null,
    unique (alert_id, revision)
  )`,
  `create table delivery (
    delivery_id text primary key,
    webhook_id text not null references message (webhook_id),
    sink text not null,
    severity text not null,
    state text not null check (state in ('pending', 'delivered', 'dead')),
    attempt_no int8 not null,
    schedule_start int8 not null default 0,
    next_attempt_at int8 not null,
    dead_reason text,
    last_error text,
    created_at int8 not null,
    delivered_at int8,
    unique (webhook_id, sink)
  )`,
  // The sweep and the lag metrics read only what is still to be sent.
  `create index delivery_pending on delivery (next_attempt_at) where state = 'pending'`,
  `create index delivery_dead on delivery (created_at) where state = 'dead'`,
  `create table attempt (
    delivery_id text not null references delivery (delivery_id),
    attempt_no int8 not null,
    at int8 not null,
    duration_ms int8 not null,
    result text not null,
    status int8,
    error text,
    excerpt text not null,
    primary key (delivery_id, attempt_no)
  )`,
  `create table outbox (
    id bigserial primary key,
    queue text not null,
    job_id text not null,
    payload text not null,
    run_at int8 not null,
    claimed_until int8 not null
  )`,
  `create table relay_state (one int8 primary key check (one = 1), last_relayed_id int8 not null)`,
  `insert into relay_state values (1, 0)`,
];
