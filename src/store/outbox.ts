/**
 * Work on its way to the queue: written in the transaction that causes it, taken by the relay, deleted once queued.
 * A row that is claimed by a relay that died is free again after its claim ran out.
 */
import { sql, type Transaction } from "kysely";
import type { Db } from "./database.ts";
import type { JobLane } from "../types/queue-names.ts";
import type { Database } from "./schema.ts";

export interface OutboxJob {
  readonly queue: string;
  readonly jobId: string;
  readonly payload: object;
  /** Unix milliseconds; the queue holds the job back until then. */
  readonly runAt: number;
  readonly lane: JobLane;
}

export interface OutboxRow extends OutboxJob {
  readonly id: number;
}

// Postgres takes 65,535 parameters a statement; a row has at most a dozen.
const ROWS_PER_INSERT = 1_000;

/** Slices of a size one INSERT can take. */
export function inChunks<T>(rows: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT)
    chunks.push(rows.slice(start, start + ROWS_PER_INSERT));
  return chunks;
}

export async function addToOutbox(trx: Transaction<Database>, jobs: readonly OutboxJob[]): Promise<void> {
  for (const chunk of inChunks(jobs)) {
    await trx.insertInto("outbox").values(chunk.map(outboxRow)).execute();
  }
}

/** For a statement that writes more than the outbox; at most a thousand of them. */
export function outboxRow(job: OutboxJob) {
  return {
    queue: job.queue,
    job_id: job.jobId,
    payload: JSON.stringify(job.payload),
    run_at: job.runAt,
    lane: job.lane,
    claimed_until: 0,
  };
}

export interface Outbox {
  /** Takes rows nobody holds, lane by lane, oldest first. */
  claim(options: { limit: number; now: number; claimMs: number }): Promise<OutboxRow[]>;
  /** The rows are in the queue. */
  relayed(ids: readonly number[]): Promise<void>;
  /** The queue refused them: free again at once. */
  unclaim(ids: readonly number[]): Promise<void>;
  /** The highest id ever queued: what the marker in Redis must not fall behind. */
  lastRelayedId(): Promise<number>;
  waiting(): Promise<number>;
}

export function createOutbox(db: Db): Outbox {
  return {
    async claim({ limit, now, claimMs }) {
      const rows = await db
        .updateTable("outbox")
        .set({ claimed_until: now + claimMs })
        .where("id", "in", (query) =>
          query
            .selectFrom("outbox")
            .select("id")
            .where("claimed_until", "<=", now)
            .orderBy("lane")
            .orderBy("id")
            .limit(limit)
            .forUpdate()
            .skipLocked(),
        )
        .returningAll()
        .execute();
      return rows
        .map((row) => ({
          id: row.id,
          queue: row.queue,
          jobId: row.job_id,
          payload: JSON.parse(row.payload) as object,
          runAt: row.run_at,
          lane: row.lane,
        }))
        .toSorted((a, b) => a.lane - b.lane || a.id - b.id);
    },

    async relayed(ids) {
      if (ids.length === 0) return;
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("outbox").where("id", "in", ids).execute();
        await trx
          .updateTable("relay_state")
          .set({ last_relayed_id: sql`greatest(last_relayed_id, ${Math.max(...ids)})` })
          .execute();
      });
    },

    async unclaim(ids) {
      if (ids.length === 0) return;
      await db.updateTable("outbox").set({ claimed_until: 0 }).where("id", "in", ids).execute();
    },

    async lastRelayedId() {
      const row = await db.selectFrom("relay_state").select("last_relayed_id").executeTakeFirstOrThrow();
      return row.last_relayed_id;
    },

    async waiting() {
      const row = await db
        .selectFrom("outbox")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      return row.count;
    },
  };
}
