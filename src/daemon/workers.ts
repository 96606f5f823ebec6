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
import type { SinkLane } from "../deliver/lane.ts";
import { describeError } from "../lib/errors.ts";
import { createInTurn } from "../lib/in-turn.ts";
import { redactText } from "../lib/redact.ts";

export interface WorkerDeps {
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly fold: (alert: AlertRecord | null, events: readonly HitEvent[]) => FoldResult;
  readonly sinks: ReadonlyMap<string, Sink>;
  /** One for each sink. */
  readonly lanes: ReadonlyMap<string, SinkLane>;
  /** Sinks served through the queue; the others are sent straight from the store. */
  readonly queuedSinks: readonly string[];
  readonly retryScale: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Outbox rows were written. */
  readonly onWork: () => void;
  readonly onAttempt: (of: AttemptSeen) => void;
}

export interface AttemptSeen {
  readonly delivery: DueDelivery;
  readonly outcome: SendOutcome;
  readonly seconds: number;
  /** The sink's breaker is open: deliveries wait until a probe arrives. */
  readonly broken: boolean;
}

export interface Workers {
  foldAlert(alertId: string): Promise<void>;
  /** `attemptNo`: the attempt the job stands for; a job of an attempt already made does nothing. */
  attempt(job: { deliveryId: string; attemptNo: number }, signal: AbortSignal): Promise<void>;
  /** One attempt, unless its sink is broken or this delivery is under way already. True: it was made. */
  send(delivery: DueDelivery, signal: AbortSignal): Promise<boolean>;
  /** As `send`, to ask whether a broken sink is back. The delivery need not be due. */
  probe(delivery: DueDelivery, signal: AbortSignal): Promise<boolean>;
  /** False while the sink is broken: what is due for it waits in the store. */
  serves(sink: string): boolean;
}

// Timers fire a little early now and then; skipping such a job would cost the wait until the next sweep.
const EARLY_MS = 1_000;

export function createWorkers(deps: WorkerDeps): Workers {
  const inTurn = createInTurn();
  const underWay = new Set<string>();
  const serves = (sink: string) => deps.lanes.get(sink)?.breaker.isClosed() !== false;

  /** The queue, the way around it and a probe may all bring the same delivery at the same time: one of them makes the attempt. */
  async function once(turn: Turn): Promise<boolean> {
    const { deliveryId } = turn.delivery;
    if (underWay.has(deliveryId)) return false;
    underWay.add(deliveryId);
    try {
      return await inOrder(turn);
    } finally {
      underWay.delete(deliveryId);
    }
  }

  /** Revisions of one alert reach a sink that keeps state one by one, so that the last word is the newest one. */
  function inOrder(turn: Turn): Promise<boolean> {
    const { delivery, signal } = turn;
    const sink = deps.sinks.get(delivery.sink);
    if (sink?.keepsState !== true || delivery.alertId === null)
      return inLane(turn, (startedAt) => sendTo(sink, delivery, { startedAt, signal }));
    return inTurn(`${delivery.sink} ${delivery.alertId}`, () =>
      inLane(turn, async (startedAt) =>
        (await deps.deliveries.isSuperseded(delivery.deliveryId))
          ? SUPERSEDED
          : sendTo(sink, delivery, { startedAt, signal }),
      ),
    );
  }

  /** Waits for a place among the sink's own attempts. The sink may break meanwhile: then nothing is attempted. */
  async function inLane(turn: Turn, trySend: TrySend): Promise<boolean> {
    const { delivery, signal, isProbe } = turn;
    const isHeld = () => !isProbe && !serves(delivery.sink);
    if (isHeld()) return false;
    const leave = await deps.lanes
      .get(delivery.sink)
      ?.gate.enter(signal)
      .catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
    if (leave === null) return false;
    try {
      return !isHeld() && (await attemptOne(turn, trySend));
    } finally {
      leave?.();
    }
  }

  async function attemptOne(turn: Turn, trySend: TrySend): Promise<boolean> {
    const { delivery, signal, isProbe } = turn;
    const startedAt = deps.clock.now();
    const outcome = await trySend(startedAt);
    // Stopped in the middle: nothing is known about this attempt, so it is made again, under the same webhook-id.
    if (signal.aborted && !isDone(outcome)) return false;
    const seen = { deliveryId: delivery.deliveryId, outcome, isProbe };
    const turned = outcome.result === "superseded" ? null : deps.lanes.get(delivery.sink)?.breaker.saw(seen);
    // A probe before its time is not held against the delivery: its schedule of a week would be over within minutes.
    if (isProbe && delivery.nextAttemptAt > startedAt && !isDone(outcome))
      deps.log.info({ sink: delivery.sink, error: outcome.error }, "probed, the sink is still broken");
    else await writeDown(delivery, outcome, startedAt);
    const seconds = (deps.clock.now() - startedAt) / 1000;
    deps.onAttempt({ delivery, outcome, seconds, broken: !serves(delivery.sink) });
    if (turned === "opened")
      deps.log.warn({ sink: delivery.sink }, "the sink is broken: one delivery asks now and then, the others wait");
    if (turned === "closed") await hasten(delivery.sink);
    return true;
  }

  async function hasten(sink: string): Promise<void> {
    const queued = deps.queuedSinks.includes(sink);
    const hastened = await deps.deliveries.hasten({ sink, now: deps.clock.now(), queued });
    deps.log.info({ sink, hastened }, "the sink is back, everything that waits for it is due now");
    deps.onWork();
  }

  async function writeDown(delivery: DueDelivery, outcome: SendOutcome, startedAt: number): Promise<void> {
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
      await once({ delivery, signal, isProbe: false });
    },

    send: (delivery, signal) => once({ delivery, signal, isProbe: false }),
    probe: (delivery, signal) => once({ delivery, signal, isProbe: true }),
    serves,
  };
}

interface Turn {
  readonly delivery: DueDelivery;
  readonly signal: AbortSignal;
  readonly isProbe: boolean;
}

type TrySend = (startedAt: number) => Promise<SendOutcome>;

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
