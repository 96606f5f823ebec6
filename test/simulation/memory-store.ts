/**
 * The store in memory: the same interfaces, answers and refusals as src/store, without SQL. Every call is one
 * transaction. test/conformance/store.ts holds it and the real store to the same promises.
 */
import type { JobLane } from "../../src/types/queue-names.ts";
import { decodeHit } from "../../src/store/codec.ts";
import { deliveryJob, laneOfMessage } from "../../src/store/alert-messages.ts";
import type { AlertStore, Fold } from "../../src/store/alert-store.ts";
import type { ChainStore } from "../../src/store/chain-store.ts";
import { hitsJobId, laneOf } from "../../src/store/hit-rows.ts";
import type { DeliveryCounts, DeliveryStore } from "../../src/store/delivery-store.ts";
import type { EvidenceStore } from "../../src/store/evidence.ts";
import type { Leases } from "../../src/store/leases.ts";
import type { Outbox } from "../../src/store/outbox.ts";
import type { PendingStore } from "../../src/store/pending-store.ts";
import { deliveryIdOf } from "../../src/lib/ids.ts";
import { type FoldResult, type Message, SEVERITIES } from "../../src/types/alert.ts";
import type { DueDelivery } from "../../src/types/delivery.ts";
import type { HitEvent } from "../../src/types/hit.ts";
import { createMemoryChainStore, createMemoryLeases } from "./memory-chain.ts";
import { createMemoryPending } from "./memory-pending.ts";
import { type DeliveryRow, type EventRow, MemoryTables } from "./memory-tables.ts";

/** Everything the core asks of a store. */
export interface CoreStore {
  readonly leases: Leases;
  readonly chains: ChainStore;
  readonly pending: PendingStore;
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly outbox: Outbox;
  readonly evidence: EvidenceStore;
}

export interface MemoryStore extends CoreStore {
  readonly tables: MemoryTables;
}

/** `now`: the database's own clock, which leases run on. */
export function createMemoryStore(now: () => number): MemoryStore {
  const tables = new MemoryTables();
  return {
    tables,
    leases: createMemoryLeases(tables, now),
    chains: createMemoryChainStore(tables),
    pending: createMemoryPending(tables),
    alerts: createMemoryAlerts(tables),
    deliveries: createMemoryDeliveries(tables),
    outbox: createMemoryOutbox(tables),
    evidence: createMemoryEvidence(tables),
  };
}

function createMemoryEvidence({ evidence }: MemoryTables): EvidenceStore {
  return {
    add: async (one) => evidence.insert(String(evidence.values().length), one),
    list: async ({ node, limit }) =>
      evidence
        .values()
        .filter((one) => one.node === node)
        .toReversed()
        .slice(0, limit),
  };
}

function createMemoryAlerts(tables: MemoryTables): AlertStore {
  return {
    foldAlert: async (alertId, fold) => tables.transaction(() => foldAlert(tables, alertId, fold)),

    addMessage: async (message, sinks, now, through) =>
      tables.transaction(() => {
        if (tables.message.get(message.webhookId) !== undefined) return false;
        addMessage(tables, { message, sinks, now, queued: through === "queue" });
        return true;
      }),

    async unfoldedJobs({ olderThan, limit }) {
      const last = new Map<string, { seq: number; lane: JobLane }>();
      for (const event of tables.event.values()) {
        if (event.applied || event.at > olderThan) continue;
        const lane = Math.min(laneOf(event), last.get(event.alertId)?.lane ?? 2) as JobLane;
        last.set(event.alertId, { seq: event.seq, lane });
      }
      return [...last]
        .toSorted(([, a], [, b]) => a.lane - b.lane || a.seq - b.seq)
        .slice(0, limit)
        .map(([alertId, { seq, lane }]) => ({ alertId, jobId: hitsJobId(alertId, seq), lane }));
    },

    async show(alertId) {
      const alert = tables.alert.get(alertId);
      if (alert === undefined) return null;
      const messages = tables.message
        .values()
        .filter((message) => message.alertId === alertId)
        .toSorted((a, b) => a.revision - b.revision)
        .map(({ createdAt: _createdAt, ...message }): Message => message);
      return { alert, messages };
    },
  };
}

function foldAlert(tables: MemoryTables, alertId: string, fold: Fold): FoldResult | null {
  const events = tables.event.values().filter((event) => event.alertId === alertId && !event.applied);
  if (events.length === 0) return null;
  const result = fold(tables.alert.get(alertId) ?? null, events.map(eventOf));
  tables.alert.put(alertId, result.record);
  for (const { seq } of events) tables.event.change(String(seq), { applied: true });
  if (result.message !== null)
    addMessage(tables, { message: result.message, sinks: result.sinks, now: result.record.updatedAt, queued: true });
  return result;
}

interface NewMessage {
  readonly message: Message;
  readonly sinks: readonly string[];
  readonly now: number;
  readonly queued: boolean;
}

