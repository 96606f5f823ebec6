/** Is the queue there, and fit to carry alerts? Asked at start and every two seconds. */
import type { Logger } from "pino";
import { ConfigError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { JobQueues } from "../queue/bull-queues.ts";
import type { Relay } from "../queue/relay.ts";
import type { Alarms } from "./alarms.ts";
import type { Metrics } from "./metrics.ts";

const QUEUE_CHECK_MS = 2_000;

export interface QueueState {
  awaySince: number | null;
  /** Why a queue that answers is not used. */
  refused: string | null;
}

export interface QueueWatch {
  readonly queueState: QueueState;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** At start a Redis that may drop alerts is refused; later it is an alarm, since stopping would watch nothing at all. */
export async function checkQueueOnce(
  queues: JobQueues,
  { queueState, metrics, log, atStart }: QueueWatch & { atStart: boolean },
): Promise<void> {
  try {
    const facts = await queues.check();
    if (queueState.awaySince !== null && facts !== null) {
      log.info({ redis: facts.version }, "Redis is there");
      if (!facts.appendOnly)
        log.warn(
          {},
          "Redis runs without AOF (appendonly yes): a Redis crash loses queued work; it is queued again from the store, later than it could be",
        );
    }
    queueState.awaySince = null;
    queueState.refused = null;
  } catch (error) {
    const refused = error instanceof ConfigError;
    if (refused && atStart) throw error;
    const detail = redactText(describeError(error));
    if (queueState.awaySince === null || atStart || queueState.refused !== (refused ? detail : null)) {
      log.error(
        { error: detail },
        "the queue is away: chains are followed, alerts wait in the store; after 15 s severe ones leave from there",
      );
    }
    queueState.awaySince ??= Date.now();
    queueState.refused = refused ? detail : null;
  }
  metrics.queueUp(queueState.awaySince === null);
}

export async function watchQueue(
  queues: JobQueues,
  watch: QueueWatch & { alarms: Alarms; relay: Relay },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const wasAway = watch.queueState.awaySince !== null;
    await checkQueueOnce(queues, { ...watch, atStart: false });
    const { awaySince, refused } = watch.queueState;
    if (awaySince === null) {
      watch.alarms.clear("queue");
      if (wasAway) watch.relay.sweepSoon();
    } else {
      watch.alarms.raise({
        subject: "queue",
        kind: "system",
        severity: "high",
        graceMs: 15_000,
        detail:
          refused ?? "The queue (Redis) does not answer: severe alerts leave straight from the store, all others wait.",
      });
    }
    await sleep(QUEUE_CHECK_MS, signal);
  }
}
