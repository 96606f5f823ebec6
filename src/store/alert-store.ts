/** Alerts are a fold of hit events: the row is locked, all unapplied events are taken in order, the result is stored with its message and deliveries. */
import type { Selectable, Transaction } from "kysely";
import { deliveryIdOf } from "../lib/ids.ts";
import type { Action, AlertKind, AlertRecord, FoldResult, Message, Severity, Stage } from "../types/alert.ts";
import type { BlockTrust } from "../types/chain.ts";
import type { HitBlock, HitEvent, HitEventKind } from "../types/hit.ts";
import { deliveriesQueue } from "../types/queue-names.ts";
import { decodeHit } from "./codec.ts";
import type { Db } from "./database.ts";
import { hitsJobId } from "./hit-rows.ts";
import { addToOutbox, inChunks, type OutboxJob } from "./outbox.ts";
import type { AlertTable, Database, HitEventTable } from "./schema.ts";

export type Fold = (alert: AlertRecord | null, events: readonly HitEvent[]) => FoldResult;

export interface AlertStore {
  /** Applies all unapplied events of one alert. Safe to call twice, late, or for an alert without events. */
  foldAlert(alertId: string, fold: Fold): Promise<FoldResult | null>;
  /**
   * A message that no alert stands behind (`system.*`, `endpoint.*`), sent straight from the store or through the queue.
   * False when it was stored before.
   */
  addMessage(message: Message, sinks: readonly string[], now: number, through?: "store" | "queue"): Promise<boolean>;
  /** Alerts with unapplied events, as jobs: what the sweep puts back into the queue. */
  unfoldedJobs(options: { olderThan: number; limit: number }): Promise<{ alertId: string; jobId: string }[]>;
  list(options: {
    limit: number;
    offset: number;
    stage?: Stage | undefined;
    severities?: readonly Severity[] | undefined;
  }): Promise<AlertRecord[]>;
  show(alertId: string): Promise<{ alert: AlertRecord; messages: Message[] } | null>;
}

export function createAlertStore(db: Db): AlertStore {
  return {
    foldAlert: (alertId, fold) => db.transaction().execute((trx) => foldAlert(trx, alertId, fold)),

    addMessage: (message, sinks, now, through) =>
      db.transaction().execute((trx) => storeMessage(trx, { message, sinks, now, queued: through === "queue" })),

    async unfoldedJobs({ olderThan, limit }) {
      const rows = await db
        .selectFrom("hit_event")
        .select(["alert_id", (eb) => eb.fn.max("seq").as("seq")])
        .where("applied", "=", false)
        .where("at", "<=", olderThan)
        .groupBy("alert_id")
        .orderBy("seq")
        .limit(limit)
        .execute();
      return rows.map((row) => ({ alertId: row.alert_id, jobId: hitsJobId(row.alert_id, row.seq) }));
    },

    async list({ limit, offset, stage, severities }) {
      let query = db
        .selectFrom("alert")
        .selectAll()
        .where("revision", ">", 0)
        .orderBy("created_at", "desc")
        .orderBy("alert_id")
        .limit(limit)
        .offset(offset);
      if (stage !== undefined) query = query.where("stage", "=", stage);
      if (severities !== undefined) query = query.where("severity", "in", severities);
      return (await query.execute()).map(alertOf);
    },

    async show(alertId) {
      const row = await db.selectFrom("alert").selectAll().where("alert_id", "=", alertId).executeTakeFirst();
      if (row === undefined) return null;
      const messages = await db
        .selectFrom("message")
        .selectAll()
        .where("alert_id", "=", alertId)
        .where("replay_of", "is", null)
        .orderBy("revision")
        .execute();
      return {
        alert: alertOf(row),
        messages: messages.map((message) => ({
          webhookId: message.webhook_id,
          type: message.type as Message["type"],
          body: message.body,
          severity: message.severity as Severity,
          alertId,
          revision: message.revision,
        })),
      };
    },
  };
}

