/**
 * The queue as it can be: shared by all daemons, losing, doubling, delaying and reordering jobs, away at times, wiped
 * (FLUSHALL) and set back to an earlier moment (a cut log). Like BullMQ it leaves an id alone that is known already,
 * and forgets a job as soon as it ended, well or badly.
 */
import { UnavailableError } from "../../src/lib/errors.ts";
import type { JobQueues, QueuedJob } from "../../src/queue/bull-queues.ts";
import type { Bug } from "./bug.ts";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";

/** What a daemon lends the queue to run jobs with. */
export interface QueueWorker {
  readonly isAlive: () => boolean;
  readonly isAwake: () => boolean;
  readonly handle: (data: unknown) => Promise<void>;
  readonly onFailed: () => void;
}

export interface SimQueue {
  /** The daemon's client; its workers end with it. */
  connect(daemon: { readonly isAlive: () => boolean; readonly isAwake: () => boolean }): JobQueues;
  /** Ids ever taken, by queue: a row of the outbox may only go once its job is among them. */
  readonly accepted: ReadonlySet<string>;
  wipe(): void;
  remember(): void;
  rewind(): void;
  setAway(away: boolean): void;
  waiting(): number;
}

export interface SimQueueOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly history: History;
  readonly weather: Weather;
  readonly isQuiet: () => boolean;
  readonly bug: Bug;
}

interface Job extends QueuedJob {
  readonly queue: string;
  readonly runAt: number;
  state: "waiting" | "active" | "ended";
}

// BullMQ: a lock of 10 s and a check every 5 s.
const STALLED_MS = 15_000;

export function createSimQueue(options: SimQueueOptions): SimQueue {
  const { time, random, history, weather, isQuiet, bug } = options;
  const accepted = new Set<string>();
  const workers = new Map<string, QueueWorker[]>();
  let jobs = new Map<string, Job>();
  let marker: number | null = null;
  let kept: { jobs: Map<string, Job>; marker: number | null } = { jobs: new Map(), marker: null };
  let away = false;

  const luck = (probability: number) => !isQuiet() && random.chance(probability);

  function failWhenAway(): void {
    if (away) throw new UnavailableError("the queue does not answer");
  }

  function add(queue: string, job: QueuedJob): void {
    accepted.add(`${queue} ${job.id}`);
    const key = `${queue} ${bug.jobName?.(job.id) ?? job.id}`;
    if (jobs.has(key)) return;
    if (luck(weather.jobLost)) return history.note(`queue loses ${key}`);
    const entry: Job = { ...job, queue, runAt: time.now() + Math.max(0, job.delayMs), state: "waiting" };
    jobs.set(key, entry);
    planRun(key, entry);
    if (luck(weather.jobDoubled)) time.after(job.delayMs + random.int(0, 5_000), () => void run(key, entry, "doubled"));
  }

  function planRun(key: string, job: Job): void {
    const late = luck(weather.jobLate) ? random.int(0, 20_000) : random.int(0, 30);
    time.after(Math.max(0, job.runAt - time.now()) + late, () => void runWhenDue(key, job));
  }

  async function runWhenDue(key: string, job: Job): Promise<void> {
    if (jobs.get(key) !== job || job.state !== "waiting") return;
    if (away) return void time.after(1_000, () => void runWhenDue(key, job));
    await run(key, job, "due");
  }

  async function run(key: string, job: Job, why: string): Promise<void> {
    const live = (workers.get(job.queue) ?? []).filter((worker) => worker.isAwake());
    if (live.length === 0) {
      if (why === "due") time.after(1_000, () => void runWhenDue(key, job));
      return;
    }
    const worker = random.pick(live);
    history.note(`job ${key} ${why}`);
    if (why === "due") {
      job.state = "active";
      time.after(STALLED_MS, () => checkStalled(key, job, worker));
    }
    try {
      await worker.handle(job.data);
    } catch {
      worker.onFailed();
    }
    job.state = "ended";
    if (jobs.get(key) === job && bug.keepsEnded !== true) jobs.delete(key);
  }

  /** A live worker renews its lock; a dead or stopped one lost the job, which runs again, though the first may wake. */
  function checkStalled(key: string, job: Job, worker: QueueWorker): void {
    if (jobs.get(key) !== job || job.state !== "active") return;
    if (worker.isAwake()) return void time.after(STALLED_MS, () => checkStalled(key, job, worker));
    job.state = "waiting";
    void runWhenDue(key, job);
  }

  return {
    accepted,
    connect: (daemon) => ({
      kind: weather.hasMarker ? "redis" : "postgres",
      async add(queue, added) {
        failWhenAway();
        for (const job of added) add(queue, job);
      },
      work(queue, { handle, onFailed }) {
        const known = (workers.get(queue) ?? []).filter((worker) => worker.isAlive());
        workers.set(queue, [...known, { ...daemon, handle, onFailed }]);
      },
      async check() {
        failWhenAway();
        return null;
      },
      marker: weather.hasMarker
        ? {
            async read() {
              failWhenAway();
              return marker;
            },
            async advance(to) {
              failWhenAway();
              if (marker !== null && marker < to) marker = to;
            },
            async create(at) {
              failWhenAway();
              marker = at;
            },
          }
        : null,
      close: () => Promise.resolve(),
    }),
    wipe() {
      jobs = new Map();
      marker = null;
    },
    remember() {
      kept = { jobs: new Map(jobs), marker };
    },
    rewind() {
      jobs = new Map();
      marker = kept.marker;
      for (const [key, job] of kept.jobs) {
        const again: Job = { ...job, state: "waiting" };
        jobs.set(key, again);
        planRun(key, again);
      }
    },
    setAway(now) {
      away = now;
    },
    waiting: () => [...jobs.values()].filter((job) => job.state !== "ended").length,
  };
}
