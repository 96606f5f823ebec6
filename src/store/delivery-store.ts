/** Deliveries and their attempts: written before the job completes, read before every POST. */
import { sql } from "kysely";
import { type EventType, SEVERITIES, type Severity } from "../types/alert.ts";
import type { AfterAttempt, AttemptRecord, DueDelivery } from "../types/delivery.ts";
import { deliveryJob } from "./alert-messages.ts";
import type { JobLane } from "../types/queue-names.ts";
import type { Db } from "./database.ts";
import { addToOutbox } from "./outbox.ts";
import type { DeliveryState } from "./schema.ts";

export interface StoredDelivery {
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly alertId: string | null;
  readonly type: string;
  readonly revision: number;
  readonly sink: string;
  readonly severity: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: number | null;
  readonly deadReason: string | null;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly deliveredAt: number | null;
  /** The webhook-id of the message that this one repeats; null for a message that is told for the first time. */
  readonly replayOf: string | null;
  /** The sink that could not deliver it in time; null where it was meant for this one. */
  readonly fallbackFor: string | null;
}

export interface DeliveryCounts {
  readonly pending: number;
  readonly dead: number;
  /** Creation time of the oldest pending delivery; null when none is pending. */
  readonly oldestPendingAt: number | null;
}

export interface DeliveryStore {
  /** The delivery with its message, or null when it is not pending any more. */
  pending(deliveryId: string): Promise<DueDelivery | null>;
  /**
   * Writes the attempt and what follows from it. False when another worker recorded this attempt first: then nothing is written.
   * `queued`: whether the next attempt goes through the queue.
   */
  record(of: { delivery: DueDelivery; attempt: AttemptRecord; after: AfterAttempt; queued: boolean }): Promise<boolean>;
  /** A newer revision of the same alert was delivered to the same sink. */
  isSuperseded(deliveryId: string): Promise<boolean>;
  /** Pending deliveries of these sinks with an attempt due before `dueBefore`, most severe and oldest first. */
  due(options: {
    dueBefore: number;
    limit: number;
    sinks: readonly string[];
    severities?: readonly Severity[];
  }): Promise<DueDelivery[]>;
  /** The pending delivery that is sent to ask whether a broken sink is back: the most severe one that was due first. */
  probeOf(sink: string): Promise<DueDelivery | null>;
  /**
   * The sink is back: everything pending for it is due now, retractions first, then by severity. `queued`: as of `record`.
   * Answers how many.
   */
  hasten(of: { sink: string; now: number; queued: boolean }): Promise<number>;
  /** All pending deliveries of these sinks: what is put back into an empty queue. */
  pendingJobs(options: {
    dueBefore: number;
    sinks: readonly string[];
    after: string;
    limit: number;
  }): Promise<{ deliveryId: string; sink: string; attemptNo: number; nextAttemptAt: number; lane: JobLane }[]>;
  /** Starts the schedule again for dead (or pending) deliveries. Delivered ones are left alone. */
  redrive(of: {
    deliveryIds?: readonly string[];
    sink?: string;
    now: number;
    queuedSinks: readonly string[];
  }): Promise<number>;
  list(options: {
    limit: number;
    offset: number;
    state?: DeliveryState | undefined;
    sink?: string | undefined;
    alertId?: string | undefined;
    deliveryId?: string | undefined;
  }): Promise<StoredDelivery[]>;
  attempts(deliveryId: string): Promise<AttemptRecord[]>;
  counts(): Promise<Map<string, DeliveryCounts>>;
}

/** Of a table with a severity: `info` is 1, `critical` is 5. */
const rankIn = (table: "delivery" | "moved") =>
  sql<number>`array_position(${sql.lit(`{${SEVERITIES.join(",")}}`)}::text[], ${sql.ref(`${table}.severity`)})`;

