/** Every change of a hit is an event, and the last event of each alert an outbox row: written here and nowhere else. */
import type { Transaction } from "kysely";
import type { RetractionReason } from "../types/alert.ts";
import type { HitEvent, HitEventKind } from "../types/hit.ts";
import { HITS_QUEUE } from "../types/queue-names.ts";
import { addToOutbox, inChunks } from "./outbox.ts";
import type { Database } from "./schema.ts";

/** Block, payload, trust and link as text. */
export interface NewHitEvent {
  readonly hitId: string;
  readonly alertId: string;
  readonly kind: HitEventKind;
  readonly block: string;
  readonly payload: string | null;
  readonly trust: string | null;
  readonly late: boolean;
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
