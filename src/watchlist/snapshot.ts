/**
 * Checked lists and own addresses to one immutable `Watchlist`: the index every block is matched with.
 * `default: never` and the roles of victims are never in it, whatever is enabled.
 */
import { canonicalJson } from "../lib/canonical-json.ts";
import { hashId } from "../lib/ids.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { Incident, OwnAddress, WatchEntry, Watchlist } from "../types/watch.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";
import type { LoadedList } from "./load.ts";
import { compareText } from "./problems.ts";
import { createWatchedTable } from "./watched-table.ts";

export interface WatchlistOptions {
  readonly lists: readonly LoadedList[];
  readonly own: readonly OwnAddress[];
  /** List or incident ids whose `default: off` entries are watched too. */
  readonly enable: readonly string[];
}

/** What `check` prints for an incident. `watched + off + never` is every entry; `noAdapter` counts within `watched`. */
export interface IncidentSummary {
  readonly incident: Incident;
  readonly watched: number;
  readonly off: number;
  readonly never: number;
  /** Watched in word only: no adapter reads their chain yet. */
  readonly noAdapter: number;
}

export interface WatchlistSnapshot extends Watchlist {
  /** By incident id. */
  readonly summary: readonly IncidentSummary[];
  /** Ids in `enable` that name no list and no incident: most likely a typing error. */
  readonly unknownEnable: readonly string[];
}

type Index<T> = Map<ChainId, Map<Address, T>>;
type State = "watched" | "off" | "never";

export function createWatchlist(options: WatchlistOptions): WatchlistSnapshot {
  const enabled = new Set(options.enable);
  const lists = options.lists.toSorted((a, b) => compareText(a.list, b.list));
  const incidents = new Map<string, Incident>();
  const index: Index<WatchEntry[]> = new Map();
  const counts = new Map<string, Counts>();
  const matched: WatchEntry[] = [];
  for (const list of lists) {
    if (!incidents.has(list.incident.id)) incidents.set(list.incident.id, toIncident(list.incident));
    for (const { entry, hasAdapter } of list.entries) {
      const state = stateOf(entry, enabled);
      count(counts, entry.incident, { state, hasAdapter });
      if (state !== "watched") continue;
      matched.push(entry);
      addTo(index, entry);
    }
  }
  const own = indexOwn(options.own);
  return {
    version: versionOf({ matched, incidents, own: options.own }),
    incidents,
    entriesOf: (chain, address) => index.get(chain)?.get(address) ?? NO_ENTRIES,
    ownOf: (chain, address) => own.get(chain)?.get(address) ?? null,
    addresses: createWatchedTable(index),
    watchedCount: matched.length,
    summary: summaryOf(incidents, counts),
    unknownEnable: [...enabled].filter((id) => !lists.some((list) => list.list === id || list.incident.id === id)),
  };
}

const NO_ENTRIES: readonly WatchEntry[] = Object.freeze([]);

/** The files refuse these roles with another default; a list made by code gets the same answer here. */
const NEVER_ROLES: ReadonlySet<string> = new Set(["victim", "victim_contract", "restrained_funds"]);

/** Whether blocks are matched with the entry. */
export function isMatched(entry: WatchEntry, enabled: ReadonlySet<string>): boolean {
  return stateOf(entry, enabled) === "watched";
}

function stateOf(entry: WatchEntry, enabled: ReadonlySet<string>): State {
  if (entry.default === "never" || NEVER_ROLES.has(entry.role)) return "never";
  if (entry.default === "on") return "watched";
  return enabled.has(entry.list) || enabled.has(entry.incident) ? "watched" : "off";
}

/** What alerts tell of an incident. */
export function toIncident(incident: IncidentInput): Incident {
  const { id, name, kind, date, attribution, attributionBasis, disputed } = incident;
  return { id, name, kind, date, attribution, attributionBasis, disputed };
}

function addTo(index: Index<WatchEntry[]>, entry: WatchEntry): void {
  const ofChain = chainOf(index, entry.chain);
  const same = ofChain.get(entry.address);
  if (same === undefined) ofChain.set(entry.address, [entry]);
  else same.push(entry);
}

function indexOwn(own: readonly OwnAddress[]): Index<OwnAddress> {
  const index: Index<OwnAddress> = new Map();
  for (const address of own) chainOf(index, address.chain).set(address.address, address);
  return index;
}

function chainOf<T>(index: Index<T>, chain: ChainId): Map<Address, T> {
  let ofChain = index.get(chain);
  if (ofChain === undefined) {
    ofChain = new Map();
    index.set(chain, ofChain);
  }
  return ofChain;
}

interface Counts {
  watched: number;
  off: number;
  never: number;
  noAdapter: number;
}

function count(counts: Map<string, Counts>, incident: string, what: { state: State; hasAdapter: boolean }): void {
  const of = counts.get(incident) ?? { watched: 0, off: 0, never: 0, noAdapter: 0 };
  of[what.state] += 1;
  if (what.state === "watched" && !what.hasAdapter) of.noAdapter += 1;
  counts.set(incident, of);
}

function summaryOf(incidents: ReadonlyMap<string, Incident>, counts: ReadonlyMap<string, Counts>): IncidentSummary[] {
  const none: Counts = { watched: 0, off: 0, never: 0, noAdapter: 0 };
  const summary = [...incidents.values()].map((incident) => ({ incident, ...(counts.get(incident.id) ?? none) }));
  return summary.toSorted((a, b) => compareText(a.incident.id, b.incident.id));
}

interface Content {
  readonly matched: readonly WatchEntry[];
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly own: readonly OwnAddress[];
}

/**
 * The content's hash: everything an alert can tell about a match, in an order of its own. The order of files, rows and
 * keys changes nothing; a changed label or customer does, because blocks matched before tell it differently.
 */
function versionOf(content: Content): string {
  const involved = new Set(content.matched.map((entry) => entry.incident));
  const lines = [
    ...content.matched.map((entry) => `entry ${canonicalJson(entry)}`),
    ...[...content.incidents.values()]
      .filter(({ id }) => involved.has(id))
      .map((incident) => `incident ${canonicalJson(incident)}`),
    ...content.own.map((address) => `own ${canonicalJson(address)}`),
  ];
  return hashId("wl", lines.toSorted(compareText));
}
