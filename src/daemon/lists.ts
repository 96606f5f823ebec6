/** Watchlists, own addresses and tokens as the configuration names them; every problem of every file at once. */
import { normalizeAddress } from "../chains/registry.ts";
import { ConfigError } from "../lib/errors.ts";
import type { Asset, ChainId } from "../types/chain.ts";
import type { ChainConfig, Config } from "../types/config.ts";
import type { TokenList } from "../types/tokens.ts";
import type { OwnAddress } from "../types/watch.ts";
import { type LoadedList, loadWatchlists } from "../watchlist/load.ts";
import { loadOwn } from "../watchlist/own.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { createWatchlist, type WatchlistSnapshot } from "../watchlist/snapshot.ts";
import { loadTokens } from "../watchlist/tokens.ts";

export interface Lists {
  readonly watchlist: WatchlistSnapshot;
  readonly loaded: readonly LoadedList[];
  readonly own: readonly OwnAddress[];
  readonly tokens: TokenList;
  readonly tokenCount: number;
  /** Entries that are really matched, by followed chain: what may be called watched. */
  readonly watchedOn: ReadonlyMap<ChainId, number>;
}

/** Throws ConfigError with every problem: a list that is half read would be a hole in coverage. */
export async function loadLists(config: Config): Promise<Lists> {
  const { watchlists } = config;
  const natives = config.chains.map(nativeAsset);
  const [lists, own, tokens] = await Promise.all([
    loadWatchlists({ paths: watchlists.paths, normalizeAddress }),
    loadOwn({ paths: watchlists.own, normalizeAddress }),
    loadTokens({ path: watchlists.tokens, natives, normalizeAddress }),
  ]);
  const problems = [...lists.problems, ...own.problems, ...tokens.problems].map(describeProblem);
  const watchlist = createWatchlist({ lists: lists.lists, own: own.own, enable: watchlists.enable });
  for (const id of watchlist.unknownEnable) problems.push(`watchlists.enable: no list or incident is called ${id}`);
  if (problems.length > 0)
    throw new ConfigError(
      ["The lists cannot be used as they are:", ...problems.map((problem) => `  ${problem}`)].join("\n"),
    );
  const entries = lists.lists.flatMap((list) => list.entries.map(({ entry }) => entry));
  const watchedOn = new Map(
    config.chains.map(({ id }) => [
      id,
      entries.filter(
        (entry) => entry.chain === id && watchlist.entriesOf(id, entry.address).some((one) => one.id === entry.id),
      ).length,
    ]),
  );
  return { watchlist, loaded: lists.lists, own: own.own, tokens: tokens.tokens, tokenCount: tokens.count, watchedOn };
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
