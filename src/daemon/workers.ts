/** What the two kinds of jobs do. Both may come twice, late or out of order: the store decides what is still to be done. */
import type { Clock } from "../lib/clock.ts";
import type { FoldResult } from "../types/alert.ts";
import type { AttemptRecord, DueDelivery } from "../types/delivery.ts";
import type { HitEvent } from "../types/hit.ts";
import type { AlertRecord } from "../types/alert.ts";
import type { Log } from "../types/log.ts";
import type { SendOutcome, Sink } from "../types/sink.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import { afterAttempt } from "../deliver/attempt.ts";
import { describeError } from "../lib/errors.ts";
import { createInTurn } from "../lib/in-turn.ts";
import { redactText } from "../lib/redact.ts";

export interface WorkerDeps {
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly fold: (alert: AlertRecord | null, events: readonly HitEvent[]) => FoldResult;
  readonly sinks: ReadonlyMap<string, Sink>;
  /** Sinks served through the queue; the others are sent straight from the store. */
  readonly queuedSinks: readonly string[];
  readonly retryScale: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Outbox rows were written. */
  readonly onWork: () => void;
  readonly onAttempt: (of: { delivery: DueDelivery; outcome: SendOutcome; seconds: number; dead: boolean }) => void;
}

export interface Workers {
  foldAlert(alertId: string): Promise<void>;
  /** `attemptNo`: the attempt the job stands for; a job of an attempt already made does nothing. */
  attempt(job: { deliveryId: string; attemptNo: number }, signal: AbortSignal): Promise<void>;
  send(delivery: DueDelivery, signal: AbortSignal): Promise<void>;
}

// Timers fire a little early now and then; skipping such a job would cost the wait until the next sweep.
const EARLY_MS = 1_000;

export function createWorkers(deps: WorkerDeps): Workers {
  const inTurn = createInTurn();

  /** Revisions of one alert reach a sink that keeps state one by one, so that the last word is the newest one. */
  function send(delivery: DueDelivery, signal: AbortSignal): Promise<void> {
    const sink = deps.sinks.get(delivery.sink);
    if (sink?.keepsState !== true || delivery.alertId === null)
      return attemptOne(delivery, signal, (startedAt) => sendTo(sink, delivery, { startedAt, signal }));
    return inTurn(`${delivery.sink} ${delivery.alertId}`, () =>
      attemptOne(delivery, signal, async (startedAt) =>
        (await deps.deliveries.isSuperseded(delivery.deliveryId))
          ? SUPERSEDED
          : sendTo(sink, delivery, { startedAt, signal }),
      ),
    );
  }

  async function attemptOne(
    delivery: DueDelivery,
    signal: AbortSignal,
    trySend: (startedAt: number) => Promise<SendOutcome>,
  ): Promise<void> {
    const startedAt = deps.clock.now();
    const outcome = await trySend(startedAt);
    // Stopped in the middle: nothing is known about this attempt, so it is made again, under the same webhook-id.
    if (signal.aborted && !isDone(outcome)) return;
    const endedAt = deps.clock.now();
    const after = afterAttempt({
      delivery: { attemptNo: delivery.scheduleAttempt + 1, severity: delivery.severity },
      outcome,
      now: endedAt,
      random: deps.random,
      scale: deps.retryScale,
    });
    const attempt: AttemptRecord = {
      at: startedAt,
      durationMs: endedAt - startedAt,
      result: outcome.result,
      status: outcome.status,
      error: isDone(outcome) ? null : outcome.error,
      excerpt: outcome.excerpt,
    };
    const recorded = await deps.deliveries.record({
      delivery,
      attempt,
      after,
      queued: deps.queuedSinks.includes(delivery.sink),
    });
    const facts = {
      sink: delivery.sink,
      webhookId: delivery.webhookId,
      type: delivery.type,
      severity: delivery.severity,
      attempt: delivery.attemptNo + 1,
      outcome: outcome.result,
      status: outcome.status,
      error: attempt.error,
      durationMs: attempt.durationMs,
      next: after.state === "pending" ? new Date(after.nextAttemptAt).toISOString() : null,
      recorded,
    };
    if (after.state === "dead") deps.log.error(facts, "delivery given up, kept as a dead letter");
    else deps.log[isDone(outcome) ? "info" : "warn"](facts, "delivery attempted");
    deps.onAttempt({ delivery, outcome, seconds: attempt.durationMs / 1000, dead: after.state === "dead" });
    if (after.state === "pending") deps.onWork();
  }

  return {
    async foldAlert(alertId) {
      const result = await deps.alerts.foldAlert(alertId, deps.fold);
      if (result?.message === null || result === null) return;
      const { record, message } = result;
      deps.log.info(
        {
          alertId,
          type: message.type,
          revision: record.revision,
          alertStage: record.stage,
          severity: record.severity,
          action: record.action,
        },
        "alert",
      );
      deps.onWork();
    },

    async attempt({ deliveryId, attemptNo }, signal) {
      const delivery = await deps.deliveries.pending(deliveryId);
      if (delivery === null || delivery.attemptNo !== attemptNo) return;
      if (delivery.nextAttemptAt > deps.clock.now() + EARLY_MS) return;
      await send(delivery, signal);
    },

    send,
  };
}

const SUPERSEDED: SendOutcome = {
  result: "superseded",
  status: null,
  excerpt: "not sent: a newer revision of this alert was delivered",
};

function isDone(outcome: SendOutcome): outcome is Exclude<SendOutcome, { readonly error: string }> {
  return outcome.result === "delivered" || outcome.result === "superseded";
}

async function sendTo(
  sink: Sink | undefined,
  delivery: DueDelivery,
  { startedAt, signal }: { startedAt: number; signal: AbortSignal },
): Promise<SendOutcome> {
  if (sink === undefined) {
    return {
      result: "retry",
      status: null,
      error: `no sink named ${delivery.sink} is configured (any more)`,
      afterMs: null,
      excerpt: "",
    };
  }
  const { webhookId, type, severity, body } = delivery;
  try {
    return await sink.send({ webhookId, type, severity, body, timestamp: Math.floor(startedAt / 1000) }, signal);
  } catch (error) {
    // A sink promises not to throw; if one does, its bug must not lose the alert.
    return { result: "retry", status: null, error: redactText(describeError(error)), afterMs: null, excerpt: "" };
  }
}
