/**
 * The way around the queue. While the queue is away for more than 15 s, alerts are folded and severe deliveries leave
 * straight from the store, under the same webhook-id. Operational alarms always go this way: an alarm about the queue
 * cannot wait in it.
 */
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sideBySide } from "../lib/side-by-side.ts";
import { sleep } from "../lib/sleep.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Log } from "../types/log.ts";
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
// As the queue's own workers: a few queries each, without crowding the store.
const FOLDS_AT_ONCE = 4;

/** A loop per sink: one that hangs holds up neither the alarms nor the alerts of another. */
export async function runDirectPath(options: DirectPathOptions, signal: AbortSignal): Promise<void> {
  const { alerts, deliveries, workers, clock } = options;
  let failing = false;

  function isQueueGone(): boolean {
    const awaySince = options.queueAwaySince();
    return awaySince !== null && clock.now() - awaySince > QUEUE_GRACE_MS;
  }

  /** True: there may be more. */
  async function foldSome(): Promise<boolean> {
    const unfolded = await alerts.unfoldedJobs({ olderThan: clock.now(), limit: BATCH });
    await sideBySide(unfolded, { atOnce: FOLDS_AT_ONCE, signal }, ({ alertId }) => workers.foldAlert(alertId));
    return unfolded.length === BATCH;
  }

  /**
   * True: there may be more. Does not wait for attempts that hang: they keep their places at the sink, and what is due by
   * then is looked at again.
   */
  async function sendSome(sink: string, severities?: readonly ("critical" | "high")[]): Promise<boolean> {
    if (!workers.serves(sink)) return false;
    const due = await deliveries.due({
      dueBefore: clock.now(),
      limit: BATCH,
      sinks: [sink],
      ...(severities === undefined ? {} : { severities }),
    });
    const sending = Promise.all(due.map((delivery) => workers.send(delivery, signal)));
    // One that fails after the race was lost is due again, and fails again where somebody listens.
    sending.catch(() => undefined);
    const made = await Promise.race([sending, sleep(POLL_MS, signal)]);
    return due.length === BATCH && made?.every(Boolean) === true;
  }

  async function repeat(work: () => Promise<boolean>): Promise<void> {
    while (!signal.aborted) {
      let hasMore = false;
      try {
        hasMore = await work();
        failing = false;
      } catch (error) {
        if (!failing && !signal.aborted)
          options.log.warn(
            { error: redactText(describeError(error)) },
            "deliveries from the store failed, trying again",
          );
        failing = true;
      }
      if (!hasMore) await sleep(POLL_MS, signal);
    }
  }

  const whileGone = (work: () => Promise<boolean>) => repeat(() => (isQueueGone() ? work() : Promise.resolve(false)));
  await Promise.all([
    ...options.operationSinks.map((sink) => repeat(() => sendSome(sink))),
    whileGone(foldSome),
    ...options.alertSinks.map((sink) => whileGone(() => sendSome(sink, ["critical", "high"]))),
  ]);
}
