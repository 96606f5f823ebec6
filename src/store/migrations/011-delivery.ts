/** Deliveries that a fallback sink took over, and messages that were sent again as replays. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table delivery add column fallback_at int8`,
  `alter table delivery add column fallback_for text`,
  // What may still have to be handed to a fallback sink: a handful of rows, asked for each second.
  `create index delivery_unheard on delivery (sink, created_at)
    where state <> 'delivered' and fallback_at is null and severity in ('critical', 'high')`,
  // A broken sink's backlog, and what is due while the queue is away.
  `create index delivery_pending_sink on delivery (sink, next_attempt_at) where state = 'pending'`,
  `alter table message add column replay_of text references message (webhook_id)`,
  `alter table message drop constraint message_alert_id_revision_key`,
  `create unique index message_revision on message (alert_id, revision) where replay_of is null`,
  `create index message_created on message (created_at, webhook_id) where alert_id is not null and replay_of is null`,
];
