/**
 * One daemon of the simulation: the real line (lease, head loop, matcher), relay, workers, fold and direct path, wired
 * as in src/daemon/daemon.ts, with every call to the outside behind its gate.
 */
import { foldAlert } from "../../src/alerts/fold.ts";
import type { FoldContext } from "../../src/alerts/state.ts";
import { createStateCodec } from "../../src/alerts/state-codec.ts";
import { runDirectPath } from "../../src/daemon/direct-path.ts";
import { createLine } from "../../src/daemon/line.ts";
import { runProbes } from "../../src/daemon/probes.ts";
import { createWorkers, type Workers } from "../../src/daemon/workers.ts";
import { createSinkLane } from "../../src/deliver/lane.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { describeError } from "../../src/lib/errors.ts";
import { sleep } from "../../src/lib/sleep.ts";
import { createWaker } from "../../src/lib/waker.ts";
import { matchBlock } from "../../src/match/match-block.ts";
import type { JobQueues } from "../../src/queue/bull-queues.ts";
import { createRelay, type Relay } from "../../src/queue/relay.ts";
import * as codec from "../../src/store/codec.ts";
import type { ChainAdapter } from "../../src/types/chain.ts";
import type { Log } from "../../src/types/log.ts";
import { deliveriesQueue, HITS_QUEUE } from "../../src/types/queue-names.ts";
import type { Sink } from "../../src/types/sink.ts";
import type { Watchlist } from "../../src/types/watch.ts";
import type { Bug } from "./bug.ts";
import { type Gate, throughGate } from "./gate.ts";
import type { CoreStore, MemoryStore } from "./memory-store.ts";
import { CHAIN, TOKENS } from "./people.ts";
import { DEFAULT_POLICY } from "../../src/types/policy.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";

export interface SimDaemonOptions {
  readonly holder: string;
  readonly gate: Gate;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly weather: Weather;
  readonly watchlist: Watchlist;
  readonly bug: Bug;
  readonly tables: MemoryStore["tables"];
  /** Already watched by the auditor. */
  readonly store: CoreStore;
  readonly node: ChainAdapter;
  readonly queues: JobQueues;
  readonly sinks: readonly Sink[];
  readonly log: Log;
  /** No two machines have the same time. */
  readonly clockAheadMs: number;
}

export interface SimDaemon {
  readonly gate: Gate;
  /** As after SIGTERM: ends once everything has stopped. */
  stop(): Promise<void>;
}

// The whole schedule of a week in under two hours.
const RETRY_SCALE = 0.01;
const QUEUE_CHECK_MS = 2_000;

export function startDaemon(options: SimDaemonOptions): SimDaemon {
  const { gate, time, weather, watchlist, log } = options;
  const clock = { now: () => time.now() + options.clockAheadMs };
  const ports = portsOf(options);
  const stopping = new AbortController();
  const sinkNames = options.sinks.map((sink) => sink.name);
  const queueState: { awaySince: number | null } = { awaySince: null };
  const lanes = new Map(
    sinkNames.map((sink) => [sink, createSinkLane({ concurrency: 4, maxPerSecond: null, scale: RETRY_SCALE, clock })]),
  );
  const relay = createRelay({
    store: { ...ports.outbox, unfoldedJobs: ports.alerts.unfoldedJobs, pendingJobs: ports.deliveries.pendingJobs },
    queues: ports.queues,
    sinks: () => sinkNames.filter((sink) => lanes.get(sink)?.breaker.isClosed() === true),
    clock,
    log,
  });
  const context = foldContext(sinkNames, weather.minSeverity);
  const fold: Parameters<typeof createWorkers>[0]["fold"] = (alert, events) => foldAlert(alert, events, context);
  const workers = createWorkers({
    alerts: ports.alerts,
    deliveries: ports.deliveries,
    fold: options.bug.fold?.(fold) ?? fold,
    sinks: new Map(ports.sinks.map((sink) => [sink.name, sink])),
    lanes,
    queuedSinks: sinkNames,
    retryScale: RETRY_SCALE,
    clock,
    random: () => options.random.next(),
    log,
    onWork: () => relay.wake(),
    onAttempt: () => undefined,
  });
  const line = createLine({
    name: "simulated",
    chain: CHAIN,
    holder: options.holder,
    adapter: ports.node,
    store: ports.chains,
    leases: ports.leases,
    mempool: null,
    start: { at: "number", number: weather.startNumber },
    windowDepth: weather.windowDepth,
    lists: {
      current: () => ({
        match: (block) => matchBlock(block, { chain: CHAIN, watchlist, tokens: TOKENS }),
        matchPending: () => [],
        watched: watchlist.addresses,
        listVersion: watchlist.version,
        revision: 0,
      }),
      refresh: () => Promise.resolve(),
      onChange: () => undefined,
    },
    clock,
    waker: createWaker(),
    log,
    onStatus: () => undefined,
    onCommitted: () => relay.wake(),
    onLeader: () => undefined,
    onFenced: () => undefined,
  });
  work(options, { workers, relay, sinkNames });
  const { signal } = stopping;
  const loops = [
    relay.run(signal),
    watchQueue({ queues: ports.queues, queueState, clock }, signal),
    runProbes({ lanes, deliveries: ports.deliveries, workers, log }, signal),
    runDirectPath(
      {
        alerts: ports.alerts,
        deliveries: ports.deliveries,
        workers,
        alertSinks: sinkNames,
        operationSinks: [],
        queueAwaySince: () => queueState.awaySince,
        clock,
        log,
      },
      signal,
    ),
  ];
  void line.start(signal);
  return {
    gate,
    async stop() {
      stopping.abort();
      await line.stop();
      await Promise.all(loops);
    },
  };
}

