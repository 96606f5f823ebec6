/** What the store's changes of watchlists need of the stages beside it. */
import { retellHit } from "../match/retell.ts";
import { addWanted, type WantedPast } from "../store/retro-wanted.ts";
import type { ApplyPorts } from "../store/watch-apply.ts";
import type { Config } from "../types/config.ts";
import type { WatchedEntry } from "../types/watch-change.ts";
import { isMatchedOn } from "../watchlist/matched-on.ts";
import { entryDigest } from "../watchlist/import-rules.ts";
import { isMatched, toIncident } from "../watchlist/snapshot.ts";

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

export function watchPorts(config: Config): ApplyPorts {
  const enabled = new Set(config.watchlists.enable);
  return {
    retell: retellHit,
    entryDigest,
    toIncident,
    isMatched: (entry) => isMatched(entry, enabled),
    onWatched: (trx, watched) =>
      addWanted(
        trx,
        watched.flatMap((one) => pastsOf(one, config)),
      ),
  };
}
