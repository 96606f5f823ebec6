/** Alerts are a fold of hit events: the row is locked, all unapplied events are taken in order, the result is stored with its message and deliveries. */
import type { Selectable, Transaction } from "kysely";
import type { Action, AlertKind, AlertRecord, FoldResult, Message, Severity, Stage } from "../types/alert.ts";
import type { BlockTrust } from "../types/chain.ts";
import type { HitBlock, HitEvent, HitEventKind } from "../types/hit.ts";
import type { DueHours } from "../types/triage.ts";
import { holdingGroup } from "./alert-groups.ts";
import { addDeliveries, messageOf, messageRow, storeMessage } from "./alert-messages.ts";
import { decodeHit } from "./codec.ts";
import type { JobLane } from "../types/queue-names.ts";
import type { Db } from "./database.ts";
import { hitsJobId } from "./hit-rows.ts";
import { countPayments } from "./payment-sums.ts";
import type { AlertTable, Database, HitEventTable } from "./schema.ts";
import { followAlert } from "./triage-follow.ts";

export type Fold = (alert: AlertRecord | null, events: readonly HitEvent[]) => FoldResult;

export interface AlertStore {
  /** Applies all unapplied events of one alert. Safe to call twice, late, or for an alert without events. */
  foldAlert(alertId: string, fold: Fold): Promise<FoldResult | null>;
  /**
   * A message that no alert stands behind (`system.*`, `endpoint.*`), sent straight from the store or through the queue.
   * False when it was stored before.
   */
  addMessage(message: Message, sinks: readonly string[], now: number, through?: "store" | "queue"): Promise<boolean>;
  /** Alerts with unapplied events, as jobs, lane by lane: what the sweep puts back into the queue. */
  unfoldedJobs(options: {
    olderThan: number;
    limit: number;
  }): Promise<{ alertId: string; jobId: string; lane: JobLane }[]>;
  show(alertId: string): Promise<{ alert: AlertRecord; messages: Message[] } | null>;
}

/** `dueHours`: the clock of each new alert's case. */
export function createAlertStore(db: Db, dueHours: DueHours = {}): AlertStore {
  return {
    foldAlert: (alertId, fold) => db.transaction().execute((trx) => foldAlert(trx, { alertId, fold, dueHours })),

    addMessage: (message, sinks, now, through) =>
      db.transaction().execute((trx) => storeMessage(trx, { message, sinks, now, queued: through === "queue" })),

    async unfoldedJobs({ olderThan, limit }) {
      const rows = await db
        .selectFrom("hit_event")
        .select(["alert_id", (eb) => eb.fn.max("seq").as("seq"), (eb) => eb.fn.min("lane").as("lane")])
        .where("applied", "=", false)
        .where("at", "<=", olderThan)
        .groupBy("alert_id")
        .orderBy("lane")
        .orderBy("seq")
        .limit(limit)
        .execute();
      return rows.map(({ alert_id: alertId, seq, lane }) => ({ alertId, jobId: hitsJobId(alertId, seq), lane }));
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
        messages: messages.map(messageOf),
      };
    },
  };
}

async function foldAlert(
  trx: Transaction<Database>,
  { alertId, fold, dueHours }: { alertId: string; fold: Fold; dueHours: DueHours },
): Promise<FoldResult | null> {
  const { row, isNew } = await lockAlert(trx, alertId);
  const events = await takeEvents(trx, alertId);
  if (events.length === 0) {
    if (isNew) await trx.deleteFrom("alert").where("alert_id", "=", alertId).execute();
    return null;
  }
  const result = fold(isNew ? null : alertOf(row), events.map(eventOf));
  await storeRevision(trx, result);
  if (result.message !== null) {
    const now = result.record.updatedAt;
    await followAlert(trx, { result, isNew, dueHours });
    if ([row.kind, result.record.kind].includes("exposure"))
      await countPayments(trx, { alertId, payments: result.payments, now });
    const sinks = await sinksNow(trx, { result, heldIn: row.held_in });
    await addDeliveries(trx, { message: result.message, sinks, now, queued: true });
  }
  return result;
}

/** Two workers may hold the same alert's first event: the empty row is what they both lock. */
async function lockAlert(trx: Transaction<Database>, alertId: string): Promise<{ row: AlertTable; isNew: boolean }> {
  const made = await trx
    .insertInto("alert")
    .values(emptyAlert(alertId))
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  const row =
    made ??
    (await trx.selectFrom("alert").selectAll().where("alert_id", "=", alertId).forUpdate().executeTakeFirstOrThrow());
  return { row, isNew: row.state === "" };
}

/** Those not applied yet, in order; from here on they are. */
async function takeEvents(trx: Transaction<Database>, alertId: string): Promise<EventRow[]> {
  const events = await trx
    .updateTable("hit_event")
    .set({ applied: true })
    .where("alert_id", "=", alertId)
    .where("applied", "=", false)
    .returningAll()
    .execute();
  return events.toSorted((a, b) => a.seq - b.seq);
}

/** The alert with its message, where there is one, in one statement. */
async function storeRevision(trx: Transaction<Database>, { record, message }: FoldResult): Promise<void> {
  const writer =
    message === null
      ? trx
      : trx.with("told", (db) => db.insertInto("message").values(messageRow(message, record.updatedAt)));
  await writer.updateTable("alert").set(alertRow(record)).where("alert_id", "=", record.alertId).execute();
}

/** Where it is told by itself. Last in the transaction: alerts of one group wait for each other from here. */
async function sinksNow(
  trx: Transaction<Database>,
  { result, heldIn }: { result: FoldResult; heldIn: string | null },
): Promise<readonly string[]> {
  const group = await holdingGroup(trx, { result, heldIn });
  if (group !== heldIn)
    await trx.updateTable("alert").set({ held_in: group }).where("alert_id", "=", result.record.alertId).execute();
  // Who was told by digests alone gets the whole alert now, news or not.
  const isReleased = heldIn !== null && group === null;
  const left = new Set([
    ...(isReleased ? [] : result.quiet),
    ...(group === null ? [] : (result.grouping?.sinks ?? [])),
  ]);
  return result.sinks.filter((sink) => !left.has(sink));
}

function emptyAlert(alertId: string): Omit<AlertTable, "held_in"> {
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

function alertRow(alert: AlertRecord): Omit<AlertTable, "held_in"> {
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

export function alertOf(row: AlertTable): AlertRecord {
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
