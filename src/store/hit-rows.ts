/** What every write about hits shares: what is known of them, where they stand, the events that tell it. */
import type { Transaction } from "kysely";
import type { ScannedBlock } from "../types/checkpoint.ts";
import type { RetractionReason } from "../types/alert.ts";
import type { Hit, HitBlock, HitEvent, HitEventKind } from "../types/hit.ts";
import { HITS_QUEUE } from "../types/queue-names.ts";
import { addToOutbox, inChunks } from "./outbox.ts";
import type { Database, HitTable } from "./schema.ts";

export type KnownHit = Pick<
  HitTable,
  "hit_id" | "alert_id" | "state" | "match_digest" | "block_hash" | "recorded_rule"
>;

export async function knownHits(
  trx: Transaction<Database>,
  writes: readonly { readonly hit: Hit }[],
): Promise<Map<string, KnownHit>> {
  if (writes.length === 0) return new Map();
  const rows = await trx
    .selectFrom("hit")
    .select(["hit_id", "alert_id", "state", "match_digest", "block_hash", "recorded_rule"])
    .where(
      "hit_id",
      "in",
      writes.map((write) => write.hit.hitId),
    )
    .execute();
  return new Map(rows.map((row) => [row.hit_id, row]));
}

/** A hit's place as its events tell it. */
export function hitBlock({ block }: ScannedBlock, headNumber: number): string {
  const told: HitBlock = {
    number: block.number,
    hash: block.hash,
    timestamp: block.timestamp,
    confirmations: Math.max(1, headNumber - block.number + 1),
  };
  return JSON.stringify(told);
}

/** A recorded hit remembers where it stands: it may be told after all. */
export function standingOf(hit: Hit, scanned: ScannedBlock, headNumber: number): Pick<HitTable, "block" | "trust"> {
  if (hit.recordedOnly === null) return { block: null, trust: null };
  return { block: hitBlock(scanned, headNumber), trust: JSON.stringify(scanned.block.trust) };
}

/** Remembers which entries the hits rest on. In the transaction that stores them. */
export async function linkEntries(trx: Transaction<Database>, hits: readonly Hit[]): Promise<void> {
  const links = hits.flatMap(({ hitId, matches }) =>
    [...new Set(matches.map(({ entry }) => entry.id))].map((entryId) => ({ entry_id: entryId, hit_id: hitId })),
  );
  for (const chunk of inChunks(links))
    await trx
      .insertInto("hit_entry")
      .values(chunk)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

/** Block, payload, trust and link as text. */
export interface NewHitEvent {
  readonly hitId: string;
  readonly alertId: string;
  readonly kind: HitEventKind;
  readonly block: string;
  readonly payload: string | null;
  readonly trust: string | null;
  readonly late: boolean;
  readonly retroactive?: boolean;
  readonly reason?: RetractionReason | null;
  readonly link?: string | null;
}

/** An event without a block, a hit or anything else of its own. */
export function bareEvent(of: { hitId: string; alertId: string; kind: HitEventKind }): NewHitEvent {
  return { ...of, block: "null", payload: null, trust: null, late: false };
}

export function encodeLink(link: NonNullable<HitEvent["link"]>): string {
  return JSON.stringify(link);
}

/** Events in order, and one job for each alert they belong to. */
export async function addHitEvents(
  trx: Transaction<Database>,
  events: readonly NewHitEvent[],
  now: number,
): Promise<void> {
  const lastSeq = new Map<string, number>();
  for (const chunk of inChunks(events)) {
    const rows = await trx
      .insertInto("hit_event")
      .values(
        chunk.map(({ hitId, alertId, reason = null, link = null, ...event }) => ({
          ...event,
          reason,
          link,
          hit_id: hitId,
          alert_id: alertId,
          at: now,
        })),
      )
      .returning(["alert_id", "seq"])
      .execute();
    for (const row of rows) lastSeq.set(row.alert_id, Math.max(row.seq, lastSeq.get(row.alert_id) ?? 0));
  }
  await addToOutbox(
    trx,
    [...lastSeq].map(([alertId, seq]) => ({
      queue: HITS_QUEUE,
      jobId: hitsJobId(alertId, seq),
      payload: { alertId },
      runAt: now,
    })),
  );
}

/** The last event is part of the id: an alert that is being folded just now is folded again for what came since. */
export function hitsJobId(alertId: string, seq: number): string {
  return `${alertId}-${seq}`;
}
