/** One chain's line: its loop wired to store, matcher, metrics and alarms. */
import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import { createWaker } from "../lib/waker.ts";
import { matchBlock, matchTransfers } from "../match/match-block.ts";
import type { Relay } from "../queue/relay.ts";
import { createChainStore } from "../store/chain-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createLeases } from "../store/leases.ts";
import { createPendingStore } from "../store/pending-store.ts";
import type { ChainAdapter } from "../types/chain.ts";
import type { ChainConfig } from "../types/config.ts";
import { watchChain } from "./alarm-rules.ts";
import type { Alarms } from "./alarms.ts";
import { createLine, type Line } from "./line.ts";
import type { Lists } from "./lists.ts";
import type { Metrics } from "./metrics.ts";

export interface ChainLineParts {
  readonly adapter: ChainAdapter;
  readonly store: OpenStore;
  readonly lists: Lists;
  /** This daemon, in leases. */
  readonly holder: string;
  readonly relay: Relay;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly alarms: Alarms;
}

export function createChainLine(chain: ChainConfig, parts: ChainLineParts): Line {
  const { adapter, store, lists, holder, relay, clock, metrics, alarms } = parts;
  const lookedFor = { chain: chain.id, watchlist: lists.watchlist, tokens: lists.tokens };
  return createLine({
    name: chain.name,
    chain: chain.id,
    holder,
    adapter,
    store: createChainStore(store.db),
    leases: createLeases(store.db),
    start: chain.start,
    windowDepth: chain.windowDepth,
    match: (block) => matchBlock(block, lookedFor),
    watched: lists.watchlist.addresses,
    listVersion: lists.watchlist.version,
    clock,
    waker: createWaker(),
    log: parts.log.child({ stage: "ingest", chain: chain.name }),
    onStatus: (status) => {
      metrics.chainStatus(chain.name, status);
      watchChain(alarms, chain, status);
    },
    onCommitted: (what) => {
      metrics.committed(chain.name, what);
      if (what.hits > 0 || what.reorgDepth > 0 || what.blocks === 0) relay.wake();
    },
    mempool:
      adapter.mempool === undefined
        ? null
        : {
            source: adapter.mempool,
            store: createPendingStore(store.db),
            match: (transfers) => matchTransfers(transfers, lookedFor),
            watched: lists.watchlist.addresses,
            waker: createWaker(),
            onStatus: (status) => metrics.mempool(chain.name, status),
            onCommitted: () => relay.wake(),
          },
    onLeader: (epoch) => metrics.leader(chain.name, epoch),
    onFenced: () => metrics.fencedWrite(chain.name),
  });
}
