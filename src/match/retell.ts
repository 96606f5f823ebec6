/** A stored hit as changed entries tell it. Pure. */
import { ENTRY_RULES, type EntryMatch, type Hit } from "../types/hit.ts";
import type { Incident, WatchEntry } from "../types/watch.ts";
import { endedOf, isWatchedAsSender, recordedOnly } from "./hit-of.ts";

/** What became of an entry: as it is matched now, null when it is not matched any more. */
export interface ChangedEntry {
  readonly entry: WatchEntry;
  readonly incident: Incident;
}
export type ChangedEntries = ReadonlyMap<string, ChangedEntry | null>;

/** Null: no entry names this movement any more. Its id and its alert stay what they were. */
export function retellHit(hit: Hit, changed: ChangedEntries): Hit | null {
  const matches = hit.matches.flatMap((match): EntryMatch[] => {
    const now = changed.get(match.entry.id);
    if (now === undefined) return [match];
    if (now === null || (match.side === "from" && !isWatchedAsSender(now.entry))) return [];
    const { ended: _ended, ...rest } = match;
    return [{ ...rest, ...now, ...endedOf(now.entry, hit.at) }];
  });
  if (matches.length === 0) return null;
  const { transfer, asset, own } = hit;
  const recorded = recordedOnly({ transfer, asset, matches, ownTouched: own !== null });
  const isOverruled = hit.promoted === true && recorded !== null && !ENTRY_RULES.has(recorded.rule);
  return { ...hit, matches, recordedOnly: isOverruled ? null : recorded };
}
