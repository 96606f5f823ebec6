/** The workers of the queues as a service: jobs of folding and of each sink that is served through the queue. */
import type { JobQueues } from "../queue/bull-queues.ts";
import type { Relay } from "../queue/relay.ts";
import type { SinkConfig } from "../types/config.ts";
import { HITS_QUEUE, deliveriesQueue } from "../types/queue-names.ts";
import type { Health, Service } from "../types/service.ts";
import type { Workers } from "./workers.ts";

// Folding is a few queries per alert: four side by side keep a burst moving without crowding the store.
const FOLD_CONCURRENCY = 4;
// Chats and mail: the services allow about a message a second, and a room reads them in order.
const USUAL_CONCURRENCY = 1;
// A worker's running POSTs get this long to end before they are left for the next start.
const WORKER_GRACE_MS = 15_000;

export interface WorkersServiceOptions {
  readonly queues: JobQueues;
  readonly workers: Workers;
  readonly relay: Relay;
  readonly sinks: readonly SinkConfig[];
  readonly isQueueUp: () => boolean;
  /** A job threw, for metrics. */
  readonly onFailed: (queue: string) => void;
}

export function workersService({ queues, workers, relay, sinks, ...options }: WorkersServiceOptions): Service {
  const attempts = new AbortController();
  return {
    name: "workers",
    start() {
      const onFailed = (queue: string) => () => {
        options.onFailed(queue);
        relay.sweepSoon();
      };
      queues.work(HITS_QUEUE, {
        concurrency: FOLD_CONCURRENCY,
        handle: (data) => workers.foldAlert((data as { alertId: string }).alertId),
        onFailed: onFailed(HITS_QUEUE),
      });
      for (const sink of sinks) {
        const queue = deliveriesQueue(sink.name);
        queues.work(queue, {
          concurrency: "concurrency" in sink ? sink.concurrency : USUAL_CONCURRENCY,
          handle: (data) => workers.attempt(data as { deliveryId: string; attemptNo: number }, attempts.signal),
          onFailed: onFailed(queue),
        });
      }
      return Promise.resolve();
    },
    async stop() {
      const force = setTimeout(() => attempts.abort(), WORKER_GRACE_MS - 1_000);
      await queues.close(WORKER_GRACE_MS);
      clearTimeout(force);
      attempts.abort();
    },
    health: (): Health => ({ ok: options.isQueueUp(), detail: "" }),
  };
}
