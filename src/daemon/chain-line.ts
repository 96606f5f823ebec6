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
import type { Valuer } from "../types/valuer.ts";
import { watchChain } from "./alarm-rules.ts";
import type { Alarms } from "./alarms.ts";
import { createLine, type Line, type LineList } from "./line.ts";
import type { Lists } from "./lists.ts";
import type { LiveLists } from "./live-lists.ts";
import type { Metrics } from "./metrics.ts";

export interface ChainLineParts {
  readonly adapter: ChainAdapter;
  readonly store: OpenStore;
  readonly lists: LiveLists;
  /** Who says what hits are worth; null: nobody. */
  readonly valuer: Valuer | null;
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
  return createLine({
    name: chain.name,
    chain: chain.id,
    holder,
    adapter,
    store: createChainStore(store.db),
    leases: createLeases(store.db),
    start: chain.start,
    windowDepth: chain.windowDepth,
    valuer: parts.valuer ?? undefined,
    lists: {
      current: () => lineList(chain, lists.current(), clock),
      refresh: () => lists.refresh(),
      onChange: (listener, signal) => lists.onChange(listener, signal),
    },
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
            valuer: parts.valuer ?? undefined,
            store: createPendingStore(store.db),
            waker: createWaker(),
            onStatus: (status) => metrics.mempool(chain.name, status),
            onCommitted: () => relay.wake(),
          },
    onLeader: (epoch) => metrics.leader(chain.name, epoch),
    onFenced: () => metrics.fencedWrite(chain.name),
  });
}

function lineList({ id }: ChainConfig, { watchlist, tokens, revision }: Lists, clock: Clock): LineList {
  const lookedFor = { chain: id, watchlist, tokens };
  return {
    match: (block) => matchBlock(block, lookedFor),
    matchPending: (transfers) => matchTransfers(transfers, { ...lookedFor, at: Math.floor(clock.now() / 1_000) }),
    watched: watchlist.addresses,
    listVersion: watchlist.version,
    revision,
  };
}
