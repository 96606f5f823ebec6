/** Events of hits, and the jobs they make, in memory. */
import { hitsJobId } from "../../src/store/hit-rows.ts";
import type { ScannedBlock } from "../../src/types/checkpoint.ts";
import type { HitBlock } from "../../src/types/hit.ts";
import { HITS_QUEUE } from "../../src/types/queue-names.ts";
import type { EventRow, MemoryTables } from "./memory-tables.ts";

export function toldBlock({ block }: ScannedBlock, headNumber: number): HitBlock {
  const { number, hash, timestamp } = block;
  return { number, hash, timestamp, confirmations: Math.max(1, headNumber - number + 1) };
}

export type NewEvent = Omit<EventRow, "seq" | "applied">;

export function addEvents(tables: MemoryTables, events: readonly NewEvent[]): void {
  const last = new Map<string, { seq: number; at: number }>();
  for (const event of events) {
    const seq = tables.nextSeq();
    tables.event.insert(String(seq), { ...event, seq, applied: false });
    last.set(event.alertId, { seq, at: event.at });
  }
  for (const [alertId, { seq, at }] of last)
    tables.addToOutbox({ queue: HITS_QUEUE, jobId: hitsJobId(alertId, seq), payload: { alertId }, runAt: at });
}
