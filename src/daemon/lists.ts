/** Watchlists, own addresses and tokens: as files tell them, and as they are matched. */
import { normalizeAddress } from "../chains/registry.ts";
import { ConfigError } from "../lib/errors.ts";
import type { StoredHead } from "../store/watch-reading.ts";
import type { StoredWatch } from "../store/watch-store.ts";
import type { Asset, ChainId } from "../types/chain.ts";
import type { ChainConfig, Config } from "../types/config.ts";
import type { PriceFeeds } from "../types/price-feeds.ts";
import type { TokenList } from "../types/tokens.ts";
import type { WatchEntry, Watchlist } from "../types/watch.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { bookVersion } from "../watchlist/changed-watchlist.ts";
import { type LoadedEntry, type LoadedList, type LoadResult, loadWatchlists } from "../watchlist/load.ts";
import type { OwnIndex } from "../watchlist/own-index.ts";
import { loadPriceFeeds } from "../watchlist/price-feeds.ts";
import { loadOwn } from "../watchlist/own.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { createWatchlist, type WatchlistSnapshot } from "../watchlist/snapshot.ts";
import { loadTokens } from "../watchlist/tokens.ts";

export interface Lists {
  readonly watchlist: Watchlist;
  readonly own: OwnIndex;
  readonly tokens: TokenList;
  readonly tokenCount: number;
  /** Entries that are really matched, by their own chain, followed or not: what may be called watched. */
  readonly watchedOn: ReadonlyMap<ChainId, number>;
  /** Ids in `watchlists.enable` that name no list and no incident: most likely a typing error. */
  readonly unknownEnable: readonly string[];
  /** Of the store's watchlists; 0: made from files alone. */
  readonly revision: number;
}

/** With all entries in memory: for commands that look at each of them. */
export interface LoadedLists extends Lists {
  readonly watchlist: WatchlistSnapshot;
  readonly loaded: readonly LoadedList[];
}

/** What people do not change while heistwatch runs: only their files tell it. */
export interface OwnFiles {
  readonly own: OwnIndex;
  readonly tokens: TokenList;
  readonly tokenCount: number;
}

export interface FileLists extends OwnFiles {
  readonly lists: LoadResult;
  /** Null: values are not looked up. Read at the start only. */
  readonly feeds: PriceFeeds | null;
  /** Of own addresses, tokens and price feeds. */
  readonly problems: readonly FileProblem[];
}

export async function readFiles(config: Config): Promise<FileLists> {
  const { watchlists } = config;
  const natives = config.chains.map(nativeAsset);
  const [lists, own, tokens, feeds] = await Promise.all([
    loadWatchlists({
      paths: watchlists.paths,
      normalizeAddress,
      keysOf: (list) => watchlists.rules.get(list)?.keys ?? [],
    }),
    loadOwn({ paths: watchlists.own, normalizeAddress }),
    loadTokens({ path: watchlists.tokens, natives, normalizeAddress }),
    config.prices.feeds === null ? null : loadPriceFeeds(config.prices.feeds, normalizeAddress),
  ]);
  const problems = [...own.problems, ...tokens.problems, ...(feeds?.problems ?? [])];
  return {
    lists,
    own: own.own,
    tokens: tokens.tokens,
    tokenCount: tokens.count,
    feeds: feeds?.feeds ?? null,
    problems,
  };
}

/** From files alone. Throws ConfigError with every problem: a list that is half read would be a hole in coverage. */
export async function loadLists(config: Config): Promise<LoadedLists> {
  const files = await readFiles(config);
  const lists = buildLists(config, { loaded: files.lists.lists, files, revision: 0 });
  refuseProblems([...files.lists.problems, ...files.problems], lists);
  return lists;
}

/** Throws ConfigError where there is something to fix. */
export function refuseProblems(problems: readonly FileProblem[], lists: Lists | null): void {
  const told = [...problems.map(describeProblem), ...unknownEnabled(lists)];
  if (told.length > 0)
    throw new ConfigError(
      ["The lists cannot be used as they are:", ...told.map((problem) => `  ${problem}`)].join("\n"),
    );
}

function unknownEnabled(lists: Lists | null): string[] {
  return (lists?.unknownEnable ?? []).map((id) => `watchlists.enable: no list or incident is called ${id}`);
}

/** What is watched as the store has it, all of it in memory. */
export function listsOfStore(config: Config, { stored, files }: { stored: StoredWatch; files: OwnFiles }): LoadedLists {
  const { enable } = config.watchlists;
  const loaded = asFilesTell(stored.lists).map(
    ({ list, version, file, incident, entries }): LoadedList => ({
      file: file ?? "",
      list,
      version,
      incident,
      entries: entries.map(toLoaded),
    }),
  );
  const lists = buildLists(config, { loaded, files, revision: stored.revision });
  // As a daemon calls it, which has not read its entries.
  const version = bookVersion({ mark: stored.mark, enable, own: files.own });
  return { ...lists, watchlist: { ...lists.watchlist, version } };
}

/** Of one incident, what a file says of it is told, not our first note of it. */
export function asFilesTell<T extends StoredHead>(heads: readonly T[]): T[] {
  const incidents = new Map(heads.filter(({ file }) => file !== null).map(({ incident }) => [incident.id, incident]));
  return heads.map((head) => ({ ...head, incident: incidents.get(head.incident.id) ?? head.incident }));
}

export function toLoaded(entry: WatchEntry): LoadedEntry {
  return { entry, hasAdapter: normalizeAddress(entry.chain, entry.address) !== "noAdapter" };
}

function buildLists(
  config: Config,
  of: { loaded: readonly LoadedList[]; files: OwnFiles; revision: number },
): LoadedLists {
  const { loaded, files, revision } = of;
  const { own, tokens, tokenCount } = files;
  const watchlist = createWatchlist({ lists: loaded, own, enable: config.watchlists.enable });
  const { watchedOn, unknownEnable } = watchlist;
  return { watchlist, loaded, own, tokens, tokenCount, watchedOn, unknownEnable, revision };
}

function nativeAsset({ id, native }: ChainConfig): Asset {
  return {
    id: `${id}/slip44:${native.slip44}`,
    symbol: native.symbol,
    decimals: native.decimals,
    listed: true,
    dustBelow: native.dustBelow,
  };
}
