/** What changed since a list was last read, found without reading the rest. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Random, and another one with each change: a book that was restored and went another way is told from this one.
  `alter table watch_state add column mark text not null default gen_random_uuid()::text`,
  // Of the book when the version was made; null: made before they were written down.
  `alter table watch_version add column revision int8, add column mark text`,
  `create unique index watch_version_revision on watch_version (revision)`,
  // Addresses that somebody may have taken for another one.
  `create index watch_entry_ends on watch_entry (right(lower(address), 2), left(lower(address), 6))`,
  // What a list was made from: only what changed between two is compared. Null: not known.
  `alter table list_version add column revision int8, add column basis text`,
];
