/** What the store's changes of watchlists need of the stages beside it. */
import { addressesOfHit, retellHit } from "../match/retell.ts";
import { addWanted, type WantedPast } from "../store/retro-wanted.ts";
import type { ApplyPorts } from "../store/watch-apply.ts";
import type { RetellPorts } from "../store/watch-hits.ts";
import type { Config } from "../types/config.ts";
import type { WatchedEntry } from "../types/watch-change.ts";
import { isMatchedOn } from "../watchlist/matched-on.ts";
import { entryDigest } from "../watchlist/import-rules.ts";
import { NO_OWN } from "../watchlist/own-index.ts";
import { createWatchlist, isMatched } from "../watchlist/snapshot.ts";
import { asFilesTell, toLoaded } from "./lists.ts";

/**
 * The past of what a person adds is read at once, on each followed chain where it is matched. A file may bring thousands of
 * entries with years behind them: theirs is read when somebody asks (`retro start`).
 */
function pastsOf({ entry, joinAt, revision }: WatchedEntry, { chains }: Config): WantedPast[] {
  if (entry.addedBy === undefined) return [];
  return chains
    .filter(({ id }) => isMatchedOn(entry, id))
    .map(({ id }) => ({
      chain: id,
      entryId: entry.id,
      address: entry.address,
      incident: entry.incident,
      joinAt: id === entry.chain ? joinAt : null,
      revision,
    }));
}

/** `enable`: lists or incidents whose `default: off` entries are matched too. */
export function retellPorts(enable: readonly string[]): RetellPorts {
  return {
    addressesOfHit,
    retell: retellHit,
    watchlistOf(heads, entries) {
      const byList = Map.groupBy(entries, ({ list }) => list);
      const lists = asFilesTell(heads).map(({ list, version, file, incident }) => ({
        file: file ?? "",
        list,
        version,
        incident,
        entries: (byList.get(list) ?? []).map((entry) => toLoaded({ ...entry, listVersion: version })),
      }));
      return createWatchlist({ lists, own: NO_OWN, enable });
    },
  };
}

export function watchPorts(config: Config): ApplyPorts {
  const enabled = new Set(config.watchlists.enable);
  return {
    ...retellPorts(config.watchlists.enable),
    entryDigest,
    isMatched: (entry) => isMatched(entry, enabled),
    onWatched: (trx, watched) =>
      addWanted(
        trx,
        watched.flatMap((one) => pastsOf(one, config)),
      ),
  };
}
