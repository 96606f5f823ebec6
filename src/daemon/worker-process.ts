/** `heistwatch worker`: one more process that reads the past. Follows no chain, sends nothing; the store shares the work. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import type { PgPool } from "bullmq";
import type { Logger } from "pino";
import { systemClock } from "../lib/clock.ts";
import { ConfigError } from "../lib/errors.ts";
import { createBullQueues, type JobQueues } from "../queue/bull-queues.ts";
import type { OpenStore } from "../store/database.ts";
import { createEvidenceStore } from "../store/evidence.ts";
import type { Config } from "../types/config.ts";
import { readFiles, refuseProblems } from "./lists.ts";
import { createLiveLists } from "./live-lists.ts";
import { createWatchStore } from "../store/watch-store.ts";
import { watchPorts } from "./watch-ports.ts";
import { createMetrics } from "./metrics.ts";
import { createNamedPool, type NamedPool } from "./pools.ts";
import { createRetroParts } from "./retro-parts.ts";
import type { RetroService } from "./retro-service.ts";
import { closeInTime, waitForStore } from "./store-wait.ts";
import { createValuers } from "./values.ts";
import { VERSION } from "./version.ts";

export interface WorkerProcess {
  /** Returns once it reads. Throws ConfigError without a database and a queue to share. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

interface Running {
  readonly store: OpenStore;
  readonly queues: JobQueues;
  readonly pools: readonly NamedPool[];
  readonly retro: RetroService;
}

// Its chunks are given back at once: nothing of it is worth waiting for.
const GRACE_MS = 5_000;

export function createWorkerProcess({ config, log }: { config: Config; log: Logger }): WorkerProcess {
  let running: Running | null = null;
  let folder: string | null = null;
  const stopping = new AbortController();

  async function open(signal: AbortSignal): Promise<Running> {
    if (config.databaseUrl === null || config.redisUrl === null)
      throw new ConfigError(
        "a worker shares the work of a daemon: both need the same Postgres (DATABASE_URL) and Redis (REDIS_URL). The embedded store belongs to one process.",
      );
    const clock = systemClock;
    const files = await readFiles(config);
    refuseProblems(files.problems, null);
    const store = await waitForStore(config, log, signal);
    folder = mkdtempSync(path.join(tmpdir(), "heistwatch-worker-"));
    const lists = await createLiveLists(
      config,
      {
        store: createWatchStore(store.db, watchPorts(config)),
        files,
        // The data folder may be a daemon's.
        file: path.join(folder, "watched.entries"),
        log: log.child({ stage: "watchlist" }),
        onSwap: () => undefined,
      },
      AbortSignal.any([signal, stopping.signal]),
    );
    const queues = await createBullQueues({
      redisUrl: config.redisUrl,
      // Both pools are what BullMQ needs; @types/pg only words its listeners differently.
      queuePool: store.queuePool as unknown as PgPool,
      prefix: config.redisPrefix,
      log: log.child({ stage: "queue" }),
    });
    const metrics = createMetrics(VERSION);
    const evidence = createEvidenceStore(store.db);
    const pools = config.chains.map((chain) => createNamedPool(chain, { log, clock, metrics, evidence }));
    const valuers = createValuers(config, {
      feeds: files.feeds,
      pools,
      lists,
      clock,
      log: log.child({ stage: "value" }),
    });
    const retro = createRetroParts({
      db: store.db,
      queues,
      chains: config.chains.map((chain, index) => ({ config: chain, adapter: (pools[index] as NamedPool).pool })),
      lists,
      valuer: valuers?.past ?? null,
      holder: `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`,
      clock,
      log: log.child({ stage: "retro" }),
      metrics,
      onWork: () => undefined,
      onFailed: () => undefined,
      onRound: () => Promise.resolve(),
    });
    return { store, queues, pools, retro };
  }

  return {
    async start(signal) {
      running = await open(signal);
      await running.retro.start(signal);
      log.info({ version: VERSION, chains: config.chains.map(({ name }) => name) }, "heistwatch worker runs");
    },
    async stop() {
      stopping.abort();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      folder = null;
      if (running === null) return;
      const { store, queues, pools, retro } = running;
      running = null;
      await retro.stop();
      await queues.close(GRACE_MS);
      await Promise.allSettled(pools.map(({ pool }) => pool.close()));
      await closeInTime(store, log);
    },
  };
}
