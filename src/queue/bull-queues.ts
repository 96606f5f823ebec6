/**
 * BullMQ on Redis, or on its own Postgres backend where no Redis is configured. Carries ids only; the store decides.
 *
 * One job is one attempt: no BullMQ retries, and finished and failed jobs are removed at once, since a kept failed job
 * would swallow every later job of its id.
 */
import {
  type Job,
  type PgPool,
  Queue,
  type QueueOptions,
  Worker,
  type WorkerOptions,
  createPostgresBackend,
  runMigrations,
} from "bullmq";
import { Redis } from "ioredis";
import { UnavailableError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { Log } from "../types/log.ts";
import type { JobLane } from "../types/queue-names.ts";
import { checkRedis, type RedisFacts } from "./redis-check.ts";

export interface QueuedJob {
  readonly id: string;
  readonly data: object;
  readonly delayMs: number;
  readonly lane: JobLane;
}

/**
 * A value in Redis that only moves forward and only exists while Redis kept everything: missing or behind the store
 * means that jobs were lost (FLUSHALL, failover, a cut log). Null where queue and store share their fate.
 */
export interface LossMarker {
  read(): Promise<number | null>;
  /** Moves an existing marker forward; never creates one, so a wipe between add and advance stays visible. */
  advance(to: number): Promise<void>;
  /** Creates it: only before everything pending is queued again. */
  create(at: number): Promise<void>;
}

export interface JobQueues {
  readonly kind: "redis" | "postgres";
  /** Adds jobs; an id that waits already is left as it is. Rejects when the queue is away. */
  add(queue: string, jobs: readonly QueuedJob[]): Promise<void>;
  work(
    queue: string,
    options: { concurrency: number; handle: (data: unknown) => Promise<void>; onFailed: () => void },
  ): void;
  /** Answers when the queue can take work; throws ConfigError for a Redis that may drop jobs. */
  check(): Promise<RedisFacts | null>;
  readonly marker: LossMarker | null;
  /** Lets running jobs end for `graceMs`, then leaves them to be run again. */
  close(graceMs: number): Promise<void>;
}

export interface BullQueuesOptions {
  readonly redisUrl: string | null;
  /** Used without Redis: a pool over Postgres or PGlite. */
  readonly queuePool: PgPool | null;
  readonly prefix: string;
  readonly log: Log;
}

const REMOVE_AT_ONCE = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;
// A crashed worker's job is back after lock plus check, about 15 s, and as often as it takes.
const STALL = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000_000 } as const;
const CALL_TIMEOUT_MS = 5_000;

export async function createBullQueues(options: BullQueuesOptions): Promise<JobQueues> {
  return options.redisUrl === null ? createOnPostgres(options) : createOnRedis(options.redisUrl, options);
}

function createOnRedis(url: string, { prefix, log }: BullQueuesOptions): JobQueues {
  const retryStrategy = (times: number) => Math.min(times * 100, 1_000);
  // The producer fails fast: a job that waits inside a client while Redis is away is a job nobody sees.
  const producer = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    retryStrategy,
    connectionName: "heistwatch",
  });
  const onError = quietErrors(log, "redis");
  producer.on("error", onError);
  const markerKey = `${prefix}:relay-marker`;
  return assemble({
    kind: "redis",
    log,
    onError,
    queueOptions: { connection: producer, prefix, skipWaitingForReady: true },
    workerOptions: () => {
      const connection = new Redis(url, {
        maxRetriesPerRequest: null,
        retryStrategy,
        connectionName: "heistwatch-worker",
      });
      connection.on("error", onError);
      return { options: { connection, prefix }, close: () => connection.disconnect() };
    },
    backend: undefined,
    // One that hangs (a stopped process, a cut cable) never answers: without an end to that it would count as there.
    check: () => within(checkRedis(producer), "answer"),
    marker: {
      async read() {
        const text = await within(producer.get(markerKey), "read the marker");
        return text === null ? null : Number(text);
      },
      async advance(to) {
        const script =
          "local at = redis.call('GET', KEYS[1]) if at and tonumber(at) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end";
        await within(producer.eval(script, 1, markerKey, String(to)), "advance the marker");
      },
      async create(at) {
        await within(producer.set(markerKey, String(at)), "create the marker");
      },
    },
    closeConnection: () => producer.disconnect(),
  });
}

