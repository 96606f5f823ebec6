/** Events of hits, and the jobs they make, in memory. */
import { hitsJobId, laneOf } from "../../src/store/hit-rows.ts";
import type { ScannedBlock } from "../../src/types/checkpoint.ts";
import type { HitBlock } from "../../src/types/hit.ts";
import { HITS_QUEUE, type JobLane } from "../../src/types/queue-names.ts";
import type { EventRow, MemoryTables } from "./memory-tables.ts";

export function toldBlock({ block }: ScannedBlock, headNumber: number): HitBlock {
  const { number, hash, timestamp } = block;
  return { number, hash, timestamp, confirmations: Math.max(1, headNumber - number + 1) };
}

export type NewEvent = Omit<EventRow, "seq" | "applied">;

export function addEvents(tables: MemoryTables, events: readonly NewEvent[]): void {
  const last = new Map<string, { seq: number; at: number; lane: JobLane }>();
  for (const event of events) {
    const seq = tables.nextSeq();
    tables.event.insert(String(seq), { ...event, seq, applied: false });
    const lane = Math.min(laneOf(event), last.get(event.alertId)?.lane ?? 2) as JobLane;
    last.set(event.alertId, { seq, at: event.at, lane });
  }
  for (const [alertId, { seq, at, lane }] of last)
    tables.addToOutbox({ queue: HITS_QUEUE, jobId: hitsJobId(alertId, seq), payload: { alertId }, runAt: at, lane });
}
