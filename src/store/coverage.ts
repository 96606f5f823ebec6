/**
 * The ledger: which blocks were scanned, how, with which list, who vouches for them. Merged ranges, written in the
 * transaction that stores what the scan found. `scan` tells what was followed live from what a scan of the past read.
 */
import { type Kysely, sql, type Transaction } from "kysely";
import type { Block } from "../types/chain.ts";
import type { ScannedBlock } from "../types/checkpoint.ts";
import type { NumberRange } from "../types/retro.ts";
import type { CoverageTable, Database } from "./schema.ts";

export const LIVE = "live";

/** Everything about a range but where it is; ranges of one kind are merged. */
export type CoverageKind = Omit<CoverageTable, "from_number" | "to_number">;

function liveKind(chain: string, block: Block, listVersion: string): CoverageKind {
  return { chain, scan: LIVE, reading: "whole", list_version: listVersion, ...trustOf(block) };
}

export function trustOf({ trust }: Block): Pick<CoverageTable, "traced" | "proven" | "operators"> {
  return { traced: trust.traced, proven: trust.proven, operators: trust.operators.toSorted().join(",") };
}

function kindOf({ from_number: _from, to_number: _to, ...kind }: CoverageTable): CoverageKind {
  return kind;
}

/** Adds consecutive blocks; the last range grows where nothing about the scan changed. */
export async function addCoverage(
  trx: Transaction<Database>,
  chain: string,
  scanned: readonly ScannedBlock[],
  listVersion: string,
): Promise<void> {
  for (const { block } of scanned) {
    const kind = liveKind(chain, block, listVersion);
    const grown = await trx
      .updateTable("coverage")
      .set({ to_number: block.number })
      .where((eb) => eb.and({ ...kind, to_number: block.number - 1 }))
      .returning("from_number")
      .executeTakeFirst();
    if (grown !== undefined) continue;
    await trx
      .insertInto("coverage")
      .values({ ...kind, from_number: block.number, to_number: block.number })
      .execute();
  }
}

/** Adds a range in any order, joined with what was scanned alike below and above it. Nothing of its scan covers it yet. */
export async function addRange(
  trx: Transaction<Database>,
  kind: CoverageKind,
  { from, to }: NumberRange,
): Promise<void> {
  const below = await trx
    .deleteFrom("coverage")
    .where((eb) => eb.and({ ...kind, to_number: from - 1 }))
    .returning("from_number")
    .executeTakeFirst();
  const above = await trx
    .deleteFrom("coverage")
    .where((eb) => eb.and({ ...kind, from_number: to + 1 }))
    .returning("to_number")
    .executeTakeFirst();
  await trx
    .insertInto("coverage")
    .values({ ...kind, from_number: below?.from_number ?? from, to_number: above?.to_number ?? to })
    .execute();
}

/** Takes back everything live above `number`: those blocks left the chain. */
export async function cutCoverage(trx: Transaction<Database>, chain: string, number: number): Promise<void> {
  await trx
    .deleteFrom("coverage")
    .where((eb) => eb.and({ chain, scan: LIVE }))
    .where("from_number", ">", number)
    .execute();
  await trx
    .updateTable("coverage")
    .set({ to_number: number })
    .where((eb) => eb.and({ chain, scan: LIVE }))
    .where("to_number", ">", number)
    .execute();
}

/** Blocks in `from..to` that no range of that scan covers. Of the live ones there must be none. */
export async function countHoles(
  db: Kysely<Database>,
  of: NumberRange & { chain: string; scan?: string },
): Promise<number> {
  const result = await sql<{ covered: number }>`
    select coalesce(sum(least(to_number, ${of.to}) - greatest(from_number, ${of.from}) + 1), 0)::int8 as covered
    from coverage
    where chain = ${of.chain} and scan = ${of.scan ?? LIVE} and to_number >= ${of.from} and from_number <= ${of.to}`.execute(
    db,
  );
  return Math.max(0, of.to - of.from + 1 - (result.rows[0]?.covered ?? 0));
}

/** One more operator vouches for a block that was followed live. */
export function vouchCoverage(
  trx: Transaction<Database>,
  { chain, operator, number }: { chain: string; operator: string; number: number },
): Promise<void> {
  return changeBlock(trx, { chain, number }, (kind) => ({ ...kind, operators: joinNames(kind.operators, operator) }));
}

/** Live blocks matched again with another list: the ledger names the list they stand by now. */
export async function rematchCoverage(
  trx: Transaction<Database>,
  chain: string,
  scanned: readonly ScannedBlock[],
  listVersion: string,
): Promise<void> {
  for (const { block } of scanned) {
    const now = liveKind(chain, block, listVersion);
    await changeBlock(trx, { chain, number: block.number }, (before) => ({
      ...now,
      // Whoever named this hash before still does.
      operators: joinNames(before.operators, now.operators),
    }));
  }
}

function joinNames(a: string, b: string): string {
  const names = new Set([...a.split(","), ...b.split(",")].filter((name) => name !== ""));
  return [...names].toSorted().join(",");
}

/** One block's kind: its range is split around it, and it is joined with what is alike now. */
async function changeBlock(
  trx: Transaction<Database>,
  { chain, number }: { chain: string; number: number },
  change: (kind: CoverageKind) => CoverageKind,
): Promise<void> {
  const range = await trx
    .selectFrom("coverage")
    .selectAll()
    .where((eb) => eb.and({ chain, scan: LIVE }))
    .where("from_number", "<=", number)
    .where("to_number", ">=", number)
    .executeTakeFirst();
  if (range === undefined) return;
  const before = kindOf(range);
  const kind = change(before);
  const { from_number: from, to_number: to } = range;
  await trx
    .deleteFrom("coverage")
    .where((eb) => eb.and({ chain, scan: LIVE, from_number: from }))
    .execute();
  const rest = [
    { ...before, from_number: from, to_number: number - 1 },
    { ...before, from_number: number + 1, to_number: to },
  ].filter((part) => part.from_number <= part.to_number);
  if (rest.length > 0) await trx.insertInto("coverage").values(rest).execute();
  await addRange(trx, kind, { from: number, to: number });
}