function addMessage(tables: MemoryTables, { message, sinks, now, queued }: NewMessage): void {
  tables.message.insert(message.webhookId, { ...message, createdAt: now });
  for (const sink of sinks) {
    const deliveryId = deliveryIdOf({ webhookId: message.webhookId, sink });
    tables.delivery.insert(deliveryId, {
      deliveryId,
      webhookId: message.webhookId,
      sink,
      severity: message.severity,
      lane: laneOfMessage(message),
      state: "pending",
      attemptNo: 0,
      scheduleStart: 0,
      nextAttemptAt: now,
      deadReason: null,
      lastError: null,
      createdAt: now,
      deliveredAt: null,
    });
    if (queued)
      tables.addToOutbox(deliveryJob({ deliveryId, sink, attemptNo: 0, runAt: now, lane: laneOfMessage(message) }));
  }
}

function eventOf({ payload, applied: _applied, ...event }: EventRow): HitEvent {
  // The simulation follows chains; it scans no past.
  return { ...event, retroactive: false, hit: payload === null ? null : decodeHit(payload) };
}

/** Critical first; what is below medium alike. */
function severityOrder({ severity }: DeliveryRow): number {
  return Math.max(["critical", "high", "medium"].indexOf(severity), severity === "low" || severity === "info" ? 3 : 0);
}

function createMemoryDeliveries(tables: MemoryTables): DeliveryStore {
  const dueOf = (row: DeliveryRow): DueDelivery => {
    const { type, body, alertId } = tables.message.get(row.webhookId) as Message;
    const { deliveryId, webhookId, sink, severity, lane, attemptNo, nextAttemptAt } = row;
    const scheduleAttempt = attemptNo - row.scheduleStart;
    return {
      deliveryId,
      webhookId,
      alertId,
      sink,
      severity,
      lane,
      attemptNo,
      scheduleAttempt,
      nextAttemptAt,
      type,
      body,
    };
  };
  const pendingRows = () => tables.delivery.values().filter((row) => row.state === "pending");
  return {
    async pending(deliveryId) {
      const row = tables.delivery.get(deliveryId);
      return row?.state === "pending" ? dueOf(row) : null;
    },

    record: async ({ delivery, attempt, after, queued }) =>
      tables.transaction(() => {
        const { deliveryId, attemptNo, sink } = delivery;
        const row = tables.delivery.get(deliveryId);
        if (row?.state !== "pending" || row.attemptNo !== attemptNo) return false;
        const next = after.state === "pending" ? after.nextAttemptAt : delivery.nextAttemptAt;
        tables.delivery.change(deliveryId, {
          state: after.state,
          attemptNo: attemptNo + 1,
          nextAttemptAt: next,
          deadReason: after.state === "dead" ? after.reason : null,
          lastError: attempt.error,
          deliveredAt: after.state === "delivered" ? attempt.at + attempt.durationMs : null,
        });
        tables.attempt.insert(`${deliveryId} ${attemptNo}`, { ...attempt, deliveryId, attemptNo });
        if (after.state === "pending" && queued)
          tables.addToOutbox(deliveryJob({ deliveryId, sink, attemptNo: attemptNo + 1, runAt: next, lane: row.lane }));
        return true;
      }),

    async isSuperseded(deliveryId) {
      const old = tables.delivery.get(deliveryId);
      const oldMessage = tables.message.get(old?.webhookId ?? "");
      return tables.delivery.values().some((row) => {
        const message = tables.message.get(row.webhookId);
        if (message?.alertId == null || message.alertId !== oldMessage?.alertId) return false;
        return message.revision > oldMessage.revision && row.sink === old?.sink && row.state === "delivered";
      });
    },

    async due({ dueBefore, limit, sinks, severities }) {
      return pendingRows()
        .filter((row) => row.nextAttemptAt <= dueBefore && sinks.includes(row.sink))
        .filter((row) => severities === undefined || severities.includes(row.severity))
        .toSorted((a, b) => severityOrder(a) - severityOrder(b) || a.nextAttemptAt - b.nextAttemptAt)
        .slice(0, limit)
        .map(dueOf);
    },

    async probeOf(sink) {
      const [row] = pendingRows()
        .filter((one) => one.sink === sink)
        .toSorted((a, b) => rankOf(b) - rankOf(a) || a.nextAttemptAt - b.nextAttemptAt);
      return row === undefined ? null : dueOf(row);
    },

    hasten: async (of) => tables.transaction(() => hasten(tables, of)),

    async pendingJobs({ dueBefore, sinks, after, limit }) {
      return pendingRows()
        .filter((row) => row.nextAttemptAt <= dueBefore && sinks.includes(row.sink) && row.deliveryId > after)
        .toSorted((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1))
        .slice(0, limit)
        .map(({ deliveryId, sink, attemptNo, nextAttemptAt, lane }) => {
          return { deliveryId, sink, attemptNo, nextAttemptAt, lane };
        });
    },

    redrive: async (of) => tables.transaction(() => redrive(tables, of)),

    async list({ limit, offset, state, sink, alertId, deliveryId }) {
      return tables.delivery
        .values()
        .map((row) => ({ row, message: tables.message.get(row.webhookId) as Message }))
        .filter(({ row }) => (state === undefined || row.state === state) && (sink === undefined || row.sink === sink))
        .filter(({ row }) => deliveryId === undefined || row.deliveryId === deliveryId)
        .filter(({ message }) => alertId === undefined || message.alertId === alertId)
        .toSorted((a, b) => b.row.createdAt - a.row.createdAt || (a.row.deliveryId < b.row.deliveryId ? -1 : 1))
        .slice(offset, offset + limit)
        .map(({ row: { attemptNo, scheduleStart: _start, nextAttemptAt, ...row }, message }) => ({
          ...row,
          alertId: message.alertId,
          type: message.type,
          revision: message.revision,
          attempts: attemptNo,
          nextAttemptAt: row.state === "pending" ? nextAttemptAt : null,
          // Nobody replays anything in the simulation, and no sink there has a fallback.
          replayOf: null,
          fallbackFor: null,
        }));
    },

    async attempts(deliveryId) {
      return tables.attempt
        .values()
        .filter((row) => row.deliveryId === deliveryId)
        .toSorted((a, b) => a.attemptNo - b.attemptNo)
        .map(({ deliveryId: _id, attemptNo: _no, ...attempt }) => attempt);
    },

    async counts() {
      const counts = new Map<string, DeliveryCounts>();
      for (const { sink, state, createdAt } of tables.delivery.values()) {
        if (state === "delivered") continue;
        const { pending, dead, oldestPendingAt } = counts.get(sink) ?? { pending: 0, dead: 0, oldestPendingAt: null };
        counts.set(sink, {
          pending: pending + (state === "pending" ? 1 : 0),
          dead: dead + (state === "dead" ? 1 : 0),
          oldestPendingAt: state === "pending" ? Math.min(createdAt, oldestPendingAt ?? createdAt) : oldestPendingAt,
        });
      }
      return counts;
    },
  };
}

