/**
 * Hits that a scan of the past found, in the rows and events of all others. The same movement is the same hit: one that is
 * known already stays in its alert, which names the further entries now.
 */
import type { Transaction } from "kysely";
import type { Block } from "../types/chain.ts";
import type { ScannedBlock } from "../types/checkpoint.ts";
import type { Hit } from "../types/hit.ts";
import type { WatchEntry } from "../types/watch.ts";
import { encodeHit } from "./codec.ts";
import { addHitEvents, hitBlock, knownHits, type NewHitEvent, writeHits } from "./hit-rows.ts";
import { inChunks } from "./outbox.ts";
import type { Database } from "./schema.ts";
import { tellStanding } from "./watch-hits.ts";

export interface FoundHit {
  readonly scanId: string;
  readonly hit: Hit;
  /** Final. */
  readonly block: Block;
  /** The entries of the scan's addresses that it touches. */
  readonly entries: readonly WatchEntry[];
}

/** `found` may name a hit more than once: for each scan that asked for an address it touches. */
export async function storePastHits(
  trx: Transaction<Database>,
  { found, headNumber, now }: { found: readonly FoundHit[]; headNumber: number; now: number },
): Promise<{ hits: number; fresh: number }> {
  const each = [...new Map(found.map((one) => [one.hit.hitId, one])).values()];
  const fresh = new Set<string>();
  for (const chunk of inChunks(each)) {
    const writes = chunk.map(({ scanId, hit, block }) => ({ hit, scanned: scannedOf(block), retroScan: scanId }));
    // Nobody had told them: new ones, and those that left the chain once and are in it after all.
    const inserted = await writeHits(trx, writes, {
      state: "final",
      headNumber,
      now,
      onlyOver: ["removed", "pending"],
    });
    const told = chunk
      .filter(({ hit }) => hit.recordedOnly === null && inserted.has(hit.hitId))
      .map((one) => ({ ...one, hit: { ...one.hit, alertId: inserted.get(one.hit.hitId) ?? one.hit.alertId } }));
    const standing = chunk.filter(({ hit }) => !inserted.has(hit.hitId));
    const toldAgain = await tellStanding(
      trx,
      new Map(standing.map((one) => [one.hit.hitId, { hit: one.hit, place: placeOf(one, headNumber) }])),
    );
    await addHitEvents(trx, [...told.flatMap((one) => eventsOf(one, headNumber)), ...toldAgain], now);
    for (const hitId of inserted.keys()) fresh.add(hitId);
  }
  await accountFor(trx, found, fresh);
  return { hits: each.length, fresh: fresh.size };
}

function scannedOf(block: Block): ScannedBlock {
  return { block, hits: [], late: true };
}

function placeOf({ block }: FoundHit, headNumber: number) {
  return { block: hitBlock(scannedOf(block), headNumber), trust: JSON.stringify(block.trust), retroactive: true };
}

/** In its block, and final with it: the alert is told as it stands. */
function eventsOf(found: FoundHit, headNumber: number): NewHitEvent[] {
  const { hitId, alertId } = found.hit;
  const event = { hitId, alertId, late: true, ...placeOf(found, headNumber) };
  return [
    { ...event, kind: "included", payload: encodeHit(found.hit) },
    { ...event, kind: "final", payload: null, trust: null },
  ];
}

/** What each scan found for each entry: its summary, and the answer to "what came of it". */
async function accountFor(
  trx: Transaction<Database>,
  found: readonly FoundHit[],
  fresh: ReadonlySet<string>,
): Promise<void> {
  for (const chunk of inChunks(found)) {
    const known = await knownHits(trx, chunk);
    const rows = chunk.flatMap(({ scanId, hit, block, entries }) =>
      [...new Map(entries.map((entry) => [entry.id, entry.address]))].map(([entryId, address]) => ({
        scan_id: scanId,
        entry_id: entryId,
        address,
        hit_id: hit.hitId,
        alert_id: known.get(hit.hitId)?.alert_id ?? hit.alertId,
        block_number: block.number,
        at: block.timestamp,
        own: hit.own !== null,
        told: hit.recordedOnly === null,
        fresh: fresh.has(hit.hitId),
      })),
    );
    for (const part of inChunks(rows))
      await trx
        .insertInto("retro_hit")
        .values(part)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  }
}
