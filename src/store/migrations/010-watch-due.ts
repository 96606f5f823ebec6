/** When entries are due: their review, and the end of their dates. What was told of it stands beside. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table watch_entry add column review_by int8`,
  `alter table watch_entry add column valid_until int8`,
  // The moment that was told; another date is told again.
  `alter table watch_entry add column review_told int8`,
  `alter table watch_entry add column end_told int8`,
  `update watch_entry set review_by = (payload::jsonb ->> 'reviewBy')::int8`,
  `create index watch_entry_review on watch_entry (review_by) where review_by is not null`,
  `create index watch_entry_end on watch_entry (valid_until) where valid_until is not null`,
];
