/** Everything that runs, in the order of starting. */
import type { Service } from "../types/service.ts";
import { tellAlarms, watchPool } from "./alarm-rules.ts";
import type { Alarms } from "./alarms.ts";
import { type CoverageWatchOptions, runCoverageWatch } from "./coverage-watch.ts";
import { deliveryCare } from "./delivery-care.ts";
import { runScreenRetention } from "./screen-open.ts";
import { createScreenAnswers } from "../store/screen-answers.ts";
import { runDigests } from "./digests.ts";
import { runDirectPath } from "./direct-path.ts";
import { groupingSinks } from "./fold-context.ts";
import { runHeartbeat } from "./heartbeat.ts";
import { loopService } from "./loop-service.ts";
import { type DaemonTools, lineOf, type Parts, sinkNames } from "./parts.ts";
import { watchQueue } from "./queue-watch.ts";
import { recordLists } from "./retro-parts.ts";
import { valueServices } from "./values.ts";
import { runWatchCare } from "./watch-care.ts";
import { workersService } from "./workers-service.ts";

/** In the order of starting; stopped in reverse. */
export function servicesOf(built: Parts, tools: DaemonTools): Service[] {
  const { config, clock, log, metrics, alarms, queueState } = tools;
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
      tellAlarms({ alarms, alerts: built.alerts, operationSinks, look: () => lookAtPools(built, alarms), log }, loop),
    ),
    loopService("screening-retention", (loop) =>
      runScreenRetention(
        {
          answers: createScreenAnswers(built.store.db),
          days: config.retention.screeningDays,
          now: () => clock.now(),
          log,
        },
        loop,
      ),
    ),
    loopService("digests", (loop) =>
      runDigests(
        {
          db: built.store.db,
          sinks: groupingSinks(config),
          routing: {
            sinks: sinkNames(config.sinks.alerts),
            routes: config.routes,
            minSeverity: config.minSeverity,
            aboveUsd: config.policy.holdAboveUsd,
          },
          ...config.retention,
          clock,
          log,
          onWork: () => built.relay.wake(),
        },
        loop,
      ),
    ),
    loopService("coverage", (loop) => runCoverageWatch(coverageOf(built, tools), loop)),
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
    ...built.watch.services,
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

function lookAtPools(built: Parts, alarms: Alarms): void {
  for (const { chain, pool } of built.pools)
    watchPool(alarms, chain, { pool: pool.status(), status: lineOf(built, chain)?.status() ?? null });
}

/** What the watch over coverage looks at. */
export function coverageOf(built: Parts, { config, metrics, alarms, log }: DaemonTools): CoverageWatchOptions {
  return {
    db: built.store.db,
    chains: config.chains,
    isFollowed: (chain: string) => lineOf(built, chain)?.status() != null,
    metrics,
    alarms,
    log,
  };
}

function beating(sinks: readonly { name: string; heartbeat?: boolean | undefined }[]): string[] {
  return sinkNames(sinks.filter((sink) => sink.heartbeat === true));
}
