/** Payments by customer, incident and time, and what was told of their sums. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table payment (
    alert_id text not null,
    sum_key text not null,
    incident text not null,
    customer_ref text,
    own text not null,
    direction text not null,
    chain text not null,
    at int8 not null,
    usd_cents numeric not null,
    severity text not null,
    ladder text not null,
    primary key (alert_id, sum_key)
  )`,
  `create index payment_sum_at on payment (sum_key, at)`,
  // A day of a sum that is to be looked at again, or was told.
  `create table payment_sum (
    sum_key text not null,
    day int8 not null,
    due_at int8,
    told int8 not null default 0,
    told_severity text,
    sinks text not null default '[]',
    primary key (sum_key, day)
  )`,
  `create index payment_sum_due on payment_sum (due_at) where due_at is not null`,
];
