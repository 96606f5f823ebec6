/** A transaction that spends several coins has a slot for each: they stand in one text, separated by spaces. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [`alter table pending_transaction rename column slot to slots`];
