/** The scan of the past wired to store, queue, nodes and lists: in the daemon and in `heistwatch worker` alike. */
import type { Clock } from "../lib/clock.ts";
import { digestOf } from "../lib/canonical-json.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { createWaker } from "../lib/waker.ts";
import type { Logger } from "pino";
import type { JobQueues } from "../queue/bull-queues.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { Db } from "../store/database.ts";
import { type NamedList, recordList } from "../store/list-members.ts";
import { createRetroClaims } from "../store/retro-claims.ts";
import { createWantedStore } from "../store/retro-wanted.ts";
import { createRetroStore } from "../store/retro-store.ts";
import type { ChainAdapter } from "../types/chain.ts";
import type { Config } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import { RETRO_QUEUE } from "../types/queue-names.ts";
import type { Valuer } from "../types/valuer.ts";
import type { Alarms } from "./alarms.ts";
import type { Lists } from "./lists.ts";
import type { LiveLists } from "./live-lists.ts";
import { isEvm } from "../watchlist/matched-on.ts";
import type { Metrics } from "./metrics.ts";
import { createRetro } from "./retro.ts";
import { createRetroReader, type ListSource, type ReadChain } from "./retro-reader.ts";
import { createRetroService, type RetroService } from "./retro-service.ts";

export interface RetroParts {
  readonly db: Db;
  readonly queues: JobQueues;
  readonly chains: readonly ReadChain[];
  readonly lists: ListSource;
  /** Who says what hits of the past were worth; null: nobody. */
  readonly valuer: Valuer | null;
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Hits were stored: alerts have to be folded. */
  readonly onWork: () => void;
  readonly onFailed: () => void;
  readonly onRound: () => Promise<void>;
}

export function createRetroParts(parts: RetroParts): RetroService {
  const claims = createRetroClaims(parts.db);
  const reader = createRetroReader({
    ...parts,
    claims,
    onStored: ({ chain, blocks, fresh }) => {
      parts.metrics.past(chain, { blocks, hits: fresh });
      if (fresh > 0) parts.onWork();
      service.wake();
    },
  });
  const service: RetroService = createRetroService({
    ...parts,
    claims,
    reader,
    chains: parts.chains.map(({ config }) => config.id),
  });
  return service;
}

export interface DaemonRetroParts extends Omit<RetroParts, "chains" | "log" | "onFailed" | "onRound"> {
  readonly log: Logger;
  readonly config: Config;
  /** In the order of the configuration's chains. */
  readonly pools: readonly ChainAdapter[];
  readonly alerts: AlertStore;
  readonly alarms: Alarms;
}

/** Beside its live chains a daemon reads the past, tells what ended, and says what stands still. */
export function createDaemonRetro({ config, pools, alerts, alarms, ...parts }: DaemonRetroParts): RetroService {
  const shared = {
    ...parts,
    chains: config.chains.map((chain, index) => ({ config: chain, adapter: pools[index] as ChainAdapter })),
    log: parts.log.child({ stage: "retro" }),
  };
  const retro = createRetro({
    ...shared,
    store: createRetroStore(parts.db),
    wanted: createWantedStore(parts.db),
    alerts,
    sinks: config.sinks.alerts.map(({ name }) => name),
    alarms,
  });
  return createRetroParts({
    ...shared,
    onFailed: () => parts.metrics.jobFailed(RETRO_QUEUE),
    onRound: () => retro.look(),
  });
}

const RETRY_MS = 2_000;
const LOOK_MS = 60_000;

interface RecordListsDeps {
  readonly db: Db;
  readonly live: LiveLists;
  /** CAIP-2 ids. */
  readonly followed: readonly string[];
  /** `watchlists.enable`. */
  readonly enable: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes down what each list of this process names, from the one in force at the start on. */
export async function recordLists(deps: RecordListsDeps, signal: AbortSignal): Promise<void> {
  const waker = createWaker();
  deps.live.onChange(() => waker.wake(), signal);
  let recorded: Lists | null = null;
  while (!signal.aborted) {
    const lists = deps.live.current();
    if (lists !== recorded) await recordOne(deps, lists, signal);
    recorded = lists;
    await waker.wait(LOOK_MS, signal);
  }
}

/**
 * What is written down of a list: whom it names on the followed chains, and on those that it lists addresses of. Throws the
 * signal's reason when it is asked later than that: ten million addresses take longer than a stop may.
 */
export function membersOf(
  { watchlist, watchedOn, revision }: Lists,
  { followed, enable }: Pick<RecordListsDeps, "followed" | "enable">,
  signal: AbortSignal,
): NamedList {
  const listedOn = [...watchedOn.keys()];
  const names = (chain: string, address: string) => {
    signal.throwIfAborted();
    return watchlist.entriesOf(chain, address).length > 0;
  };
  return {
    version: watchlist.version,
    chains: [...new Set([...followed, ...listedOn])],
    *addressesOf(chain: string) {
      for (const address of watchlist.addresses.addressesOf(chain)) {
        signal.throwIfAborted();
        yield address;
      }
      // Also the accounts that are listed on another chain and matched here.
      for (const other of listedOn.filter((one) => one !== chain && isEvm(one) && isEvm(chain)))
        for (const address of watchlist.addresses.addressesOf(other)) if (names(chain, address)) yield address;
    },
    names,
    madeFrom: { revision, basis: digestOf({ followed: followed.toSorted(), enable: enable.toSorted() }) },
  };
}

/** However long the store takes. */
async function recordOne(deps: RecordListsDeps, lists: Lists, signal: AbortSignal): Promise<void> {
  const { db, clock, log } = deps;
  const named = membersOf(lists, deps, signal);
  while (!signal.aborted) {
    try {
      return await recordList(db, named, clock.now());
    } catch (error) {
      if (signal.aborted) return;
      log.warn(
        { error: redactText(describeError(error)) },
        "the list's members are not written down yet, trying again",
      );
      await sleep(RETRY_MS, signal);
    }
  }
}