async function foldAlert(trx: Transaction<Database>, alertId: string, fold: Fold): Promise<FoldResult | null> {
  // Two workers may hold the same alert's first event: the empty row is what they both lock.
  await trx
    .insertInto("alert")
    .values(emptyAlert(alertId))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await trx
    .selectFrom("alert")
    .selectAll()
    .where("alert_id", "=", alertId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const events = await trx
    .selectFrom("hit_event")
    .selectAll()
    .where("alert_id", "=", alertId)
    .where("applied", "=", false)
    .orderBy("seq")
    .execute();
  if (events.length === 0) {
    if (row.state === "") await trx.deleteFrom("alert").where("alert_id", "=", alertId).execute();
    return null;
  }
  const result = fold(row.state === "" ? null : alertOf(row), events.map(eventOf));
  await trx.updateTable("alert").set(alertRow(result.record)).where("alert_id", "=", alertId).execute();
  for (const chunk of inChunks(events)) {
    await trx
      .updateTable("hit_event")
      .set({ applied: true })
      .where(
        "seq",
        "in",
        chunk.map((event) => event.seq),
      )
      .execute();
  }
  if (result.message !== null) {
    const now = result.record.updatedAt;
    await trx.insertInto("message").values(messageRow(result.message, now)).execute();
    await addDeliveries(trx, { message: result.message, sinks: result.sinks, now, queued: true });
  }
  return result;
}

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

async function addDeliveries(
  trx: Transaction<Database>,
  { message, sinks, now, queued }: NewDeliveries,
): Promise<void> {
  if (sinks.length === 0) return;
  const deliveries = sinks.map((sink) => ({
    delivery_id: deliveryIdOf({ webhookId: message.webhookId, sink }),
    webhook_id: message.webhookId,
    sink,
    severity: message.severity,
    state: "pending" as const,
    attempt_no: 0,
    next_attempt_at: now,
    created_at: now,
  }));
  await trx.insertInto("delivery").values(deliveries).execute();
  if (!queued) return;
  await addToOutbox(
    trx,
    deliveries.map((delivery) =>
      deliveryJob({ deliveryId: delivery.delivery_id, sink: delivery.sink, attemptNo: 0, runAt: now }),
    ),
  );
}

/** One job is one attempt: its id names the delivery and the attempt. */
export function deliveryJob(of: { deliveryId: string; sink: string; attemptNo: number; runAt: number }): OutboxJob {
  return {
    queue: deliveriesQueue(of.sink),
    jobId: `${of.deliveryId}-${of.attemptNo}`,
    payload: { deliveryId: of.deliveryId, attemptNo: of.attemptNo },
    runAt: of.runAt,
  };
}

function emptyAlert(alertId: string): AlertTable {
  return {
    alert_id: alertId,
    chain: "",
    tx_hash: "",
    subject: "",
    revision: 0,
    kind: "",
    stage: "",
    severity: "info",
    action: "none",
    summary: "",
    state: "",
    created_at: 0,
    updated_at: 0,
  };
}

function alertRow(alert: AlertRecord): AlertTable {
  return {
    alert_id: alert.alertId,
    chain: alert.chain,
    tx_hash: alert.txHash,
    subject: alert.subject,
    revision: alert.revision,
    kind: alert.kind,
    stage: alert.stage,
    severity: alert.severity,
    action: alert.action,
    summary: alert.summary,
    state: alert.state,
    created_at: alert.createdAt,
    updated_at: alert.updatedAt,
  };
}

function alertOf(row: AlertTable): AlertRecord {
  return {
    alertId: row.alert_id,
    chain: row.chain,
    txHash: row.tx_hash,
    subject: row.subject,
    revision: row.revision,
    kind: row.kind as AlertKind,
    stage: row.stage as Stage,
    severity: row.severity as Severity,
    action: row.action as Action,
    summary: row.summary,
    state: row.state,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

type EventRow = Selectable<HitEventTable>;

function eventOf(row: EventRow): HitEvent {
  return {
    seq: row.seq,
    hitId: row.hit_id,
    alertId: row.alert_id,
    kind: row.kind as HitEventKind,
    block: JSON.parse(row.block) as HitBlock | null,
    hit: row.payload === null ? null : decodeHit(row.payload),
    trust: row.trust === null ? null : (JSON.parse(row.trust) as BlockTrust),
    reason: row.reason,
    link: row.link === null ? null : (JSON.parse(row.link) as HitEvent["link"]),
    late: row.late,
    retroactive: row.retroactive,
    at: row.at,
  };
}

function messageRow(message: Message, now: number) {
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