/** Everything outside of the process, behind the gate; a planted bug sits on the inner side of it. */
function portsOf({ gate, bug, tables, store, node, queues, sinks }: SimDaemonOptions) {
  const chains = throughGate(store.chains, { gate, port: "store", prefix: "chains" });
  const outbox = throughGate(store.outbox, { gate, port: "store", prefix: "outbox" });
  const deliveries = throughGate(store.deliveries, { gate, port: "store", prefix: "deliveries" });
  const { family, chainId, blockTimeMs, normalizeAddress, ...calls } = node;
  const asked = { family, chainId, blockTimeMs, normalizeAddress };
  const adapter: ChainAdapter = { ...asked, ...throughGate(calls, { gate, port: "node", prefix: "node" }) };
  const { kind, work: addWorker, marker, close, ...adding } = queues;
  const gated: JobQueues = {
    kind,
    work: addWorker,
    close,
    marker: marker === null ? null : throughGate(marker, { gate, port: "queue", prefix: "marker" }),
    ...throughGate(adding, { gate, port: "queue", prefix: "queue" }),
  };
  return {
    chains: bug.chains?.(chains, tables) ?? chains,
    leases: throughGate(store.leases, { gate, port: "store", prefix: "leases" }),
    alerts: throughGate(store.alerts, { gate, port: "store", prefix: "alerts" }),
    deliveries: bug.deliveries?.(deliveries, tables) ?? deliveries,
    outbox: bug.outbox?.(outbox) ?? outbox,
    node: bug.adapter?.(adapter, tables) ?? adapter,
    queues: gated,
    sinks: sinks.map((sink): Sink => {
      const send: Sink["send"] = (message, signal) =>
        gate.call({ name: "sink.send", port: "sink" }, () => sink.send(message, signal));
      return { ...sink, send };
    }),
  };
}

function foldContext(sinks: readonly string[], minSeverity: Weather["minSeverity"]): FoldContext {
  const { encode, decode } = createStateCodec(codec);
  const groupingSinks = new Set<string>();
  return {
    chainName: (id) => id,
    operatorsConfigured: () => 1,
    sinks,
    newsSinks: new Set(),
    groupingSinks,
    routes: [],
    policy: DEFAULT_POLICY,
    minSeverity,
    encode,
    decode,
  };
}

function work(
  { queues, gate }: SimDaemonOptions,
  { workers, relay, sinkNames }: { workers: Workers; relay: Relay; sinkNames: readonly string[] },
): void {
  const onFailed = () => {
    if (gate.isAlive()) relay.sweepSoon();
  };
  const never = new AbortController().signal;
  queues.work(HITS_QUEUE, {
    concurrency: 4,
    handle: (data) => workers.foldAlert((data as { alertId: string }).alertId),
    onFailed,
  });
  for (const sink of sinkNames) {
    queues.work(deliveriesQueue(sink), {
      concurrency: 4,
      handle: (data) => workers.attempt(data as { deliveryId: string; attemptNo: number }, never),
      onFailed,
    });
  }
}

/** What `checkQueueOnce` of the daemon does for the direct path. */
async function watchQueue(
  of: { queues: JobQueues; queueState: { awaySince: number | null }; clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await of.queues.check();
      of.queueState.awaySince = null;
    } catch {
      of.queueState.awaySince ??= of.clock.now();
    }
    await sleep(QUEUE_CHECK_MS, signal);
  }
}

/** What the core may say of this without being wrong: the store was away. */
const EXPECTED = /^chain interrupted, trying again: Connection terminated unexpectedly$/;
const BUGS = /chain (stopped|interrupted)|assertion failed|duplicate key|Cannot read properties|is not a function/;

/** Logs of the core end in the history; one that tells of a bug is a finding. */
export function createHistoryLog(note: (line: string) => void, onBug: (text: string) => void): Log {
  const write = (level: string) => (facts: object, message: string) => {
    const text = "error" in facts ? `${message}: ${describeError(facts.error)}` : message;
    note(`${level} ${text}`);
    if (BUGS.test(text) && !EXPECTED.test(text)) onBug(text);
  };
  return { debug: () => undefined, info: write("info"), warn: write("warn"), error: write("error") };
}
