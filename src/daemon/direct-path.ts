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

export async function runDirectPath(options: DirectPathOptions, signal: AbortSignal): Promise<void> {
  const { alerts, deliveries, workers, clock } = options;
  let failing = false;

  async function sendDue(sinks: readonly string[], severities?: readonly ("critical" | "high")[]): Promise<void> {
    const due = await deliveries.due({
      dueBefore: clock.now(),
      limit: BATCH,
      sinks,
      ...(severities === undefined ? {} : { severities }),
    });
    await Promise.all(due.map((delivery) => workers.send(delivery, signal)));
  }

  while (!signal.aborted) {
    try {
      await sendDue(options.operationSinks);
      const awaySince = options.queueAwaySince();
      if (awaySince !== null && clock.now() - awaySince > QUEUE_GRACE_MS) {
        for (const { alertId } of await alerts.unfoldedJobs({ olderThan: clock.now(), limit: BATCH }))
          await workers.foldAlert(alertId);
        await sendDue(options.alertSinks, ["critical", "high"]);
      }
      failing = false;
    } catch (error) {
      if (!failing)
        options.log.warn({ error: redactText(describeError(error)) }, "deliveries from the store failed, trying again");
      failing = true;
    }
    await sleep(POLL_MS, signal);
  }
}
