/**
 * What was recorded of a theft through the line: followed, matched, stored, folded and handed to sinks that only keep what
 * they are given. The store is its own and thrown away; no queue is between, so that all is done when a record is done.
 */
import { foldAlert } from "../alerts/fold.ts";
import { runHeadLoop } from "../ingest/head-loop.ts";
import type { ChainStatus } from "../ingest/loop-state.ts";
import { runMempoolLoop } from "../ingest/mempool-loop.ts";
import { systemClock } from "../lib/clock.ts";
import { UnavailableError } from "../lib/errors.ts";
import { createWaker } from "../lib/waker.ts";
import { matchBlock, matchTransfers } from "../match/match-block.ts";
import { createAlertStore } from "../store/alert-store.ts";
import { createChainStore } from "../store/chain-store.ts";
import { migrate, openStore } from "../store/database.ts";
import { createDeliveryStore } from "../store/delivery-store.ts";
import { createLeases } from "../store/leases.ts";
import { createPendingStore } from "../store/pending-store.ts";
import { forgetPlace } from "../store/replayed.ts";
import type { BlockTrust, ChainAdapter, ChainId, Header, PendingTransaction } from "../types/chain.ts";
import type { Lease } from "../types/checkpoint.ts";
import type { ChainConfig, Config } from "../types/config.ts";
import type { Hit } from "../types/hit.ts";
import type { Log } from "../types/log.ts";
import type { Sink } from "../types/sink.ts";
import { foldContext } from "./fold-context.ts";
import type { Lists } from "./lists.ts";
import { sinkNames } from "./parts.ts";
import { openLanes } from "./sink-lanes.ts";
import { createWorkers } from "./workers.ts";

export interface ReplayLineOptions {
  /** Its sinks, routes and policy decide what would be told to whom. */
  readonly config: Config;
  readonly lists: Lists;
  /** Empty; the store is in it. */
  readonly folder: string;
  readonly log: Log;
}

/** What one record led to. */
export interface Replayed {
  readonly hits: readonly Hit[];
  /** One for each message: its body, and the sinks that were given it. */
  readonly told: readonly { readonly body: string; readonly sinks: readonly string[] }[];
}

export interface ReplayLine {
  /** A block of a chain as its nodes tell it, final at once. Throws UnavailableError where they do not have it. */
  block(chain: ChainConfig, of: { adapter: ChainAdapter; number: number }, signal: AbortSignal): Promise<Replayed>;
  /** A transaction of which no block is recorded: told as one that waits. */
  transaction(
    chain: ChainId,
    of: { transaction: PendingTransaction; trust: BlockTrust },
    signal: AbortSignal,
  ): Promise<Replayed>;
  close(): Promise<void>;
}

const HOLDER = "replay";
// Longer than any replay: nobody else is there to take over.
const LEASE_TTL_MS = 86_400_000;
// The block itself and the one that it names as its parent.
const WINDOW_DEPTH = 1;
const BATCH = 50;

