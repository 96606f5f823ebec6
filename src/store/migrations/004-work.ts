/** Chains whose branches are chosen by proof of work: the window remembers each block's. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

// Up to 2^256: more than an int8 holds, and only ever compared in the process.
const STATEMENTS = [`alter table checkpoint add column work numeric(78)`];
