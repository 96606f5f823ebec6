/** Watchlists of a running daemon: imported at the start, current for the lines, kept up to date beside them. */
import path from "node:path";
import type { Logger } from "pino";
import { normalizeAddress } from "../chains/registry.ts";
import type { OpenStore } from "../store/database.ts";
import { createReachStore } from "../store/watch-reach.ts";
import { createWatchStore, type WatchStore } from "../store/watch-store.ts";
import type { Config } from "../types/config.ts";
import type { OwnAddress } from "../types/watch.ts";
import type { Service } from "../types/service.ts";
import { createOwnStore } from "../store/own-store.ts";
import { joinOwn, type OwnIndex } from "../watchlist/own-index.ts";
import { createListHygiene } from "./address-hygiene.ts";
import type { Alarms } from "./alarms.ts";
import { fingerprintOf } from "./file-watch.ts";
import { createLiveLists, type LiveLists } from "./live-lists.ts";
import { type FileLists, type Lists, readFiles, refuseProblems } from "./lists.ts";
import { loopService } from "./loop-service.ts";
import type { NamedPool } from "./pools.ts";
import { recentTouches } from "./recent-touches.ts";
import { createWatchDesk, type DeskDeps, type WatchDesk } from "./watch-desk.ts";
import { loadGivenOwn, runGivenOwn } from "./own-given-sync.ts";
import { runOwnDatabase } from "./own-database-sync.ts";
import { importFiles } from "./watch-import.ts";
import { watchPorts } from "./watch-ports.ts";
import { runWatchSync, watchedPaths } from "./watch-sync.ts";

/** What the files said at the start, and how they looked before they were read. */
export interface StartFiles {
  readonly files: FileLists;
  readonly seen: string;
}

/** Throws ConfigError for own addresses and tokens that are wrong; wrong watchlists may be in the store as they were. */
export async function readStartFiles(config: Config): Promise<StartFiles> {
  const seen = await fingerprintOf(watchedPaths(config));
  const files = await readFiles(config);
  if (files.problems.length > 0) refuseProblems([...files.lists.problems, ...files.problems], null);
  return { files, seen };
}

export interface WatchOptions {
  readonly config: Config;
  readonly store: OpenStore;
  readonly start: StartFiles;
  readonly ownDatabase: OwnIndex;
  readonly operationSinks: readonly string[];
  readonly log: Logger;
  readonly now: () => number;
  readonly alarms: Alarms;
  readonly onSwap: (lists: Lists) => void;
}

export interface Watch {
  readonly store: WatchStore;
  readonly live: LiveLists;
  readonly services: readonly Service[];
}

/** Throws ConfigError when a list is wrong and the store holds none to go on with. The signal ends work in the background. */
export async function openWatch(options: WatchOptions, running: AbortSignal): Promise<Watch> {
  const { config, start, ownDatabase, operationSinks, log, now, alarms, onSwap } = options;
  const store = createWatchStore(options.store.db, watchPorts(config));
  const { problems } = start.files.lists;
  if (problems.length > 0 && (await store.revision()) === 0) refuseProblems(problems, null);
  const { rules } = config.watchlists;
  const ownStore = createOwnStore(options.store.db);
  const given = await loadGivenOwn(ownStore, running);
  const own = { database: ownDatabase, given: given.addresses.own };
  const ownAtStart = joinOwn(joinOwn(start.files.own, own.database), own.given);
  let ownNow = () => ownAtStart;
  const isOwn = (chain: string, address: string) => ownNow().of(chain, address) !== null;
  const refusedOf = createListHygiene(() => Promise.resolve(ownNow()));
  const importing = { store, operationSinks, now, log, rules, isOwn, refusedOf };
  await importFiles(start.files.lists, importing);
  const file = path.join(config.dataDir, "watched.entries");
  const live = await createLiveLists(config, { store, files: start.files, own, file, log, onSwap }, running);
  refuseProblems([], live.current());
  ownNow = () => live.current().own;
  const service = loopService("watchlists", (signal) =>
    runWatchSync({ ...importing, config, live, alarms }, start, signal),
  );
  const giving = loopService("own-given", (signal) =>
    runGivenOwn({ store: ownStore, start: given, live, log }, signal),
  );
  const { ownDatabase: database } = config.watchlists;
  if (database === null) return { store, live, services: [service, giving] };
  const { db } = options.store;
  const refreshing = loopService("own-database", (signal) =>
    runOwnDatabase({ database, start: ownDatabase, live, alarms, db, now, log }, signal),
  );
  return { store, live, services: [service, giving, refreshing] };
}

// A node that does not answer must not hold up who adds an address at night.
const CONTRACT_WAIT_MS = 3_000;
// Long enough for a few hundred blocks of an own node; a busy service is over the limits long before.
const TOUCHES_WAIT_MS = 5_000;

/** The desk of a running daemon: it can ask its own nodes. `pools` is empty where no daemon runs. */
export function createDesk(options: {
  readonly config: Config;
  readonly store: OpenStore;
  readonly watch: WatchStore;
  readonly hygieneOf: DeskDeps["hygieneOf"];
  readonly ownOf: (chain: string, address: string) => OwnAddress | null;
  readonly pools: readonly NamedPool[];
  readonly now: () => number;
  readonly onChanged: () => Promise<void>;
}): WatchDesk {
  const { config, pools, hygieneOf, now, onChanged } = options;
  return createWatchDesk({
    store: options.watch,
    reach: createReachStore(options.store.db),
    chains: config.chains.map(({ id, name }) => ({ id, name })),
    normalizeAddress,
    hygieneOf,
    async isContract(chain, address) {
      const pool = pools.find((one) => one.pool.chainId === chain)?.pool;
      return (await pool?.isContract?.(address, AbortSignal.timeout(CONTRACT_WAIT_MS)).catch(() => null)) ?? null;
    },
    async recentTouches(chain, address) {
      const pool = pools.find((one) => one.pool.chainId === chain)?.pool;
      if (pool === undefined) return null;
      return recentTouches(pool, { address, ownOf: options.ownOf }, AbortSignal.timeout(TOUCHES_WAIT_MS));
    },
    operationSinks: config.sinks.operations.map(({ name }) => name),
    now,
    onChanged,
  });
}