async function createOnPostgres({ queuePool, log }: BullQueuesOptions): Promise<JobQueues> {
  if (queuePool === null) throw new Error("assertion failed: a queue without Redis has a pool");
  const client = await queuePool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
  return assemble({
    kind: "postgres",
    log,
    onError: quietErrors(log, "queue"),
    queueOptions: { connection: queuePool },
    workerOptions: () => ({ options: { connection: queuePool }, close: () => undefined }),
    backend: createPostgresBackend as never,
    check: async () => {
      await within(queuePool.query("select 1"), "ask the queue's database");
      return null;
    },
    marker: null,
    closeConnection: () => undefined,
  });
}

interface Parts {
  readonly kind: JobQueues["kind"];
  readonly log: Log;
  readonly onError: (error: Error) => void;
  readonly queueOptions: QueueOptions;
  readonly workerOptions: () => { options: WorkerOptions; close: () => void };
  readonly backend: undefined;
  readonly check: JobQueues["check"];
  readonly marker: LossMarker | null;
  readonly closeConnection: () => void;
}

function assemble(parts: Parts): JobQueues {
  const queues = new Map<string, Queue>();
  const workers: OpenWorker[] = [];

  function queueOf(name: string): Queue {
    let queue = queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, parts.queueOptions, parts.backend);
      queue.on("error", parts.onError);
      queues.set(name, queue);
      forgetWhenUnready(name, queue);
    }
    return queue;
  }

  /** BullMQ remembers a first connection that failed for the life of the object: the next add makes another. */
  function forgetWhenUnready(name: string, queue: Queue): void {
    queue.waitUntilReady().catch(() => {
      if (queues.get(name) === queue) queues.delete(name);
      queue.close().catch(() => undefined);
    });
  }

  return {
    kind: parts.kind,
    async add(name, jobs) {
      const entries = jobs.map((job) => ({
        name: "job",
        data: job.data,
        // BullMQ takes jobs without a priority before all that have one, then 1, then 2.
        opts: { ...REMOVE_AT_ONCE, jobId: job.id, delay: Math.max(0, job.delayMs), priority: job.lane },
      }));
      await within(queueOf(name).addBulk(entries), `add to ${name}`);
    },
    work(name, { concurrency, handle, onFailed }) {
      const { options, close } = parts.workerOptions();
      const running = new Set<Promise<void>>();
      const worker = new Worker(
        name,
        (job: Job) => {
          const work = handle(job.data).finally(() => running.delete(work));
          running.add(work);
          return work;
        },
        { ...options, ...STALL, concurrency, drainDelay: 1 },
        parts.backend,
      );
      worker.on("error", parts.onError);
      worker.on("failed", (_job, error) => {
        parts.log.warn(
          { queue: name, error: redactText(describeError(error)) },
          "job failed, the sweep will bring its work back",
        );
        onFailed();
      });
      workers.push({ worker, running, close });
    },
    check: parts.check,
    marker: parts.marker,
    async close(graceMs) {
      await Promise.all(workers.map((one) => closeWorker(one, graceMs).finally(one.close)));
      await Promise.allSettled([...queues.values()].map((queue) => deadline(queue.close(), 2_000)));
      parts.closeConnection();
    },
  };
}

interface OpenWorker {
  readonly worker: Worker;
  /** Jobs in our hands. */
  readonly running: ReadonlySet<Promise<void>>;
  readonly close: () => void;
}

// Telling the queue that a job is done takes a moment; with the queue away it takes for ever.
const WORKER_CLOSE_MS = 2_000;

/** BullMQ waits for running jobs without a limit of its own, and for a connection that may be away. */
async function closeWorker({ worker, running }: OpenWorker, graceMs: number): Promise<void> {
  const closed = worker.close();
  await deadline(allEnded(running), graceMs);
  const isClosed = await deadline(closed, Math.min(graceMs, WORKER_CLOSE_MS));
  if (!isClosed) await deadline(worker.close(true), 1_000);
}

/** Also the job that was being fetched when the others were looked at. */
async function allEnded(running: ReadonlySet<Promise<void>>): Promise<void> {
  while (running.size > 0) await Promise.allSettled(running);
}

/** True when it settled in time. */
async function deadline(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = work.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([done, late]);
  clearTimeout(timer);
  return result;
}

/** BullMQ's calls wait for a connection without end; ours have one. What was sent may still arrive: ids make that harmless. */
async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new UnavailableError(`the queue did not ${what} within ${CALL_TIMEOUT_MS / 1000} s`)),
      CALL_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // A rejection after the deadline was already told as the deadline.
  }
}

/** A dead Redis emits an error per reconnect of every client: one line in ten seconds says as much. */
function quietErrors(log: Log, what: string): (error: Error) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - lastAt < 10_000) return;
    lastAt = performance.now();
    log.warn({ what, error: redactText(describeError(error)) }, "queue connection trouble, trying again");
  };
}
