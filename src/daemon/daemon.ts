/** Config -> running services. The one place that knows all stages. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { PgPool } from "bullmq";
import type { Logger } from "pino";
import type { ApiPorts } from "../api/calls.ts";
import { createHealthServer, type HealthServer } from "../api/health-server.ts";
import { foldAlert } from "../alerts/fold.ts";
import { describeRouting } from "../alerts/route.ts";
import type { SinkLane } from "../deliver/lane.ts";
import { createSink } from "../deliver/registry.ts";
import { systemClock } from "../lib/clock.ts";
import { createBullQueues, type JobQueues } from "../queue/bull-queues.ts";
import { createRelay, type Relay } from "../queue/relay.ts";
import { createAlertStore, type AlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createDeliveryMoves } from "../store/delivery-moves.ts";
import { createDeliveryStore, type DeliveryStore } from "../store/delivery-store.ts";
import { createEvidenceStore, type EvidenceStore } from "../store/evidence.ts";
import { createOutbox } from "../store/outbox.ts";
import { createTriageStore } from "../store/triage-store.ts";
import type { Config } from "../types/config.ts";
import type { Service } from "../types/service.ts";
import type { Sink } from "../types/sink.ts";
import { tellAlarms, watchPool, watchSink } from "./alarm-rules.ts";
import { createAlarms } from "./alarms.ts";
import { createChainLine } from "./chain-line.ts";
import { lookAtCoverage, runCoverageWatch } from "./coverage-watch.ts";
import { runDigests } from "./digests.ts";
import { deliveryCare } from "./delivery-care.ts";
import { runDirectPath } from "./direct-path.ts";
import { runHeartbeat } from "./heartbeat.ts";
import { foldContext, groupingSinks } from "./fold-context.ts";
import { claimInstance, type Instance } from "./instance.ts";
import type { Line } from "./line.ts";
import { loopService } from "./loop-service.ts";
import type { Lists } from "./lists.ts";
import { createMetrics } from "./metrics.ts";
import { createOperatorCalls } from "./operator-calls.ts";
import { createNamedPool, createNodeControl, type NamedPool } from "./pools.ts";
import { checkQueueOnce, type QueueState, watchQueue } from "./queue-watch.ts";
import { checkStore, closeInTime, waitForStore } from "./store-wait.ts";
import { createRecordedCalls } from "./recorded-calls.ts";
import { createRetroCalls } from "./retro-calls.ts";
import { createDaemonRetro, recordLists } from "./retro-parts.ts";
import type { RetroService } from "./retro-service.ts";
import { joinCalls } from "./person-calls.ts";
import { createSupervisor } from "./supervisor.ts";
import { openTriageCalls } from "./triage-open.ts";
import { createValuers, type Valuers, valueServices } from "./values.ts";
import { VERSION } from "./version.ts";
import { runWatchCare } from "./watch-care.ts";
import { openWatch, readStartFiles, type StartFiles, type Watch } from "./watch-service.ts";
import { openWatchCalls } from "./watch-open.ts";
import { openLanes } from "./sink-lanes.ts";
import { createWorkers, type Workers } from "./workers.ts";
import { workersService } from "./workers-service.ts";

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

/** Everything that exists once the store is open. */
interface Parts {
  readonly store: OpenStore;
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly queues: JobQueues;
  readonly relay: Relay;
  readonly workers: Workers;
  readonly lanes: ReadonlyMap<string, SinkLane>;
  readonly lines: readonly Line[];
  readonly pools: readonly NamedPool[];
  readonly evidence: EvidenceStore;
  readonly watch: Watch;
  readonly retro: RetroService;
  /** Null: values are not looked up. */
  readonly valuers: Valuers | null;
}

