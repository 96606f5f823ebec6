/**
 * The way around the queue. While the queue is away for more than 15 s, alerts are folded and severe deliveries leave
 * straight from the store, under the same webhook-id. Operational alarms always go this way: an alarm about the queue
 * cannot wait in it.
 */
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { Log } from "../types/log.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Workers } from "./workers.ts";

export interface DirectPathOptions {
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly workers: Workers;
  readonly alertSinks: readonly string[];
  readonly operationSinks: readonly string[];
  /** Since when the queue is away (unix ms), null while it works. */
  readonly queueAwaySince: () => number | null;
  readonly clock: Clock;
  readonly log: Log;
}

const POLL_MS = 1_000;
const QUEUE_GRACE_MS = 15_000;
const BATCH = 50;

/** A loop per sink: one that hangs holds up neither the alarms nor the alerts of another. */
export async function runDirectPath(options: DirectPathOptions, signal: AbortSignal): Promise<void> {
  const { alerts, deliveries, workers, clock } = options;
  let failing = false;

  function isQueueGone(): boolean {
    const awaySince = options.queueAwaySince();
    return awaySince !== null && clock.now() - awaySince > QUEUE_GRACE_MS;
  }

  async function foldAll(): Promise<void> {
    for (const { alertId } of await alerts.unfoldedJobs({ olderThan: clock.now(), limit: BATCH }))
      await workers.foldAlert(alertId);
  }

  async function sendDue(sink: string, severities?: readonly ("critical" | "high")[]): Promise<void> {
    const due = await deliveries.due({
      dueBefore: clock.now(),
      limit: BATCH,
      sinks: [sink],
      ...(severities === undefined ? {} : { severities }),
    });
    await Promise.all(due.map((delivery) => workers.send(delivery, signal)));
  }

  async function repeat(work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
        failing = false;
      } catch (error) {
        if (!failing)
          options.log.warn(
            { error: redactText(describeError(error)) },
            "deliveries from the store failed, trying again",
          );
        failing = true;
      }
      await sleep(POLL_MS, signal);
    }
  }

  const whileGone = (work: () => Promise<void>) => repeat(() => (isQueueGone() ? work() : Promise.resolve()));
  await Promise.all([
    ...options.operationSinks.map((sink) => repeat(() => sendDue(sink))),
    whileGone(foldAll),
    ...options.alertSinks.map((sink) => whileGone(() => sendDue(sink, ["critical", "high"]))),
  ]);
}