export function createDeliveryStore(db: Db): DeliveryStore {
  const dueRows = () =>
    db
      .selectFrom("delivery")
      .innerJoin("message", "message.webhook_id", "delivery.webhook_id")
      .select([
        "delivery_id",
        "delivery.webhook_id",
        "alert_id",
        "sink",
        "delivery.severity",
        "delivery.lane",
        "attempt_no",
        "schedule_start",
        "next_attempt_at",
        "type",
        "body",
      ])
      .where("state", "=", "pending");
  return {
    async pending(deliveryId) {
      const row = await dueRows().where("delivery_id", "=", deliveryId).executeTakeFirst();
      return row === undefined ? null : dueOf(row);
    },

    record({ delivery, attempt, after, queued }) {
      if (after.state !== "pending" || !queued) return recordAttempt(db, { delivery, attempt, after });
      return db.transaction().execute(async (trx) => {
        if (!(await recordAttempt(trx, { delivery, attempt, after }))) return false;
        await addToOutbox(trx, [
          deliveryJob({
            deliveryId: delivery.deliveryId,
            sink: delivery.sink,
            attemptNo: delivery.attemptNo + 1,
            runAt: after.nextAttemptAt,
            lane: delivery.lane,
          }),
        ]);
        return true;
      });
    },

    async isSuperseded(deliveryId) {
      const newer = await db
        .selectFrom("delivery as old")
        .innerJoin("message as old_message", "old_message.webhook_id", "old.webhook_id")
        .innerJoin("message as new_message", "new_message.alert_id", "old_message.alert_id")
        .innerJoin("delivery as new", "new.webhook_id", "new_message.webhook_id")
        .select("new.delivery_id")
        .where("old.delivery_id", "=", deliveryId)
        .whereRef("new_message.revision", ">", "old_message.revision")
        .whereRef("new.sink", "=", "old.sink")
        .where("new.state", "=", "delivered")
        .limit(1)
        .executeTakeFirst();
      return newer !== undefined;
    },

    async due({ dueBefore, limit, sinks, severities }) {
      if (sinks.length === 0) return [];
      let query = dueRows().where("next_attempt_at", "<=", dueBefore).where("sink", "in", sinks);
      if (severities !== undefined) query = query.where("delivery.severity", "in", severities);
      const lane = sql`case delivery.severity when 'critical' then 0 when 'high' then 1 when 'medium' then 2 else 3 end`;
      return (await query.orderBy(lane).orderBy("next_attempt_at").limit(limit).execute()).map(dueOf);
    },

    async probeOf(sink) {
      const row = await dueRows()
        .where("sink", "=", sink)
        .orderBy(rankIn("delivery"), "desc")
        .orderBy("next_attempt_at")
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : dueOf(row);
    },

    hasten: ({ sink, now, queued }) =>
      db.transaction().execute(async (trx) => {
        const { rows } = await sql<HastenedRow>`
          with moved as (
            update delivery set next_attempt_at = least(next_attempt_at, ${now})
            where sink = ${sink} and state = 'pending'
            returning delivery_id, webhook_id, sink, attempt_no, severity, lane, created_at
          )
          select moved.delivery_id, moved.sink, moved.lane, moved.attempt_no from moved join message using (webhook_id)
          order by message.type = 'alert.retracted' desc, ${rankIn("moved")} desc, moved.created_at`.execute(trx);
        if (queued)
          await addToOutbox(
            trx,
            rows.map((row) => jobAnew(row, now)),
          );
        return rows.length;
      }),

    async pendingJobs({ dueBefore, sinks, after, limit }) {
      if (sinks.length === 0) return [];
      const rows = await db
        .selectFrom("delivery")
        .select(["delivery_id", "sink", "lane", "attempt_no", "next_attempt_at"])
        .where("state", "=", "pending")
        .where("next_attempt_at", "<=", dueBefore)
        .where("sink", "in", sinks)
        .where("delivery_id", ">", after)
        .orderBy("delivery_id")
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        deliveryId: row.delivery_id,
        sink: row.sink,
        attemptNo: row.attempt_no,
        nextAttemptAt: row.next_attempt_at,
        lane: row.lane,
      }));
    },

    redrive: ({ deliveryIds, sink, now, queuedSinks }) =>
      db.transaction().execute(async (trx) => {
        let update = trx.updateTable("delivery").set((eb) => ({
          state: "pending",
          next_attempt_at: now,
          dead_reason: null,
          schedule_start: eb.ref("attempt_no"),
        }));
        // Naming a delivery may also pull a pending one forward; without names only dead ones start again.
        if (deliveryIds !== undefined)
          update = update.where("delivery_id", "in", deliveryIds).where("state", "in", ["dead", "pending"]);
        else update = update.where("state", "=", "dead");
        if (sink !== undefined) update = update.where("sink", "=", sink);
        const rows = await update.returning(["delivery_id", "sink", "lane", "attempt_no"]).execute();
        const queued = rows.filter((row) => queuedSinks.includes(row.sink));
        await addToOutbox(
          trx,
          queued.map((row) => jobAnew(row, now)),
        );
        return rows.length;
      }),

    async list({ limit, offset, state, sink, alertId, deliveryId }) {
      let query = db
        .selectFrom("delivery")
        .innerJoin("message", "message.webhook_id", "delivery.webhook_id")
        .selectAll("delivery")
        .select(["message.alert_id", "message.type", "message.revision", "message.replay_of"])
        .orderBy("delivery.created_at", "desc")
        .orderBy("delivery_id")
        .limit(limit)
        .offset(offset);
      if (state !== undefined) query = query.where("state", "=", state);
      if (sink !== undefined) query = query.where("sink", "=", sink);
      if (alertId !== undefined) query = query.where("message.alert_id", "=", alertId);
      if (deliveryId !== undefined) query = query.where("delivery_id", "=", deliveryId);
      return (await query.execute()).map((row) => ({
        deliveryId: row.delivery_id,
        webhookId: row.webhook_id,
        alertId: row.alert_id,
        type: row.type,
        revision: row.revision,
        sink: row.sink,
        severity: row.severity,
        state: row.state,
        attempts: row.attempt_no,
        nextAttemptAt: row.state === "pending" ? row.next_attempt_at : null,
        deadReason: row.dead_reason,
        lastError: row.last_error,
        createdAt: row.created_at,
        deliveredAt: row.delivered_at,
        replayOf: row.replay_of,
        fallbackFor: row.fallback_for,
      }));
    },

    async attempts(deliveryId) {
      const rows = await db
        .selectFrom("attempt")
        .selectAll()
        .where("delivery_id", "=", deliveryId)
        .orderBy("attempt_no")
        .execute();
      return rows.map((row) => ({
        at: row.at,
        durationMs: row.duration_ms,
        result: row.result as AttemptRecord["result"],
        status: row.status,
        error: row.error,
        excerpt: row.excerpt,
      }));
    },

    async counts() {
      const rows = await db
        .selectFrom("delivery")
        .select([
          "sink",
          sql<number>`count(*) filter (where state = 'pending')`.as("pending"),
          sql<number>`count(*) filter (where state = 'dead')`.as("dead"),
          sql<number | null>`min(created_at) filter (where state = 'pending')`.as("oldest"),
        ])
        .where("state", "in", ["pending", "dead"])
        .groupBy("sink")
        .execute();
      return new Map(
        rows.map((row) => [row.sink, { pending: row.pending, dead: row.dead, oldestPendingAt: row.oldest }]),
      );
    },
  };
}

