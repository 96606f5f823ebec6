/** Which blocks were scanned, how: merged ranges, written in the transaction that scans. */
import { type Kysely, sql, type Transaction } from "kysely";
import type { ScannedBlock } from "../types/checkpoint.ts";
import type { Database } from "./schema.ts";

interface CoverageKind {
  readonly listVersion: string;
  readonly traced: boolean;
  readonly proven: boolean;
  readonly operators: string;
}

function kindOf({ block }: ScannedBlock, listVersion: string): CoverageKind {
  return {
    listVersion,
    traced: block.trust.traced,
    proven: block.trust.proven,
    operators: block.trust.operators.join(","),
  };
}

/** Adds consecutive blocks; the last range grows where nothing about the scan changed. */
export async function addCoverage(
  trx: Transaction<Database>,
  chain: string,
  scanned: readonly ScannedBlock[],
  listVersion: string,
): Promise<void> {
  for (const one of scanned) {
    const kind = kindOf(one, listVersion);
    const number = one.block.number;
    const grown = await trx
      .updateTable("coverage")
      .set({ to_number: number })
      .where("chain", "=", chain)
      .where("to_number", "=", number - 1)
      .where("list_version", "=", kind.listVersion)
      .where("traced", "=", kind.traced)
      .where("proven", "=", kind.proven)
      .where("operators", "=", kind.operators)
      .returning("from_number")
      .executeTakeFirst();
    if (grown !== undefined) continue;
    await trx
      .insertInto("coverage")
      .values({
        chain,
        from_number: number,
        to_number: number,
        list_version: kind.listVersion,
        traced: kind.traced,
        proven: kind.proven,
        operators: kind.operators,
      })
      .execute();
  }
}

/** Takes back everything above `number`: those blocks left the chain. */
export async function cutCoverage(trx: Transaction<Database>, chain: string, number: number): Promise<void> {
  await trx.deleteFrom("coverage").where("chain", "=", chain).where("from_number", ">", number).execute();
  await trx
    .updateTable("coverage")
    .set({ to_number: number })
    .where("chain", "=", chain)
    .where("to_number", ">", number)
    .execute();
}

/** Blocks in `from..to` that no range covers: holes, of which there must be none. */
export async function countHoles(
  db: Kysely<Database>,
  of: { chain: string; from: number; to: number },
): Promise<number> {
  const result = await sql<{ covered: number }>`
    select coalesce(sum(least(to_number, ${of.to}) - greatest(from_number, ${of.from}) + 1), 0)::int8 as covered
    from coverage where chain = ${of.chain} and to_number >= ${of.from} and from_number <= ${of.to}`.execute(db);
  return Math.max(0, of.to - of.from + 1 - (result.rows[0]?.covered ?? 0));
}
