/** Messages and their deliveries: written in the transaction of what they tell. */
import type { Selectable, Transaction } from "kysely";
import { deliveryIdOf } from "../lib/ids.ts";
import type { Message, Severity } from "../types/alert.ts";
import { deliveriesQueue, type JobLane } from "../types/queue-names.ts";
import { type OutboxJob, outboxRow } from "./outbox.ts";
import type { Database, MessageTable } from "./schema.ts";

export interface NewDeliveries {
  readonly message: Message;
  readonly sinks: readonly string[];
  readonly now: number;
  /** False: sent straight from the store (alarms about the queue cannot go through it). */
  readonly queued: boolean;
}

/** In the transaction of what it tells. False when it was stored before. */
export async function storeMessage(trx: Transaction<Database>, of: NewDeliveries): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto("message")
    .values(messageRow(of.message, of.now))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) return false;
  await addDeliveries(trx, of);
  return true;
}

/** With a job for each, where they go through the queue: one statement, as many as there are sinks. */
export async function addDeliveries(
  trx: Transaction<Database>,
  { message, sinks, now, queued }: NewDeliveries,
): Promise<void> {
  if (sinks.length === 0) return;
  const deliveries = sinks.map((sink) => ({
    delivery_id: deliveryIdOf({ webhookId: message.webhookId, sink }),
    webhook_id: message.webhookId,
    sink,
    severity: message.severity,
    lane: laneOfMessage(message),
    state: "pending" as const,
    attempt_no: 0,
    next_attempt_at: now,
    created_at: now,
  }));
  const jobs = deliveries.map((delivery) =>
    deliveryJob({
      deliveryId: delivery.delivery_id,
      sink: delivery.sink,
      attemptNo: 0,
      runAt: now,
      lane: delivery.lane,
    }),
  );
  const writer = queued ? trx.with("job", (db) => db.insertInto("outbox").values(jobs.map(outboxRow))) : trx;
  await writer.insertInto("delivery").values(deliveries).execute();
}

/** What takes an alert back frees somebody's money: it never waits behind a flood. */
export function laneOfMessage({ type, severity }: Pick<Message, "type" | "severity">): JobLane {
  if (type === "alert.retracted" || severity === "critical" || severity === "high") return 0;
  return severity === "medium" ? 1 : 2;
}

/** One job is one attempt: its id names the delivery and the attempt. */
export function deliveryJob(of: {
  deliveryId: string;
  sink: string;
  attemptNo: number;
  runAt: number;
  lane: JobLane;
}): OutboxJob {
  return {
    queue: deliveriesQueue(of.sink),
    jobId: `${of.deliveryId}-${of.attemptNo}`,
    payload: { deliveryId: of.deliveryId, attemptNo: of.attemptNo },
    runAt: of.runAt,
    lane: of.lane,
  };
}

export function messageOf(row: Selectable<MessageTable>): Message {
  return {
    webhookId: row.webhook_id,
    type: row.type as Message["type"],
    body: row.body,
    severity: row.severity as Severity,
    alertId: row.alert_id,
    revision: row.revision,
  };
}

export function messageRow(message: Message, now: number) {
  return {
    webhook_id: message.webhookId,
    alert_id: message.alertId,
    revision: message.revision,
    type: message.type,
    severity: message.severity,
    body: message.body,
    created_at: now,
  };
}
