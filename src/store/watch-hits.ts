/**
 * Stored hits whose entries changed: told as the entries are now, or taken back where none is left. In the transaction
 * that changes the entries, which holds every chain's row: no block is stored between.
 */
import type { Transaction } from "kysely";
import { ENTRY_RULES, type Hit } from "../types/hit.ts";
import type { Incident, WatchEntry } from "../types/watch.ts";
import { decodeHit, encodeHit, matchDigest } from "./codec.ts";
import { addHitEvents, bareEvent, type NewHitEvent } from "./hit-rows.ts";
import { inChunks } from "./outbox.ts";
import type { Database, HitTable } from "./schema.ts";

/** As an entry is matched now; null: it is not matched any more. */
export type ChangedEntries = ReadonlyMap<string, { readonly entry: WatchEntry; readonly incident: Incident } | null>;

/** Null: no entry names this movement any more. */
export type RetellHit = (hit: Hit, changed: ChangedEntries) => Hit | null;

type StoredHit = Pick<
  HitTable,
  "hit_id" | "alert_id" | "state" | "payload" | "match_digest" | "recorded_rule" | "block" | "trust"
>;

/** How many hits are told differently now. */
export async function retellHits(
  trx: Transaction<Database>,
  { changed, retell, now }: { changed: ChangedEntries; retell: RetellHit; now: number },
): Promise<number> {
  let count = 0;
  const ids = await hitIdsOf(trx, [...changed.keys()]);
  for (const chunk of inChunks(ids)) {
    const rows = await trx
      .selectFrom("hit")
      .select(["hit_id", "alert_id", "state", "payload", "match_digest", "recorded_rule", "block", "trust"])
      .where("hit_id", "in", chunk)
      .where("state", "!=", "removed")
      .orderBy("hit_id")
      .execute();
    const events: NewHitEvent[] = [];
    for (const row of rows) {
      const hit = retell(decodeHit(row.payload), changed);
      const told = hit === null ? await withdraw(trx, row) : await tellAgain(trx, row, hit);
      events.push(...told);
    }
    await addHitEvents(trx, events, now);
    count += events.length;
  }
  return count;
}

async function hitIdsOf(trx: Transaction<Database>, entryIds: readonly string[]): Promise<string[]> {
  const ids = new Set<string>();
  for (const chunk of inChunks(entryIds)) {
    const rows = await trx.selectFrom("hit_entry").select("hit_id").where("entry_id", "in", chunk).execute();
    for (const row of rows) ids.add(row.hit_id);
  }
  return [...ids];
}

async function withdraw(trx: Transaction<Database>, row: StoredHit): Promise<NewHitEvent[]> {
  await trx.updateTable("hit").set({ state: "removed" }).where("hit_id", "=", row.hit_id).execute();
  if (row.recorded_rule !== null) return [];
  return [{ ...eventOf(row, "withdrawn"), reason: "entryWithdrawn" }];
}

async function tellAgain(trx: Transaction<Database>, row: StoredHit, retold: Hit): Promise<NewHitEvent[]> {
  const wasTold = row.recorded_rule === null;
  const hit = wasTold ? stillTold(retold) : retold;
  const digest = matchDigest(hit);
  if (digest === row.match_digest) return [];
  const payload = encodeHit(hit);
  await trx
    .updateTable("hit")
    .set({
      payload,
      match_digest: digest,
      recorded_rule: hit.recordedOnly?.rule ?? null,
      recorded_reason: hit.recordedOnly?.reason ?? null,
    })
    .where("hit_id", "=", row.hit_id)
    .execute();
  if (!wasTold) return hit.recordedOnly === null ? firstTold(row, payload) : [];
  const reason = hit.recordedOnly === null ? null : "entryWithdrawn";
  return [{ ...eventOf(row, "retold"), payload, reason }];
}

/** What was told stays told while its entry is muted or over: its alert says so. */
export function stillTold(hit: Hit): Hit {
  return hit.recordedOnly !== null && ENTRY_RULES.has(hit.recordedOnly.rule) ? { ...hit, recordedOnly: null } : hit;
}

/** It was only recorded until now: told where it stands, and late. */
function firstTold(row: StoredHit, payload: string): NewHitEvent[] {
  const { block, trust } = row;
  // Recorded before its place was remembered: its block is matched again while it can still change.
  if (block === null || trust === null) return [];
  const kind = row.state === "disputed" ? "disputed" : "included";
  const first = { ...eventOf(row, kind), block, trust, payload, late: true };
  return row.state === "final" ? [first, { ...eventOf(row, "final"), block }] : [first];
}

function eventOf(row: StoredHit, kind: NewHitEvent["kind"]): NewHitEvent {
  return bareEvent({ hitId: row.hit_id, alertId: row.alert_id, kind });
}