/** In one statement, and so whole or not at all. False: another worker recorded this attempt first. */
async function recordAttempt(
  db: Db,
  { delivery, attempt, after }: { delivery: DueDelivery; attempt: AttemptRecord; after: AfterAttempt },
): Promise<boolean> {
  const written = await db
    .with("moved", (trx) =>
      trx
        .updateTable("delivery")
        .set({
          state: after.state,
          attempt_no: delivery.attemptNo + 1,
          next_attempt_at: after.state === "pending" ? after.nextAttemptAt : delivery.nextAttemptAt,
          dead_reason: after.state === "dead" ? after.reason : null,
          last_error: attempt.error,
          delivered_at: after.state === "delivered" ? attempt.at + attempt.durationMs : null,
        })
        .where("delivery_id", "=", delivery.deliveryId)
        .where("state", "=", "pending")
        .where("attempt_no", "=", delivery.attemptNo)
        .returning("delivery_id"),
    )
    .insertInto("attempt")
    .columns(["delivery_id", "attempt_no", "at", "duration_ms", "result", "status", "error", "excerpt"])
    .expression((eb) =>
      eb
        .selectFrom("moved")
        .select([
          "moved.delivery_id",
          eb.val(delivery.attemptNo).as("attempt_no"),
          eb.val(attempt.at).as("at"),
          eb.val(attempt.durationMs).as("duration_ms"),
          eb.val(attempt.result).as("result"),
          eb.val(attempt.status).as("status"),
          eb.val(attempt.error).as("error"),
          eb.val(attempt.excerpt).as("excerpt"),
        ]),
    )
    .returning("attempt_no")
    .executeTakeFirst();
  return written !== undefined;
}

interface DueRow {
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly alert_id: string | null;
  readonly sink: string;
  readonly severity: string;
  readonly lane: JobLane;
  readonly attempt_no: number;
  readonly schedule_start: number;
  readonly next_attempt_at: number;
  readonly type: string;
  readonly body: string;
}

function dueOf(row: DueRow): DueDelivery {
  return {
    deliveryId: row.delivery_id,
    webhookId: row.webhook_id,
    alertId: row.alert_id,
    sink: row.sink,
    severity: row.severity as Severity,
    lane: row.lane,
    attemptNo: row.attempt_no,
    scheduleAttempt: row.attempt_no - row.schedule_start,
    nextAttemptAt: row.next_attempt_at,
    type: row.type as EventType,
    body: row.body,
  };
}

interface HastenedRow {
  readonly delivery_id: string;
  readonly sink: string;
  readonly lane: JobLane;
  readonly attempt_no: number;
}

function jobAnew(row: HastenedRow, now: number) {
  const job = deliveryJob({
    deliveryId: row.delivery_id,
    sink: row.sink,
    attemptNo: row.attempt_no,
    runAt: now,
    lane: row.lane,
  });
  // A job of this attempt may still wait in the queue for its old time: the new one must not vanish behind it.
  return { ...job, jobId: `${job.jobId}-r${now}` };
}
