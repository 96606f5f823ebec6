/** Which blocks were scanned, how: merged ranges, written in the transaction that scans. */
import { type Kysely, sql, type Transaction } from "kysely";
import type { ScannedBlock } from "../types/checkpoint.ts";
import type { CoverageTable, Database } from "./schema.ts";

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
    operators: block.trust.operators.toSorted().join(","),
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

/** One more operator vouches for a block: its range is split around it, and joined with the one below where they are alike now. */
export async function vouchCoverage(
  trx: Transaction<Database>,
  { chain, operator, number }: { chain: string; operator: string; number: number },
): Promise<void> {
  const range = await trx
    .selectFrom("coverage")
    .selectAll()
    .where("chain", "=", chain)
    .where("from_number", "<=", number)
    .where("to_number", ">=", number)
    .executeTakeFirst();
  if (range === undefined) return;
  const operators = [...new Set([...range.operators.split(","), operator])].filter((name) => name !== "").toSorted();
  await trx.deleteFrom("coverage").where("chain", "=", chain).where("from_number", "=", range.from_number).execute();
  const { from_number: from, to_number: to } = range;
  const vouchedFrom = await takeAlikeBelow(trx, { ...range, operators: operators.join(","), from_number: number });
  const parts = [
    { ...range, from_number: from, to_number: number - 1 },
    { ...range, from_number: vouchedFrom, to_number: number, operators: operators.join(",") },
    { ...range, from_number: number + 1, to_number: to },
  ].filter((part) => part.from_number <= part.to_number);
  await trx.insertInto("coverage").values(parts).execute();
}

/** Removes the range that ends just below and was scanned alike; returns where the joined one begins. */
async function takeAlikeBelow(trx: Transaction<Database>, range: CoverageTable): Promise<number> {
  const below = await trx
    .deleteFrom("coverage")
    .where("chain", "=", range.chain)
    .where("to_number", "=", range.from_number - 1)
    .where("list_version", "=", range.list_version)
    .where("traced", "=", range.traced)
    .where("proven", "=", range.proven)
    .where("operators", "=", range.operators)
    .returning("from_number")
    .executeTakeFirst();
  return below?.from_number ?? range.from_number;
}
