/** Config -> running services. The one place that knows all stages. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { PgPool } from "bullmq";
import type { Logger } from "pino";
import type { ApiPorts } from "../api/calls.ts";
import { createHealthServer, type HealthServer } from "../api/health-server.ts";
import { foldAlert } from "../alerts/fold.ts";
import { describeRouting } from "../alerts/route.ts";
import { createSink } from "../deliver/registry.ts";
import { systemClock } from "../lib/clock.ts";
import { createBullQueues } from "../queue/bull-queues.ts";
import { createRelay } from "../queue/relay.ts";
import { createAlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createDeliveryMoves } from "../store/delivery-moves.ts";
import { createDeliveryStore } from "../store/delivery-store.ts";
import { createEvidenceStore } from "../store/evidence.ts";
import { createOutbox } from "../store/outbox.ts";
import { createTriageStore } from "../store/triage-store.ts";
import type { Config } from "../types/config.ts";
import type { Sink } from "../types/sink.ts";
import { watchSink } from "./alarm-rules.ts";
import { createAlarms } from "./alarms.ts";
import { createChainLine } from "./chain-line.ts";
import { lookAtCoverage } from "./coverage-watch.ts";
import { openEvidenceCalls } from "./evidence-open.ts";
import { foldContext } from "./fold-context.ts";
import { type DaemonTools, lineOf, type Parts, sinkNames } from "./parts.ts";
import { coverageOf, servicesOf } from "./services.ts";
import { claimInstance, type Instance } from "./instance.ts";
import type { Lists } from "./lists.ts";
import { createMetrics } from "./metrics.ts";
import { createOperatorCalls } from "./operator-calls.ts";
import { createNamedPool, createNodeControl, type NamedPool } from "./pools.ts";
import { checkQueueOnce, type QueueState } from "./queue-watch.ts";
import { checkStore, closeInTime, waitForStore } from "./store-wait.ts";
import { createRecordedCalls } from "./recorded-calls.ts";
import { createRetroCalls } from "./retro-calls.ts";
import { createDaemonRetro } from "./retro-parts.ts";
import { joinCalls } from "./person-calls.ts";
import { createSupervisor } from "./supervisor.ts";
import { openScreenCalls } from "./screen-open.ts";
import { openTriageCalls } from "./triage-open.ts";
import { createValuers } from "./values.ts";
import { VERSION } from "./version.ts";
import type { OwnIndex } from "../watchlist/own-index.ts";
import { openOwnCalls } from "./own-open.ts";
import { waitForOwnDatabase } from "./own-database-sync.ts";
import { openWatch, readStartFiles, type StartFiles } from "./watch-service.ts";
import { openWatchCalls } from "./watch-open.ts";
import { openLanes } from "./sink-lanes.ts";
import { createWorkers } from "./workers.ts";

export interface Daemon {
  /** Waits for the store; returns once everything runs. Throws ConfigError where the operator must change something. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Port of the health server; null when there is none. */
  httpPort(): number | null;
}

export interface DaemonOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly write: (text: string) => void;
  /** Extra sinks beside the configured ones, for the demo. */
  readonly signal: AbortSignal;
}

