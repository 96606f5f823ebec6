/**
 * Stored hits whose entries changed: told as the entries are now, or taken back where none is left. In the transaction
 * that changes the entries, which holds every chain's row: no block is stored between.
 */
import type { Transaction } from "kysely";
import type { Address } from "../types/chain.ts";
import { ENTRY_RULES, type Hit } from "../types/hit.ts";
import type { WatchEntry, Watchlist } from "../types/watch.ts";
import { decodeHit, encodeHit, matchDigest } from "./codec.ts";
import { addHitEvents, bareEvent, linkEntries, type NewHitEvent } from "./hit-rows.ts";
import { inChunks } from "./outbox.ts";
import type { Database, HitTable } from "./schema.ts";
import { readHeads, type StoredHead } from "./watch-reading.ts";
import { entryOf } from "./watch-rows.ts";

/** What the matcher knows of hits and entries. */
export interface RetellPorts {
  /** Whose entries name the hit. */
  readonly addressesOfHit: (hit: Hit) => readonly Address[];
  /** Null: no entry names this movement any more. */
  readonly retell: (hit: Hit, now: { changed: ReadonlySet<string>; watchlist: MatchedEntries }) => Hit | null;
  /** As blocks are matched with these entries from now on. */
  readonly watchlistOf: (heads: readonly StoredHead[], entries: readonly WatchEntry[]) => MatchedEntries;
}
type MatchedEntries = Pick<Watchlist, "entriesOf" | "incidents">;

const STORED = ["hit_id", "alert_id", "state", "payload", "match_digest", "recorded_rule", "block", "trust"] as const;
export type StoredHit = Pick<HitTable, (typeof STORED)[number]>;

/** Where a hit stands, as it is told first. Block and trust as text. */
type Place = Pick<NewHitEvent, "trust" | "retroactive"> & { readonly block: string };

/**
 * Told by all entries that name them now, those included that were listed after their block was scanned. `changed`: ids of
 * entries, as the store has them by now. Returns how many hits are told differently.
 */
export async function retellHits(
  trx: Transaction<Database>,
  { changed, ports, now }: { changed: ReadonlySet<string>; ports: RetellPorts; now: number },
): Promise<number> {
  const ids = await hitIdsOf(trx, [...changed]);
  if (ids.length === 0) return 0;
  const heads = await readHeads(trx);
  let count = 0;
  for (const chunk of inChunks(ids)) {
    const rows = await trx
      .selectFrom("hit")
      .select(STORED)
      .where("hit_id", "in", chunk)
      .where("state", "!=", "removed")
      .orderBy("hit_id")
      .execute();
    const known = rows.map((row) => ({ row, hit: decodeHit(row.payload) }));
    const addresses = new Set(known.flatMap(({ hit }) => ports.addressesOfHit(hit)));
    const watchlist = ports.watchlistOf(heads, await entriesAt(trx, [...addresses]));
    const events: NewHitEvent[] = [];
    for (const { row, hit } of known) {
      const retold = ports.retell(hit, { changed, watchlist });
      events.push(...(retold === null ? await withdraw(trx, row) : await tellAgain(trx, row, retold)));
    }
    await addHitEvents(trx, events, now);
    count += events.length;
  }
  return count;
}

/** Hits that stand, read again where lists name more than before: told as they are matched now. Returns their events. */
export async function tellStanding(
  trx: Transaction<Database>,
  found: ReadonlyMap<string, { readonly hit: Hit; readonly place: Place }>,
): Promise<NewHitEvent[]> {
  if (found.size === 0) return [];
  const rows = await trx
    .selectFrom("hit")
    .select(STORED)
    .where("hit_id", "in", [...found.keys()])
    .where("state", "in", ["included", "disputed", "final"])
    .orderBy("hit_id")
    .forUpdate()
    .execute();
  const events: NewHitEvent[] = [];
  for (const row of rows) {
    const { hit, place } = found.get(row.hit_id) as { hit: Hit; place: Place };
    // An alert's id is fixed at creation.
    events.push(...(await tellAgain(trx, row, { ...hit, alertId: row.alert_id }, place)));
  }
  return events;
}

async function hitIdsOf(trx: Transaction<Database>, entryIds: readonly string[]): Promise<string[]> {
  const ids = new Set<string>();
  for (const chunk of inChunks(entryIds)) {
    const rows = await trx.selectFrom("hit_entry").select("hit_id").where("entry_id", "in", chunk).execute();
    for (const row of rows) ids.add(row.hit_id);
  }
  return [...ids];
}

async function entriesAt(trx: Transaction<Database>, addresses: readonly Address[]): Promise<WatchEntry[]> {
  const entries: WatchEntry[] = [];
  for (const chunk of inChunks(addresses)) {
    const rows = await trx.selectFrom("watch_entry").select("payload").where("address", "in", chunk).execute();
    entries.push(...rows.map(entryOf));
  }
  return entries;
}

async function withdraw(trx: Transaction<Database>, row: StoredHit): Promise<NewHitEvent[]> {
  await trx.updateTable("hit").set({ state: "removed" }).where("hit_id", "=", row.hit_id).execute();
  if (row.recorded_rule !== null) return [];
  return [{ ...eventOf(row, "withdrawn"), reason: "entryWithdrawn" }];
}

async function tellAgain(
  trx: Transaction<Database>,
  row: StoredHit,
  retold: Hit,
  place: Place | null = placeOf(row),
): Promise<NewHitEvent[]> {
  const wasTold = row.recorded_rule === null;
  const hit = wasTold ? stillTold(retold) : retold;
  const digest = matchDigest(hit);
  if (digest === row.match_digest) return [];
  const payload = encodeHit(hit);
  await linkEntries(trx, [hit]);
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
  if (!wasTold) return hit.recordedOnly === null && place !== null ? firstTold(row, { ...place, payload }) : [];
  const reason = hit.recordedOnly === null ? null : "entryWithdrawn";
  return [{ ...eventOf(row, "retold"), payload, reason }];
}

/** Null: recorded before its place was remembered; its block is matched again while it can still change. */
export function placeOf({ block, trust }: StoredHit): Place | null {
  return block === null || trust === null ? null : { block, trust };
}

/** What was told stays told while its entry is muted or over: its alert says so. */
export function stillTold(hit: Hit): Hit {
  return hit.recordedOnly !== null && ENTRY_RULES.has(hit.recordedOnly.rule) ? { ...hit, recordedOnly: null } : hit;
}

/** It was only recorded until now: told where it stands, and late. */
export function firstTold(row: StoredHit, told: Place & { readonly payload: string }): NewHitEvent[] {
  const kind = row.state === "disputed" ? "disputed" : "included";
  const first = { ...eventOf(row, kind), ...told, late: true };
  const { block, retroactive = false } = told;
  return row.state === "final" ? [first, { ...eventOf(row, "final"), block, retroactive }] : [first];
}

function eventOf(row: StoredHit, kind: NewHitEvent["kind"]): NewHitEvent {
  return bareEvent({ hitId: row.hit_id, alertId: row.alert_id, kind });
}