export async function openReplayLine({ config, lists, folder, log }: ReplayLineOptions): Promise<ReplayLine> {
  const clock = systemClock;
  const store = await openStore({ databaseUrl: null, dataDir: folder });
  await migrate(store.db);
  const [alerts, deliveries] = [createAlertStore(store.db, config.triage.dueHours), createDeliveryStore(store.db)];
  const leases = createLeases(store.db);
  const given = new Map<string, { body: string; sinks: string[] }>();
  const lanes = openLanes(config.sinks.alerts, { scale: config.delivery.retryScale, clock });
  const workers = createWorkers({
    alerts,
    deliveries,
    fold: (alert, events) => foldAlert(alert, events, foldContext(config)),
    sinks: new Map(sinkNames(config.sinks.alerts).map((name) => [name, keepingSink(name, given)])),
    lanes,
    queuedSinks: sinkNames(config.sinks.alerts),
    retryScale: config.delivery.retryScale,
    clock,
    random: Math.random,
    log,
    onWork: () => undefined,
    onAttempt: () => undefined,
  });
  const { watchlist, tokens } = lists;

  function leaseOf(chain: ChainId): Promise<Lease> {
    return leases
      .acquire({ chain, holder: HOLDER, ttlMs: LEASE_TTL_MS, listVersion: watchlist.version, revision: 0 })
      .then((lease) => lease ?? Promise.reject(new Error(`the chain ${chain} is not free in a store of our own`)));
  }

  async function tellAll(signal: AbortSignal): Promise<Replayed["told"]> {
    given.clear();
    for (;;) {
      const unfolded = await alerts.unfoldedJobs({ olderThan: clock.now() + 1, limit: BATCH });
      for (const { alertId } of unfolded) await workers.foldAlert(alertId);
      const due = await deliveries.due({
        dueBefore: clock.now() + 1,
        limit: BATCH,
        sinks: sinkNames(config.sinks.alerts),
      });
      for (const delivery of due) await workers.send(delivery, signal);
      if (unfolded.length === 0 && due.length === 0) return [...given.values()];
    }
  }

  /** Runs a loop until it says that it is done, or what is wrong. */
  async function until(
    run: (done: (trouble?: string) => void, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const over = new AbortController();
    let wrong: string | null = null;
    await run(
      (trouble) => {
        wrong = trouble ?? wrong;
        over.abort();
      },
      AbortSignal.any([signal, over.signal]),
    );
    signal.throwIfAborted();
    if (wrong !== null) throw new UnavailableError(wrong);
  }

  const loop = { store: createChainStore(store.db), clock, log, listVersion: watchlist.version };
  return {
    async block(chain, { adapter, number }, signal) {
      const header = await adapter.headerAt(number, signal);
      if (header === null) throw new UnavailableError(`no node of ${chain.name} has block ${number}`);
      await forgetPlace(store.db, chain.id);
      const lease = await leaseOf(chain.id);
      let hits: readonly Hit[] = [];
      await until((done, either) => {
        const onStatus = ({ finalizedNumber, cursorNumber, trouble }: ChainStatus) => {
          if (trouble !== null) done(trouble.detail);
          else if (cursorNumber === number && finalizedNumber === number) done();
        };
        const match = (block: Parameters<typeof matchBlock>[0]) => {
          hits = matchBlock(block, { chain: chain.id, watchlist, tokens });
          return hits;
        };
        return runHeadLoop(
          {
            ...loop,
            adapter: onlyBlock(adapter, header),
            lease,
            start: { at: "number", number },
            windowDepth: WINDOW_DEPTH,
            match,
            watched: watchlist.addresses,
            waker: createWaker(),
            onStatus,
            onCommitted: () => undefined,
          },
          either,
        );
      }, signal);
      return { hits, told: await tellAll(signal) };
    },

    async transaction(chain, { transaction, trust }, signal) {
      const lease = await leaseOf(chain);
      const at = Math.floor(clock.now() / 1_000);
      const match = (transfers: PendingTransaction["transfers"]) =>
        matchTransfers(transfers, { chain, watchlist, tokens, at });
      let left = [transaction];
      await until(
        (done, either) =>
          runMempoolLoop(
            {
              ...loop,
              store: createPendingStore(store.db),
              source: {
                trust,
                // What it hands out in one round is stored before it is asked again.
                take: (wants) => {
                  if (left.length === 0) done();
                  const wanted = left.filter(wants);
                  left = [];
                  return Promise.resolve(wanted);
                },
                fateOf: () => Promise.resolve({ at: "pool", transaction }),
                skipped: () => 0,
                onHint: () => undefined,
              },
              blockTimeMs: 0,
              lease,
              match,
              watched: watchlist.addresses,
              waker: createWaker(),
              onStatus: () => undefined,
              onCommitted: () => undefined,
            },
            either,
          ),
        signal,
      );
      return { hits: match(transaction.transfers), told: await tellAll(signal) };
    },

    async close() {
      await store.close();
    },
  };
}

/** A chain that ends with this block, which is final; of what is below it only the parent's hash is known. */
function onlyBlock(adapter: ChainAdapter, header: Header): ChainAdapter {
  const { number, parentHash: hash } = header;
  const parent: Header = { ...header, number: number - 1, hash, parentHash: "" };
  return {
    family: adapter.family,
    chainId: adapter.chainId,
    blockTimeMs: adapter.blockTimeMs,
    normalizeAddress: (text) => adapter.normalizeAddress(text),
    headNumber: () => Promise.resolve(number),
    finalizedNumber: () => Promise.resolve(number),
    headerAt: (at) => Promise.resolve(at === number ? header : at === number - 1 ? parent : null),
    blockOf: (of, signal, wanted) => adapter.blockOf(of, signal, wanted),
    close: () => adapter.close(),
  };
}

function keepingSink(name: string, given: Map<string, { body: string; sinks: string[] }>): Sink {
  return {
    name,
    kind: "replay",
    keepsState: false,
    describe: () => "kept for the replay",
    send({ webhookId, body }) {
      const message = given.get(webhookId) ?? { body, sinks: [] };
      given.set(webhookId, { ...message, sinks: [...message.sinks, name] });
      return Promise.resolve({ result: "delivered", status: null, excerpt: "" });
    },
    close: () => Promise.resolve(),
  };
}
