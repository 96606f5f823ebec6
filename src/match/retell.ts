/** A stored hit as its addresses' entries tell it now. Pure. */
import type { Address } from "../types/chain.ts";
import { ENTRY_RULES, type EntryMatch, type Hit } from "../types/hit.ts";
import type { Watchlist } from "../types/watch.ts";
import { matchesAt, type Place, placesOf, recordedOnly } from "./hit-of.ts";
import { isReached, strongestOf } from "./match-utxo.ts";

export interface CurrentEntries {
  /** Ids of those that changed. What a hit says of others stays as it is told. */
  readonly changed: ReadonlySet<string>;
  /** Of the hit's addresses at least. */
  readonly watchlist: Pick<Watchlist, "entriesOf" | "incidents">;
}

/** Whose entries tell the hit: those of its parties, and of what it was matched by. */
export function addressesOfHit(hit: Hit): Address[] {
  const places = [...sendersOf(hit), ...placesOf(hit.transfer)];
  return [...new Set([...places, ...hit.matches.map(({ entry }) => entry)].map(({ address }) => address))];
}

/**
 * With every entry that names the movement now: one listed since it was stored takes the place of one that is gone.
 * Null: no entry names it any more. Its id and its alert stay what they were.
 */
export function retellHit(hit: Hit, { changed, watchlist }: CurrentEntries): Hit | null {
  const context = { chain: hit.chain, watchlist, ...(hit.at === undefined ? {} : { at: hit.at }) };
  const told = new Map(hit.matches.filter(({ entry }) => !changed.has(entry.id)).map((match) => [keyOf(match), match]));
  const at = (place: Place) => matchesAt(place, context).map((match) => told.get(keyOf(match)) ?? match);
  const senders = strongestOf(sendersOf(hit).flatMap(at));
  const now = [...senders, ...placesOf(hit.transfer).flatMap(at)].filter((match) => isReached(hit.transfer, match));
  const found = new Set(now.map(keyOf));
  const matches = [...now, ...[...told].flatMap(([key, match]) => (found.has(key) ? [] : [match]))];
  if (matches.length === 0) return null;
  const { transfer, asset, own } = hit;
  const recorded = recordedOnly({ transfer, asset, matches, ownTouched: own !== null });
  const isOverruled = hit.promoted === true && recorded !== null && !ENTRY_RULES.has(recorded.rule);
  return { ...hit, matches, recordedOnly: isOverruled ? null : recorded };
}

/** Those who paid an output are in other inputs of its transaction: of them the hit knows what it was matched by. */
function sendersOf({ transfer, matches }: Hit): Place[] {
  if (transfer.from !== null) return [];
  const paying = matches.filter(({ side }) => side === "from");
  const places = paying.map(({ entry: { address }, basis }) => ({ side: "from" as const, address, basis }));
  return [...new Map(places.map((place) => [`${place.address} ${place.basis}`, place])).values()];
}

function keyOf({ side, entry }: EntryMatch): string {
  return `${side} ${entry.id}`;
}
