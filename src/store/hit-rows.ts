/** What every write about hits shares: what is known of them, where they stand, the events that tell it. */
import { sql, type Transaction } from "kysely";
import type { ScannedBlock } from "../types/checkpoint.ts";
import type { RetractionReason } from "../types/alert.ts";
import type { Hit, HitBlock, HitEvent, HitEventKind } from "../types/hit.ts";
import { HITS_QUEUE, type JobLane } from "../types/queue-names.ts";
import { decodeHit, encodeHit, matchDigest } from "./codec.ts";
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

/** A hit as it is to be stored. */
export interface HitWrite {
  readonly hit: Hit;
  /** Null: not in a block yet. */
  readonly scanned: ScannedBlock | null;
  /** The scan of the past that found it. */
  readonly retroScan?: string;
}

export interface WriteHits {
  readonly state: HitTable["state"];
  /** 0 where none is in a block. */
  readonly headNumber: number;
  readonly now: number;
  /** Hits that stand otherwise stay as they are; absent: none does. */
  readonly onlyOver?: readonly HitTable["state"][];
}

/**
 * Stores hits as they are told now, with the entries they rest on: without those, nobody finds what a withdrawn entry has
 * to take back. One that is known keeps its alert and the time it was first seen, and once final it stays final.
 * Returns the alert ids of those written, by hit.
 */
export async function writeHits(
  trx: Transaction<Database>,
  writes: readonly HitWrite[],
  of: WriteHits,
): Promise<Map<string, string>> {
  if (writes.length === 0) return new Map();
  await linkEntries(
    trx,
    writes.map(({ hit }) => hit),
  );
  const rows = await trx
    .insertInto("hit")
    .values(writes.map((write) => hitRow(write, of)))
    .onConflict((conflict) => {
      const update = conflict.column("hit_id").doUpdateSet((eb) => ({
        block_number: eb.ref("excluded.block_number"),
        block_hash: eb.ref("excluded.block_hash"),
        // A final hit matched again with another list stays final.
        state: sql`case when hit.state = 'final' then 'final' else excluded.state end`,
        recorded_rule: eb.ref("excluded.recorded_rule"),
        recorded_reason: eb.ref("excluded.recorded_reason"),
        match_digest: eb.ref("excluded.match_digest"),
        payload: eb.ref("excluded.payload"),
        block: eb.ref("excluded.block"),
        trust: eb.ref("excluded.trust"),
        retro_scan: eb.ref("excluded.retro_scan"),
      }));
      return of.onlyOver === undefined ? update : update.where("hit.state", "in", of.onlyOver);
    })
    .returning(["hit_id", "alert_id"])
    .execute();
  return new Map(rows.map((row) => [row.hit_id, row.alert_id]));
}

function hitRow({ hit, scanned, retroScan }: HitWrite, { state, headNumber, now }: WriteHits): HitTable {
  // A recorded hit remembers where it stands: it may be told after all.
  const place = hit.recordedOnly === null ? null : scanned;
  return {
    hit_id: hit.hitId,
    alert_id: hit.alertId,
    chain: hit.chain,
    tx_hash: hit.transfer.txHash,
    block_number: scanned?.block.number ?? null,
    block_hash: scanned?.block.hash ?? null,
    state,
    recorded_rule: hit.recordedOnly?.rule ?? null,
    recorded_reason: hit.recordedOnly?.reason ?? null,
    match_digest: matchDigest(hit),
    payload: encodeHit(hit),
    created_at: now,
    block: place === null ? null : hitBlock(place, headNumber),
    trust: place === null ? null : JSON.stringify(place.block.trust),
    retro_scan: retroScan ?? null,
  };
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

/** What takes an alert back frees somebody's money: it never waits behind a flood. */
const ENDS: ReadonlySet<HitEventKind> = new Set(["removed", "withdrawn", "superseded"]);

/** The lane of the fold that the event asks for. */
export function laneOf({ kind, payload }: Pick<NewHitEvent, "kind" | "payload">): JobLane {
  if (ENDS.has(kind)) return 0;
  if (payload === null) return 1;
  const { asset, transfer, own, matches } = decodeHit(payload);
  const isDust = transfer.amount < asset.dustBelow;
  if (!asset.listed || isDust) return 2;
  return own !== null || matches.some(({ entry }) => entry.sanctioned !== null) ? 0 : 1;
}

/** Events in order, and one job for each alert they belong to. */
export async function addHitEvents(
  trx: Transaction<Database>,
  events: readonly NewHitEvent[],
  now: number,
): Promise<void> {
  const last = new Map<string, { seq: number; lane: JobLane }>();
  for (const chunk of inChunks(events)) {
    const rows = await trx
      .insertInto("hit_event")
      .values(
        chunk.map((event) => {
          const { hitId, alertId, reason = null, link = null, ...rest } = event;
          return { ...rest, reason, link, hit_id: hitId, alert_id: alertId, at: now, lane: laneOf(event) };
        }),
      )
      .returning(["alert_id", "seq", "lane"])
      .execute();
    for (const { alert_id: alertId, seq, lane } of rows) {
      const before = last.get(alertId) ?? { seq, lane };
      last.set(alertId, { seq: Math.max(seq, before.seq), lane: Math.min(lane, before.lane) as JobLane });
    }
  }
  await addToOutbox(
    trx,
    [...last].map(([alertId, { seq, lane }]) => ({
      queue: HITS_QUEUE,
      jobId: hitsJobId(alertId, seq),
      payload: { alertId },
      runAt: now,
      lane,
    })),
  );
}

/** The last event is part of the id: an alert that is being folded just now is folded again for what came since. */
export function hitsJobId(alertId: string, seq: number): string {
  return `${alertId}-${seq}`;
}