export function createDaemon({ config, log, write, signal }: DaemonOptions): Daemon {
  const clock = systemClock;
  const { chainName } = foldContext(config);
  const metrics = createMetrics(VERSION);
  const alarms = createAlarms({ clock, random: randomUUID });
  const stopping = new AbortController();
  const runSignal = AbortSignal.any([signal, stopping.signal]);
  const queueState: QueueState = { awaySince: clock.now(), refused: null };
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
      const built = await build({ store, files, holder: `${hostname()}-${instance.id}` });
      parts = built;
      await checkQueueOnce(built.queues, { queueState, metrics, log, atStart: true });
      const asked = joinCalls(
        openWatchCalls({ config, store, running: { ...built, log } }),
        openTriageCalls(config, store),
      );
      api = asked.api;
      const supervisor = createSupervisor(servicesOf(built), log);
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
    holder,
  }: {
    store: OpenStore;
    files: StartFiles;
    holder: string;
  }): Promise<Parts> {
    const watch = await openWatch(
      {
        config,
        store,
        start: files,
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
        await lookAtCoverage(coverageOf(parts));
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

  const lineOf = ({ lines }: Parts, chain: string) => lines.find((line) => line.name === `line:${chain}`) ?? null;

  function lookAtPools(built: Parts): void {
    for (const { chain, pool } of built.pools)
      watchPool(alarms, chain, { pool: pool.status(), status: lineOf(built, chain)?.status() ?? null });
  }

  const coverageOf = (built: Parts) => ({
    db: built.store.db,
    chains: config.chains,
    isFollowed: (chain: string) => lineOf(built, chain)?.status() != null,
    metrics,
    alarms,
    log,
  });

  /** In the order of starting; stopped in reverse. */
  function servicesOf(built: Parts): Service[] {
    const operationSinks = sinkNames(config.sinks.operations);
    const followed = config.chains.map(({ id }) => id);
    return [
      loopService("queue-watch", (loop) =>
        watchQueue(built.queues, { queueState, metrics, alarms, log, relay: built.relay }, loop),
      ),
      workersService({
        ...built,
        sinks: config.sinks.alerts,
        isQueueUp: () => queueState.awaySince === null,
        onFailed: metrics.jobFailed,
      }),
      loopService("relay", (loop) => built.relay.run(loop)),
      loopService("direct-path", (loop) =>
        runDirectPath(
          {
            alerts: built.alerts,
            deliveries: built.deliveries,
            workers: built.workers,
            alertSinks: sinkNames(config.sinks.alerts),
            operationSinks,
            queueAwaySince: () => queueState.awaySince,
            clock,
            log: log.child({ stage: "deliver" }),
          },
          loop,
        ),
      ),
      ...deliveryCare({
        ...built,
        config,
        db: built.store.db,
        alarms,
        clock,
        log: log.child({ stage: "deliver" }),
        onWork: () => built.relay.wake(),
      }),
      loopService("alarms", (loop) =>
        tellAlarms({ alarms, alerts: built.alerts, operationSinks, look: () => lookAtPools(built), log }, loop),
      ),
      loopService("digests", (loop) =>
        runDigests(
          {
            db: built.store.db,
            sinks: groupingSinks(config),
            recordedDays: config.retention.recordedDays,
            clock,
            log,
            onWork: () => built.relay.wake(),
          },
          loop,
        ),
      ),
      loopService("coverage", (loop) => runCoverageWatch(coverageOf(built), loop)),
      loopService("lists", (loop) =>
        recordLists(
          { db: built.store.db, live: built.watch.live, followed, enable: config.watchlists.enable, clock, log },
          loop,
        ),
      ),
      loopService("heartbeat", (loop) =>
        runHeartbeat(
          {
            chains: () =>
              built.pools.map(({ chain, pool }) => {
                const line = lineOf(built, chain);
                return { name: chain, pool: pool.status(), status: line?.leads() === true ? line.status() : null };
              }),
            alerts: built.alerts,
            deliveries: built.deliveries,
            queuedSinks: beating(config.sinks.alerts),
            storeSinks: beating(config.sinks.operations),
            clock,
            log,
            onWork: () => built.relay.wake(),
          },
          loop,
        ),
      ),
      built.watch.service,
      loopService("watch-care", (loop) =>
        runWatchCare(
          {
            db: built.store.db,
            store: built.watch.store,
            operationSinks,
            now: () => clock.now(),
            rules: config.watchlists.rules,
            alarms,
            metrics,
            log: log.child({ stage: "watchlist" }),
          },
          loop,
        ),
      ),
      ...valueServices(built.valuers, { db: built.store.db, clock, log, onWork: () => built.relay.wake() }),
      ...built.lines,
      // Last, and so the first to stop: it reads through the lines' nodes.
      built.retro,
    ];
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

function beating(sinks: readonly { name: string; heartbeat?: boolean | undefined }[]): string[] {
  return sinkNames(sinks.filter((sink) => sink.heartbeat === true));
}

function sinkNames(sinks: readonly { name: string }[]): string[] {
  return sinks.map((sink) => sink.name);
}
