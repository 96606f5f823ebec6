/** What the store's changes of watchlists need of the stages beside it. */
import { retellHit } from "../match/retell.ts";
import type { ApplyPorts } from "../store/watch-apply.ts";
import type { Config } from "../types/config.ts";
import { entryDigest } from "../watchlist/import-rules.ts";
import { isMatched, toIncident } from "../watchlist/snapshot.ts";

export function watchPorts(config: Config): ApplyPorts {
  const enabled = new Set(config.watchlists.enable);
  return { retell: retellHit, entryDigest, toIncident, isMatched: (entry) => isMatched(entry, enabled) };
}
