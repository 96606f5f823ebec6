/** What src/store/trust.ts does, in memory: disputed hits, and blocks an operator has yet to name. */
import { encodeHit, matchDigest } from "../../src/store/codec.ts";
import type { CommitChecked, CommitDisputed } from "../../src/store/chain-store.ts";
import type { BlockRef, BlockTrust } from "../../src/types/chain.ts";
import type { ScannedBlock } from "../../src/types/checkpoint.ts";
import type { HitEventKind } from "../../src/types/hit.ts";
import { addEvents, toldBlock } from "./memory-events.ts";
import { hashOf, waitAgain } from "./memory-pending.ts";
import type { CoverageRow, HitRow, MemoryTables, UncheckedRow } from "./memory-tables.ts";

export function uncheckedKey({ chain, operator, number }: Pick<UncheckedRow, "chain" | "operator" | "number">): string {
  return `${chain} ${operator} ${number}`;
}

export function uncheckedOf(tables: MemoryTables, chain: string): UncheckedRow[] {
  return tables.unchecked
    .values()
    .filter((row) => row.chain === chain)
    .toSorted((a, b) => a.number - b.number);
}

export function addUnchecked(tables: MemoryTables, chain: string, scanned: readonly ScannedBlock[]): void {
  for (const { block } of scanned)
    for (const operator of block.trust.missing) {
      const row = { chain, operator, number: block.number, hash: block.hash, contradicted: false };
      tables.unchecked.insert(uncheckedKey(row), row);
    }
}

export function storeDisputed(tables: MemoryTables, { lease, scanned, headNumber, now }: CommitDisputed): void {
  for (const one of scanned) {
    for (const found of one.hits) {
      const before = tables.hit.get(found.hitId);
      if (before !== undefined && before.state !== "removed" && before.state !== "pending") continue;
      const hit = { ...found, alertId: before?.alertId ?? found.alertId };
      const { hitId, alertId } = hit;
      tables.hit.put(hitId, {
        hitId,
        alertId,
        chain: lease.chain,
        movement: `${hit.transfer.txHash} ${hit.transfer.key}`,
        blockNumber: one.block.number,
        blockHash: one.block.hash,
        state: "disputed",
        recordedRule: hit.recordedOnly?.rule ?? null,
        digest: matchDigest(hit),
        payload: encodeHit(hit),
      });
      if (hit.recordedOnly !== null) continue;
      addEvents(tables, [
        {
          hitId,
          alertId,
          kind: "disputed",
          block: toldBlock(one, headNumber),
          payload: encodeHit(hit),
          trust: one.block.trust,
          reason: null,
          link: null,
          late: one.late,
          at: now,
        },
      ]);
    }
  }
}

export function doubtHits(
  tables: MemoryTables,
  { chain, above, now }: { chain: string; above: number; now: number },
): void {
  const rows = hitsOf(tables, chain, (hit) => hit.state === "included" && placeOf(hit) > above);
  for (const { hitId } of rows) tables.hit.change(hitId, { state: "disputed" });
  tell(tables, rows, { kind: "disputed", trust: null, now });
}

export function settleDisputed(
  tables: MemoryTables,
  { chain, upTo, now }: { chain: string; upTo: number; now: number },
): void {
  const hashes = new Map(tables.window(chain).map(({ number, hash }) => [number, hash]));
  const rows = hitsOf(tables, chain, (hit) => hit.state === "disputed" && placeOf(hit) <= upTo);
  const won = rows.filter((hit) => hashes.get(placeOf(hit)) === hit.blockHash);
  const lost = rows.filter((hit) => hashes.get(placeOf(hit)) !== hit.blockHash);
  for (const { hitId } of won) tables.hit.change(hitId, { state: "included" });
  for (const { hitId } of lost) tables.hit.change(hitId, { state: "removed" });
  tell(tables, won, { kind: "agreed", trust: null, now });
  tell(tables, lost, { kind: "removed", trust: null, now });
  waitAgain(tables, chain, lost.map(hashOf), now);
}

export function checkBlocks(
  tables: MemoryTables,
  { chain, operator, vouched, contradicted, now }: Omit<CommitChecked, "lease"> & { chain: string },
): void {
  const hitsIn = (blocks: readonly BlockRef[]) =>
    hitsOf(tables, chain, (hit) => {
      const stands = hit.state === "included" || hit.state === "final";
      return stands && blocks.some(({ number, hash }) => number === hit.blockNumber && hash === hit.blockHash);
    });
  const nobody: BlockTrust = { proven: false, operators: [], missing: [], traced: false };
  for (const { number } of vouched) {
    tables.unchecked.delete(uncheckedKey({ chain, operator, number }));
    vouchCoverage(tables, { chain, operator, number });
  }
  tell(tables, hitsIn(vouched), { kind: "vouched", trust: { ...nobody, operators: [operator] }, now });
  for (const { number } of contradicted)
    tables.unchecked.change(uncheckedKey({ chain, operator, number }), { contradicted: true });
  tell(tables, hitsIn(contradicted), { kind: "contradicted", trust: { ...nobody, disputing: [operator] }, now });
}

function vouchCoverage(tables: MemoryTables, of: { chain: string; operator: string; number: number }): void {
  changeCoverage(tables, of, (row) => ({
    ...row,
    operators: [...new Set([...row.operators, of.operator])].toSorted(),
  }));
}

/** One block is covered otherwise than the others of its range. */
export function changeCoverage(
  tables: MemoryTables,
  { chain, number }: { chain: string; number: number },
  change: (row: CoverageRow) => CoverageRow,
): void {
  const range = tables.coverage.values().find((row) => row.chain === chain && row.from <= number && row.to >= number);
  if (range === undefined) return;
  tables.coverage.delete(`${chain} ${range.from}`);
  const parts = [
    { ...range, to: number - 1 },
    { ...change(range), from: number, to: number },
    { ...range, from: number + 1 },
  ].filter(({ from, to }) => from <= to);
  for (const part of parts) tables.coverage.insert(`${chain} ${part.from}`, part);
}

function hitsOf(tables: MemoryTables, chain: string, which: (hit: HitRow) => boolean): HitRow[] {
  return tables.hit
    .values()
    .filter((hit) => hit.chain === chain && which(hit))
    .toSorted((a, b) => placeOf(a) - placeOf(b) || (a.hitId < b.hitId ? -1 : 1));
}

function placeOf({ blockNumber }: HitRow): number {
  return blockNumber ?? -1;
}

function tell(
  tables: MemoryTables,
  rows: readonly HitRow[],
  { kind, trust, now }: { kind: HitEventKind; trust: BlockTrust | null; now: number },
): void {
  const told = rows.filter((hit) => hit.recordedRule === null);
  addEvents(
    tables,
    told.map(({ hitId, alertId, blockNumber, blockHash }) => ({
      hitId,
      alertId,
      kind,
      block: { number: blockNumber ?? -1, hash: blockHash ?? "", timestamp: 0, confirmations: 0 },
      payload: null,
      trust,
      reason: kind === "removed" ? "reorg" : null,
      link: null,
      late: false,
      at: now,
    })),
  );
}