export function createDaemon({ config, log, write, signal }: DaemonOptions): Daemon {
  const clock = systemClock;
  const { chainName } = foldContext(config);
  const metrics = createMetrics(VERSION);
  const alarms = createAlarms({ clock, random: randomUUID });
  const stopping = new AbortController();
  const runSignal = AbortSignal.any([signal, stopping.signal]);
  const queueState: QueueState = { awaySince: clock.now(), refused: null };
  const tools: DaemonTools = { config, clock, log, metrics, alarms, queueState };
  let started = false;
  let instance: Instance | null = null;
  let parts: Parts | null = null;
  let api: ApiPorts | null = null;
  const http = config.http === null ? null : buildHttp(config.http);
  let stopServices: () => Promise<void> = () => Promise.resolve();

  async function start(): Promise<void> {
    const files = await readStartFiles(config);
    instance = await claimInstance(config.dataDir);
    // Before anything is waited for: a probe of a daemon that waits for its database gets an answer.
    await http?.start(runSignal);
    const store = await waitForStore(config, log, runSignal);
    try {
      const ownDatabase = await waitForOwnDatabase(config, { db: store.db, now: () => clock.now(), log }, runSignal);
      const built = await build({ store, files, ownDatabase, holder: `${hostname()}-${instance.id}` });
      parts = built;
      await checkQueueOnce(built.queues, { queueState, metrics, log, atStart: true });
      const asked = [
        openTriageCalls(config, store),
        openOwnCalls(config, store, built.watch.live),
        openEvidenceCalls({ config, store, pools: built.pools }),
        openScreenCalls({ config, store, running: { ...built, log: log.child({ stage: "screening" }) } }),
      ].reduce(joinCalls, openWatchCalls({ config, store, running: { ...built, log } }));
      api = asked.api;
      const supervisor = createSupervisor(servicesOf(built, tools), log);
      stopServices = () => supervisor.stop();
      instance.serve({
        ...createOperatorCalls({
          deliveries: built.deliveries,
          moves: createDeliveryMoves(store.db),
          queuedSinks: sinkNames(config.sinks.alerts),
          clock,
          onWork: () => built.relay.wake(),
          nodes: createNodeControl(built.pools, built.evidence, log),
          people: asked.calls,
        }),
        ...createRecordedCalls({ db: store.db, clock, onWork: () => built.relay.wake() }),
        ...createRetroCalls({ db: store.db, clock, onStarted: () => built.retro.wake() }),
      });
      await supervisor.start(runSignal);
      started = true;
    } catch (error) {
      await parts?.queues.close(0);
      await stopServices().catch(() => undefined);
      await store.close();
      throw error;
    }
  }

  async function build({
    store,
    files,
    ownDatabase,
    holder,
  }: {
    store: OpenStore;
    files: StartFiles;
    ownDatabase: OwnIndex;
    holder: string;
  }): Promise<Parts> {
    const watch = await openWatch(
      {
        config,
        store,
        start: files,
        ownDatabase,
        operationSinks: sinkNames(config.sinks.operations),
        log: log.child({ stage: "watchlist" }),
        now: () => clock.now(),
        alarms,
        onSwap: tellWatched,
      },
      runSignal,
    );
    const alerts = createAlertStore(store.db, config.triage.dueHours);
    const deliveries = createDeliveryStore(store.db);
    const lanes = openLanes([...config.sinks.alerts, ...config.sinks.operations], {
      scale: config.delivery.retryScale,
      clock,
    });
    const queues = await createBullQueues({
      redisUrl: config.redisUrl,
      // Both pools are what BullMQ needs; @types/pg only words its listeners differently.
      queuePool: store.queuePool as unknown as PgPool,
      prefix: config.redisPrefix,
      log: log.child({ stage: "queue" }),
    });
    const relay = createRelay({
      store: { ...createOutbox(store.db), unfoldedJobs: alerts.unfoldedJobs, pendingJobs: deliveries.pendingJobs },
      queues,
      sinks: () => sinkNames(config.sinks.alerts).filter((sink) => lanes.get(sink)?.breaker.isClosed() === true),
      clock,
      log: log.child({ stage: "queue" }),
    });
    const sinks = openSinks();
    const workers = createWorkers({
      alerts,
      deliveries,
      fold: (alert, events) => foldAlert(alert, events, foldContext(config)),
      sinks,
      lanes,
      queuedSinks: sinkNames(config.sinks.alerts),
      retryScale: config.delivery.retryScale,
      clock,
      random: Math.random,
      log: log.child({ stage: "deliver" }),
      onWork: () => relay.wake(),
      onAttempt: ({ delivery, outcome, seconds, broken }) => {
        metrics.attempt({ sink: delivery.sink, outcome: outcome.result, seconds });
        // Nothing was sent: that tells nothing about the sink.
        if (outcome.result === "superseded") return;
        watchSink(alarms, {
          sink: delivery.sink,
          delivered: outcome.result === "delivered",
          gone: outcome.result === "rejected",
          broken,
          failures: delivery.scheduleAttempt + 1,
          error: outcome.result === "delivered" ? "" : outcome.error,
        });
      },
    });
    const evidence = createEvidenceStore(store.db);
    const pools = config.chains.map((chain) => createNamedPool(chain, { log, clock, metrics, evidence }));
    const valuers = createValuers(config, {
      feeds: files.files.feeds,
      pools,
      lists: watch.live,
      clock,
      log: log.child({ stage: "value" }),
    });
    const lines = config.chains.map((chain, index) =>
      createChainLine(chain, {
        adapter: (pools[index] as NamedPool).pool,
        store,
        lists: watch.live,
        valuer: valuers?.live ?? null,
        holder,
        relay,
        log,
        clock,
        metrics,
        alarms,
      }),
    );
    const retro = createDaemonRetro({
      config,
      db: store.db,
      queues,
      pools: pools.map(({ pool }) => pool),
      lists: watch.live,
      valuer: valuers?.past ?? null,
      holder,
      alerts,
      alarms,
      metrics,
      clock,
      log,
      onWork: () => relay.wake(),
    });
    return { store, alerts, deliveries, queues, relay, workers, lines, pools, evidence, watch, retro, valuers, lanes };
  }

  function tellWatched(lists: Lists): void {
    for (const chain of config.chains) metrics.watchlist(chain.name, lists.watchedOn.get(chain.id) ?? 0);
  }

  function openSinks(): Map<string, Sink> {
    const deps = { version: VERSION, now: () => clock.now(), write };
    return new Map(
      [...config.sinks.alerts, ...config.sinks.operations].map((sink) => [sink.name, createSink(sink, deps)]),
    );
  }

  function buildHttp(at: NonNullable<Config["http"]>): HealthServer {
    return createHealthServer({
      ...at,
      registry: metrics.registry,
      refresh: async () => {
        if (parts === null) return;
        metrics.deliveries(await parts.deliveries.counts(), clock.now());
        metrics.cases(await createTriageStore(parts.store.db).counts(clock.now()));
        for (const { chain, pool } of parts.pools)
          metrics.pool(chain, pool.status(), lineOf(parts, chain)?.status()?.unchecked ?? []);
        await lookAtCoverage(coverageOf(parts, tools));
      },
      // A lagging or stopped chain is told by metrics and alarms: the daemon itself stays ready for the others.
      checks: async () => [
        await checkStore(parts?.store ?? null),
        {
          name: "queue",
          ok: queueState.awaySince === null,
          detail: queueState.refused ?? (queueState.awaySince === null ? "up" : "away"),
        },
        ...(parts?.lines ?? []).map((line) => ({ name: line.name, ok: true, detail: line.health().detail })),
        { name: "lists", ok: true, detail: `lists fresh: ${!alarms.held().some(isStale)}` },
        ...alarms.held().map((one) => ({ name: `alarm:${one.subject}`, ok: true, detail: one.detail })),
      ],
      isStarted: () => started,
      isStopping: () => runSignal.aborted,
      api: () => api,
    });
  }

  return {
    async start() {
      try {
        await start();
      } catch (error) {
        await http?.stop();
        await instance?.close();
        throw error;
      }
      log.info(
        {
          version: VERSION,
          store: parts?.store.where,
          queue: parts?.queues.kind,
          chains: config.chains.map((chain) => chain.name),
        },
        "heistwatch runs",
      );
      for (const rule of describeRouting({ sinks: sinkNames(config.sinks.alerts), routes: config.routes }, chainName))
        log.info({ rule }, "alerts are routed");
    },
    async stop() {
      stopping.abort();
      try {
        await stopServices();
      } finally {
        await closeInTime(parts?.store ?? null, log);
        await http?.stop();
        await instance?.close();
      }
    },
    httpPort: () => http?.port() ?? null,
  };
}

/** One list past its maximum age is enough. */
function isStale({ subject }: { readonly subject: string }): boolean {
  return subject.startsWith("watchlist:") && subject.endsWith(":stale");
}
