/** The ledger's answers: what was scanned of a chain, and whether a block was scanned for an address. */
import type { Kysely } from "kysely";
import { mergeRanges, subtractRanges } from "../lib/ranges.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { NumberRange, Reading } from "../types/retro.ts";
import { LIVE } from "./coverage.ts";
import { versionsNaming } from "./list-members.ts";
import { liveCountsFrom } from "./rewatched.ts";
import type { Database } from "./schema.ts";

export interface CoveredRange extends NumberRange {
  /** `live`, or the id of a scan of the past. */
  readonly scan: string;
  readonly reading: Reading;
  readonly listVersion: string;
  readonly traced: boolean;
  readonly proven: boolean;
  readonly operators: readonly string[];
}

export interface CoverageReport {
  readonly chain: ChainId;
  readonly block: number | null;
  readonly address: Address | null;
  /** Ascending; with an address only what was scanned for it. */
  readonly ranges: readonly CoveredRange[];
  /**
   * About a block: `yes`; `filtered` and `logs` where only such readings cover it (see `Reading`); `no`. Null without one.
   */
  readonly scanned: "yes" | "filtered" | "logs" | "no" | null;
  /**
   * What no reading of everything covers between the first and the last block of the ledger: of the live ones, and with an
   * address of all. Empty with a block.
   */
  readonly holes: readonly NumberRange[];
}

export interface CoverageQuestion {
  readonly chain: ChainId;
  readonly block: number | null;
  readonly address: Address | null;
}

export async function reportCoverage(db: Kysely<Database>, of: CoverageQuestion): Promise<CoverageReport> {
  const { chain, block, address } = of;
  const all = await rangesOf(db, { chain, block });
  const ranges = address === null ? all : await scannedFor(db, { chain, address, block, ranges: all });
  return {
    ...of,
    ranges,
    scanned: block === null ? null : verdictOf(ranges),
    holes: block === null ? holesOf(address === null ? all.filter(({ scan }) => scan === LIVE) : all, ranges) : [],
  };
}

async function rangesOf(
  db: Kysely<Database>,
  { chain, block }: { chain: ChainId; block: number | null },
): Promise<CoveredRange[]> {
  const rows = await db
    .selectFrom("coverage")
    .selectAll()
    .where("chain", "=", chain)
    .$if(block !== null, (query) => query.where("from_number", "<=", block ?? 0).where("to_number", ">=", block ?? 0))
    .orderBy("from_number")
    .orderBy("scan")
    .execute();
  return rows.map((row) => ({
    from: row.from_number,
    to: row.to_number,
    scan: row.scan,
    reading: row.reading,
    listVersion: row.list_version,
    traced: row.traced,
    proven: row.proven,
    operators: row.operators.split(",").filter((name) => name !== ""),
  }));
}

/**
 * Live blocks count where the list they stand by names the address; those of a scan where it was asked for, too. Neither
 * counts that was scanned before the address got an entry it did not have then.
 */
async function scannedFor(
  db: Kysely<Database>,
  {
    chain,
    address,
    block,
    ranges,
  }: { chain: ChainId; address: Address; block: number | null; ranges: readonly CoveredRange[] },
): Promise<CoveredRange[]> {
  const versions = (await versionsNaming(db, { chain, addresses: [address] })).get(address) ?? new Set<string>();
  const liveFrom = (await liveCountsFrom(db, { chain, addresses: [address] })).get(address) ?? 0;
  const asked = await db
    .selectFrom("retro_address")
    .select("scan_id")
    .where("address", "=", address)
    .where("stale", "=", false)
    .execute();
  const scans = new Set([LIVE, ...asked.map(({ scan_id }) => scan_id)]);
  return ranges
    .filter(({ scan, listVersion }) => scans.has(scan) && versions.has(listVersion))
    .map((range) => (range.scan === LIVE ? { ...range, from: Math.max(range.from, liveFrom) } : range))
    .filter(({ from, to }) => from <= (block ?? to));
}

function verdictOf(ranges: readonly CoveredRange[]): "yes" | "filtered" | "logs" | "no" {
  const has = (reading: Reading) => ranges.some((range) => range.reading === reading);
  if (has("whole")) return "yes";
  if (has("filtered")) return "filtered";
  return has("logs") ? "logs" : "no";
}

function holesOf(all: readonly CoveredRange[], scanned: readonly CoveredRange[]): NumberRange[] {
  const known = mergeRanges(all);
  const [first] = known;
  const last = known.at(-1);
  if (first === undefined || last === undefined) return [];
  const whole = scanned.filter(({ reading }) => reading !== "logs");
  return subtractRanges([{ from: first.from, to: last.to }], whole);
}
