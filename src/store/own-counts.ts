/** How many own addresses a source had, day by day: a loss is seen after a restart too, and where it comes bit by bit. */
import { sql, type Transaction } from "kysely";
import type { Db } from "./database.ts";
import type { Database } from "./schema.ts";

/** `database`: of the operator; `given`: by people. */
export type OwnSource = "database" | "given";

const DAY_MS = 24 * 60 * 60_000;
// Whoever empties a list more slowly than a fifth in a week needs weeks, in which people look at it.
const DAYS = 7;

/** The most of the last seven days; null: nothing is known of them. */
export async function highestCount(
  db: Db | Transaction<Database>,
  { source, now }: { source: OwnSource; now: number },
): Promise<number | null> {
  const row = await db
    .selectFrom("own_count")
    .select((eb) => eb.fn.max("highest").as("highest"))
    .where("source", "=", source)
    .where("day", ">", dayOf(now) - DAYS)
    .executeTakeFirst();
  return row?.highest ?? null;
}

export async function rememberCount(
  db: Db | Transaction<Database>,
  { source, count, now }: { source: OwnSource; count: number; now: number },
): Promise<void> {
  await db
    .insertInto("own_count")
    .values({ source, day: dayOf(now), highest: count })
    .onConflict((conflict) =>
      conflict
        .columns(["source", "day"])
        .doUpdateSet({ highest: sql<number>`greatest(own_count.highest, excluded.highest)` }),
    )
    .execute();
  await db
    .deleteFrom("own_count")
    .where("day", "<=", dayOf(now) - DAYS)
    .execute();
}

/** What comes next is taken as it is. */
export async function forgetCounts(trx: Transaction<Database>, source: OwnSource): Promise<void> {
  await trx.deleteFrom("own_count").where("source", "=", source).execute();
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}
