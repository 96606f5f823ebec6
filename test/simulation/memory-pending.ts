/** The mempool's part of the store in memory. */
import { decodeHit, encodeHit, matchDigest } from "../../src/store/codec.ts";
import { linkEvents, type EndedPending, type FoundPending, type PendingStore } from "../../src/store/pending-store.ts";
import type { BlockRef, BlockTrust } from "../../src/types/chain.ts";
import type { ScannedBlock } from "../../src/types/checkpoint.ts";
import type { HitEvent } from "../../src/types/hit.ts";
import { hold, holdForMatching } from "./memory-chain.ts";
import { addEvents, type NewEvent } from "./memory-events.ts";
import type { HitRow, MemoryTables } from "./memory-tables.ts";

export function createMemoryPending(tables: MemoryTables): PendingStore {
  return {
    async load(chain) {
      return tables.pending
        .values()
        .filter((row) => row.chain === chain)
        .toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
        .map(({ hash, slots, state }) => ({ hash, slots, state }));
    },

    commitPending: async (commit) =>
      tables.transaction(() => {
        holdForMatching(tables, commit);
        const { chain } = commit.lease;
        const taken = commit.found.filter(
          ({ hash, was }) => (tables.pending.get(`${chain} ${hash}`)?.state ?? null) === was,
        );
        for (const { hash, slots } of taken)
          tables.pending.put(`${chain} ${hash}`, {
            chain,
            hash,
            slots,
            state: "pending",
            blockNumber: null,
            changedAt: commit.now,
          });
        return { hits: putPendingHits(tables, taken, commit) };
      }),

    commitEnded: async ({ lease, ended, now }) =>
      tables.transaction(() => {
        hold(tables, lease);
        return { hits: ended.reduce((sum, one) => sum + endOne(tables, lease.chain, one, now), 0) };
      }),

    prune: async ({ lease, changedBefore }) =>
      tables.transaction(() => {
        hold(tables, lease);
        for (const { chain, hash, state, changedAt } of tables.pending.values())
          if (chain === lease.chain && (state === "replaced" || state === "dropped") && changedAt < changedBefore)
            tables.pending.delete(`${chain} ${hash}`);
      }),
  };
}

function putPendingHits(
  tables: MemoryTables,
  taken: readonly FoundPending[],
  { trust, now }: { trust: BlockTrust; now: number },
): number {
  const events: NewEvent[] = [];
  for (const found of taken.flatMap((one) => one.hits)) {
    const before = tables.hit.get(found.hitId);
    const digest = matchDigest(found);
    if (before?.state === "pending" && before.digest === digest) continue;
    if (before !== undefined && before.state !== "pending" && before.state !== "removed") continue;
    const hit = before === undefined ? found : { ...found, alertId: before.alertId };
    const { hitId, alertId, chain, transfer } = hit;
    tables.hit.put(hitId, {
      hitId,
      alertId,
      chain,
      movement: `${transfer.txHash} ${transfer.key}`,
      blockNumber: null,
      blockHash: null,
      state: "pending",
      recordedRule: null,
      digest,
      payload: encodeHit(hit),
    });
    events.push({ ...bare(hitId, alertId, "pending", now), payload: encodeHit(hit), trust });
  }
  addEvents(tables, events);
  return events.length;
}

function bare(hitId: string, alertId: string, kind: HitEvent["kind"], at: number): NewEvent {
  return { hitId, alertId, kind, block: null, payload: null, trust: null, reason: null, link: null, late: false, at };
}

function endOne(tables: MemoryTables, chain: string, ended: EndedPending, now: number): number {
  const { hash, was, how, by, block } = ended;
  const key = `${chain} ${hash}`;
  if (block !== null && !isScanned(tables, chain, block)) return 0;
  if (tables.pending.get(key)?.state !== was) return 0;
  tables.pending.change(key, {
    state: how,
    blockNumber: how === "included" ? (block?.number ?? null) : null,
    changedAt: now,
  });
  const hits = endHits(tables, chain, [hash]);
  const events = hits.map(
    ({ hitId, alertId }): NewEvent =>
      how === "included"
        ? bare(hitId, alertId, "superseded", now)
        : { ...bare(hitId, alertId, "removed", now), reason: how },
  );
  addEvents(tables, by === null ? events : [...events, ...links(tables, { chain, replaced: hash, by, now })]);
  return hits.length;
}

function isScanned(tables: MemoryTables, chain: string, { number, hash }: BlockRef): boolean {
  const first = tables.window(chain).find((row) => row.number >= number);
  if (first === undefined) return false;
  return first.number > number || (first.hash === hash && first.scanned);
}

function endHits(tables: MemoryTables, chain: string, hashes: readonly string[]): HitRow[] {
  const rows = tables.hit
    .values()
    .filter((hit) => hit.chain === chain && hit.state === "pending" && hashes.includes(hashOf(hit)))
    .toSorted((a, b) => (a.hitId < b.hitId ? -1 : 1));
  for (const { hitId } of rows) tables.hit.change(hitId, { state: "removed" });
  return rows;
}

export function hashOf({ movement }: HitRow): string {
  return movement.split(" ", 1)[0] as string;
}

function links(
  tables: MemoryTables,
  { chain, replaced, by, now }: { chain: string; replaced: string; by: string; now: number },
): NewEvent[] {
  const alerts = new Map(
    tables.hit
      .values()
      .filter((hit) => hit.chain === chain && hit.recordedRule === null && [replaced, by].includes(hashOf(hit)))
      .toSorted((a, b) => (a.hitId < b.hitId ? -1 : 1))
      .map((hit) => [
        hit.alertId,
        { hitId: hit.hitId, alertId: hit.alertId, txHash: hashOf(hit), subject: decodeHit(hit.payload).subject },
      ]),
  );
  return linkEvents([...alerts.values()], { replaced, by }).map(({ hitId, alertId, kind, link }) => ({
    ...bare(hitId, alertId, kind, now),
    link: JSON.parse(link as string) as HitEvent["link"],
  }));
}

export function settleMined(
  tables: MemoryTables,
  { lease, scanned, now }: { lease: { chain: string }; scanned: readonly ScannedBlock[]; now: number },
): void {
  for (const { block, hits } of scanned) {
    const hashes = [...new Set(hits.map((hit) => hit.transfer.txHash))];
    for (const hash of hashes)
      tables.pending.change(`${lease.chain} ${hash}`, {
        state: "included",
        blockNumber: block.number,
        changedAt: now,
      });
    const ended = endHits(tables, lease.chain, hashes);
    addEvents(
      tables,
      ended.map(({ hitId, alertId }) => bare(hitId, alertId, "superseded", now)),
    );
  }
}

export function settleUnmined(tables: MemoryTables, chain: string, above: number): void {
  for (const row of tables.pending.values())
    if (row.chain === chain && row.state === "included" && (row.blockNumber ?? -1) > above)
      tables.pending.change(`${chain} ${row.hash}`, { state: "unmined", blockNumber: null });
}

/** What waited in the mempool before its disputed block lost. */
export function waitAgain(tables: MemoryTables, chain: string, hashes: readonly string[], now: number): void {
  for (const hash of hashes)
    if (tables.pending.get(`${chain} ${hash}`)?.state === "pending")
      tables.pending.change(`${chain} ${hash}`, { state: "unmined", changedAt: now });
}
