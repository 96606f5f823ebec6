/**
 * Outbox -> queue, and whatever got lost on the way -> queue again.
 *
 * The relay moves rows as they come. The sweep looks at domain state (events not folded, deliveries not sent): at start,
 * every half minute, soon after a job failed, and at once when the marker shows that Redis lost what it was given.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { createWaker } from "../lib/waker.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../types/log.ts";
import { HITS_QUEUE, deliveriesQueue, type JobLane } from "../types/queue-names.ts";
import type { JobQueues, QueuedJob } from "./bull-queues.ts";

export interface RelayStore {
  claim(options: {
    limit: number;
    now: number;
    claimMs: number;
  }): Promise<{ id: number; queue: string; jobId: string; payload: object; runAt: number; lane: JobLane }[]>;
  relayed(ids: readonly number[]): Promise<void>;
  unclaim(ids: readonly number[]): Promise<void>;
  lastRelayedId(): Promise<number>;
  unfoldedJobs(options: {
    olderThan: number;
    limit: number;
  }): Promise<{ alertId: string; jobId: string; lane: JobLane }[]>;
  pendingJobs(options: {
    dueBefore: number;
    sinks: readonly string[];
    after: string;
    limit: number;
  }): Promise<{ deliveryId: string; sink: string; attemptNo: number; nextAttemptAt: number; lane: JobLane }[]>;
}

export interface RelayOptions {
  readonly store: RelayStore;
  readonly queues: JobQueues;
  /** Sinks whose deliveries go through the queue, as of now: those of a broken one wait in the store. */
  readonly sinks: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

const BATCH = 500;
const POLL_MS = 1_000;
const CLAIM_MS = 30_000;
const SWEEP_MS = 30_000;
// Younger work is most likely on its way.
const SWEEP_GRACE_MS = 10_000;

export interface Relay {
  run(signal: AbortSignal): Promise<void>;
  /** New rows: look now. */
  wake(): void;
  /** Work may have been lost: sweep soon. */
  sweepSoon(): void;
}

export function createRelay(options: RelayOptions): Relay {
  const { store, queues, clock, log } = options;
  const waker = createWaker();
  let sweepAt = 0;
  let failing = false;

  async function relayBatch(): Promise<number> {
    const rows = await store.claim({ limit: BATCH, now: clock.now(), claimMs: CLAIM_MS });
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    try {
      const byQueue = Map.groupBy(rows, (row) => row.queue);
      // Side by side: what goes to one sink does not wait for what goes to another.
      await Promise.all(
        [...byQueue].map(([queue, of]) =>
          queues.add(
            queue,
            of.map((row): QueuedJob => {
              const { jobId: id, payload: data, runAt, lane } = row;
              return { id, data, delayMs: runAt - clock.now(), lane };
            }),
          ),
        ),
      );
      // The marker first: it may run ahead of the store, but a store ahead of the marker means loss.
      await queues.marker?.advance(Math.max(...ids));
    } catch (error) {
      await store.unclaim(ids);
      throw error;
    }
    await store.relayed(ids);
    return rows.length;
  }

  /** Everything pending, or only what is overdue, back into the queue. Ids make what waits there already a no-op. */
  async function sweep(scope: "all" | "overdue"): Promise<number> {
    const now = clock.now();
    let count = 0;
    const unfolded = await store.unfoldedJobs({
      olderThan: scope === "all" ? now : now - SWEEP_GRACE_MS,
      limit: 100_000,
    });
    for (let start = 0; start < unfolded.length; start += BATCH) {
      const jobs = unfolded.slice(start, start + BATCH);
      await queues.add(
        HITS_QUEUE,
        jobs.map((job) => ({ id: job.jobId, data: { alertId: job.alertId }, delayMs: 0, lane: job.lane })),
      );
      count += jobs.length;
    }
    const sinks = options.sinks();
    const dueBefore = scope === "all" ? Number.MAX_SAFE_INTEGER : now - SWEEP_GRACE_MS;
    for (let after = ""; ; ) {
      const page = await store.pendingJobs({ dueBefore, sinks, after, limit: BATCH });
      for (const [sink, of] of Map.groupBy(page, (delivery) => delivery.sink)) {
        await queues.add(
          deliveriesQueue(sink),
          of.map((delivery) => ({
            id: `${delivery.deliveryId}-${delivery.attemptNo}`,
            data: { deliveryId: delivery.deliveryId, attemptNo: delivery.attemptNo },
            delayMs: delivery.nextAttemptAt - now,
            lane: delivery.lane,
          })),
        );
      }
      count += page.length;
      const last = page.at(-1);
      if (last === undefined || page.length < BATCH) return count;
      after = last.deliveryId;
    }
  }

  async function sweepIfDue(): Promise<void> {
    const { marker } = queues;
    if (marker !== null) {
      const relayed = await store.lastRelayedId();
      const at = await marker.read();
      if (at === null || at < relayed) {
        await marker.create(relayed);
        const swept = await sweep("all");
        log.warn(
          { marker: at, relayed, swept },
          "the queue lost its content (first start, FLUSHALL or failover), all pending work was queued again",
        );
        sweepAt = clock.now() + SWEEP_MS;
        return;
      }
    }
    if (clock.now() < sweepAt) return;
    const first = sweepAt === 0;
    const swept = await sweep(first ? "all" : "overdue");
    if (swept > 0) log.info({ swept }, "work that was due but not done was queued again");
    sweepAt = clock.now() + SWEEP_MS;
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          await sweepIfDue();
          while (!signal.aborted && (await relayBatch()) === BATCH);
          if (failing) log.info({}, "the queue takes work again");
          failing = false;
        } catch (error) {
          if (!failing)
            log.warn({ error: redactText(describeError(error)) }, "the queue takes no work, it waits in the store");
          failing = true;
          await sleep(POLL_MS, signal);
          continue;
        }
        await waker.wait(POLL_MS, signal);
      }
    },
    wake: () => waker.wake(),
    sweepSoon: () => {
      sweepAt = Math.min(sweepAt, clock.now() + 2_000);
    },
  };
}