const rankOf = ({ severity }: DeliveryRow) => SEVERITIES.indexOf(severity);

function hasten(tables: MemoryTables, { sink, now, queued }: Parameters<DeliveryStore["hasten"]>[0]): number {
  const isRetraction = (row: DeliveryRow) => tables.message.get(row.webhookId)?.type === "alert.retracted";
  const rows = tables.delivery
    .values()
    .filter((row) => row.state === "pending" && row.sink === sink)
    .toSorted(
      (a, b) => Number(isRetraction(b)) - Number(isRetraction(a)) || rankOf(b) - rankOf(a) || a.createdAt - b.createdAt,
    );
  for (const { deliveryId, attemptNo, nextAttemptAt, lane } of rows) {
    tables.delivery.change(deliveryId, { nextAttemptAt: Math.min(nextAttemptAt, now) });
    if (queued) addJobAnew(tables, { deliveryId, sink, attemptNo, now, lane });
  }
  return rows.length;
}

function addJobAnew(
  tables: MemoryTables,
  { now, ...of }: { deliveryId: string; sink: string; attemptNo: number; now: number; lane: JobLane },
): void {
  const job = deliveryJob({ ...of, runAt: now });
  tables.addToOutbox({ ...job, jobId: `${job.jobId}-r${now}` });
}

function redrive(
  tables: MemoryTables,
  { deliveryIds, sink, now, queuedSinks }: Parameters<DeliveryStore["redrive"]>[0],
): number {
  const rows = tables.delivery.values().filter((row) => {
    const named = deliveryIds === undefined ? row.state === "dead" : deliveryIds.includes(row.deliveryId);
    return named && row.state !== "delivered" && (sink === undefined || row.sink === sink);
  });
  for (const { deliveryId, attemptNo, sink: to, lane } of rows) {
    tables.delivery.change(deliveryId, {
      state: "pending",
      nextAttemptAt: now,
      deadReason: null,
      scheduleStart: attemptNo,
    });
    if (!queuedSinks.includes(to)) continue;
    addJobAnew(tables, { deliveryId, sink: to, attemptNo, now, lane });
  }
  return rows.length;
}

function createMemoryOutbox(tables: MemoryTables): Outbox {
  return {
    async claim({ limit, now, claimMs }) {
      const rows = tables.outbox
        .values()
        .filter((row) => row.claimedUntil <= now)
        .toSorted((a, b) => a.lane - b.lane || a.id - b.id)
        .slice(0, limit);
      for (const { id } of rows) tables.outbox.change(String(id), { claimedUntil: now + claimMs });
      return rows.map(({ id, queue, jobId, payload, runAt, lane }) => ({
        id,
        queue,
        jobId,
        payload: JSON.parse(payload) as object,
        runAt,
        lane,
      }));
    },
    async relayed(ids) {
      for (const id of ids) tables.outbox.delete(String(id));
      tables.lastRelayedId = Math.max(tables.lastRelayedId, ...ids);
    },
    async unclaim(ids) {
      for (const id of ids) tables.outbox.change(String(id), { claimedUntil: 0 });
    },
    lastRelayedId: async () => tables.lastRelayedId,
    waiting: async () => tables.outbox.size,
  };
}
