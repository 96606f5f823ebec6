/**
 * `system.heartbeat`, once a minute for each chain that moves, the way of every alert: store, queue, worker, sink. Whoever
 * stops getting it knows that something on this way has stopped, whatever it is.
 */
import type { ChainStatus } from "../ingest/loop-state.ts";
import type { SystemBody } from "../alerts/body-schema.ts";
import { hashId } from "../lib/ids.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Message } from "../types/alert.ts";
import type { Log } from "../types/log.ts";
import type { PoolStatus } from "../types/nodes.ts";

export interface BeatingChain {
  readonly name: string;
  /** Null while another daemon leads it. */
  readonly status: ChainStatus | null;
  readonly pool: PoolStatus;
}

export interface HeartbeatOptions {
  readonly chains: () => readonly BeatingChain[];
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  /** Sinks served through the queue, and those served from the store, that asked for it. */
  readonly queuedSinks: readonly string[];
  readonly storeSinks: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** Outbox rows were written. */
  readonly onWork: () => void;
}

const BEAT_MS = 60_000;
// To a sink that is away: an hour of them, of which one is always due soon, and no heap of old ones.
const PENDING_MAX = 60;

export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(BEAT_MS, signal);
    if (signal.aborted) return;
    try {
      await beat(options);
    } catch (error) {
      options.log.warn({ error: redactText(describeError(error)) }, "heartbeat not stored");
    }
  }
}

/** One round. A chain that stands still has no heartbeat. */
export async function beat(options: HeartbeatOptions): Promise<void> {
  const { alerts, clock } = options;
  const queued = await waiting(options, options.queuedSinks);
  const direct = await waiting(options, options.storeSinks);
  for (const chain of options.chains()) {
    const message = heartbeatOf(chain, clock.now());
    if (message === null) continue;
    if (queued.length > 0) await alerts.addMessage(message("queue"), queued, clock.now(), "queue");
    if (direct.length > 0) await alerts.addMessage(message("store"), direct, clock.now());
  }
  if (queued.length > 0) options.onWork();
}

async function waiting({ deliveries }: HeartbeatOptions, sinks: readonly string[]): Promise<string[]> {
  const able: string[] = [];
  for (const sink of sinks) {
    const pending = await deliveries.list({ limit: 1_000, offset: 0, state: "pending", sink });
    if (pending.filter(({ type }) => type === "system.heartbeat").length < PENDING_MAX) able.push(sink);
  }
  return able;
}

function heartbeatOf(
  { name, status, pool }: BeatingChain,
  now: number,
): ((through: "queue" | "store") => Message) | null {
  if (status === null || status.trouble !== null || now - status.turnedAt > BEAT_MS) return null;
  const missing = pool.missing.map(({ operator }) => operator);
  const body: SystemBody = {
    type: "system.heartbeat",
    timestamp: new Date(now).toISOString(),
    schemaVersion: "1",
    replay: false,
    test: false,
    data: {
      subject: `chain:${name}`,
      severity: "info",
      summary: `${name} is watched, up to block ${status.cursorNumber} of ${pool.agreedHead}.`,
      since: new Date(now).toISOString(),
      detail: {
        cursorNumber: status.cursorNumber,
        headNumber: pool.agreedHead,
        finalizedNumber: status.finalizedNumber,
        missingOperators: missing.join(","),
      },
    },
  };
  const text = JSON.stringify(body);
  return (through) => ({
    webhookId: hashId("msg", [text, through]),
    type: body.type,
    body: text,
    severity: "info",
    alertId: null,
    revision: 0,
  });
}
