/**
 * Checked entries and own addresses to one immutable `Watchlist`: the index every block is matched with.
 * `default: never` and the roles of victims are never in it, whatever is enabled.
 *
 * A list in memory becomes one at once. A list of any size goes by entry by entry into a file, while the event loop runs;
 * from the file it opens again without its entries.
 */
import { canonicalJson } from "../lib/canonical-json.ts";
import { hashId } from "../lib/ids.ts";
import { createPauses, inSlices, runThrough } from "../lib/slices.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";
import type { Incident, WatchEntry, Watchlist } from "../types/watch.ts";
import { type EntryIndex, openEntryIndex } from "./entry-index.ts";
import { createEntryIndexBuilder, type EntryIndexBuilder } from "./entry-index-builder.ts";
import { compareEntries } from "./entry-record.ts";
import { createFileStorage, createMemoryStorage, openFileStorage } from "./entry-storage.ts";
import type { LoadedEntry, LoadedList } from "./load.ts";
import type { OwnIndex } from "./own-index.ts";
import { compareText } from "./problems.ts";

export interface WatchlistOptions {
  readonly lists: readonly LoadedList[];
  readonly own: OwnIndex;
  /** List or incident ids whose `default: off` entries are watched too. */
  readonly enable: readonly string[];
}

/** A list without its entries. */
export interface ListHead {
  readonly list: string;
  readonly incident: IncidentInput;
}

export interface BuildOptions {
  /** Replaced as a whole when the list is ready; whoever has the old one open keeps it. */
  readonly file: string;
  /** Every list that an entry is of. */
  readonly lists: readonly ListHead[];
  /** In any order: read once, never held together. */
  readonly entries: Iterable<LoadedEntry> | AsyncIterable<LoadedEntry>;
  /** At most so many entries come, those that are admitted later included. */
  readonly count: number;
  readonly own: OwnIndex;
  readonly enable: readonly string[];
  /** What it is made from, in the words of whoever opens it again. */
  readonly stamp?: string;
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
  /** Matched entries, by their own chain. */
  readonly watchedOn: ReadonlyMap<ChainId, number>;
  /** As it was built with. */
  readonly stamp: string;
  /** See EntryIndex. */
  readonly room: number;
  admit(chain: ChainId, address: Address): void;
  /** It is asked nothing any more: a replaced file's space is free at once, not when the last reference to it is gone. */
  close(): void;
}

export function createWatchlist({ lists, own, enable }: WatchlistOptions): WatchlistSnapshot {
  const entries = lists.flatMap((list) => list.entries).toSorted((a, b) => compareEntries(a.entry, b.entry));
  const storage = createMemoryStorage();
  const builder = createEntryIndexBuilder<Facts>({ count: entries.length, storage });
  const intake = createIntake({ lists, enable, stamp: "", builder });
  for (const entry of entries) intake.add(entry);
  return watchlistOn(runThrough(intake.finish()), own);
}

/** Rejects with the signal's reason when it is aborted, and with whatever reading the entries throws; nothing is left then. */
export async function buildWatchlist(options: BuildOptions, signal: AbortSignal): Promise<WatchlistSnapshot> {
  const { file, lists, entries, count, own, enable, stamp = "" } = options;
  const storage = createFileStorage(file);
  try {
    const intake = createIntake({ lists, enable, stamp, builder: createEntryIndexBuilder({ count, storage }) });
    const pause = createPauses(signal);
    for await (const entry of entries) {
      intake.add(entry);
      await pause();
    }
    return watchlistOn(await inSlices(intake.finish(), signal), own);
  } catch (error) {
    storage.close();
    throw error;
  }
}

/** What `buildWatchlist` left in the file. Throws ConfigError when it is missing, foreign, cut or changed. */
export async function openWatchlist(
  { file, own }: Pick<BuildOptions, "file" | "own">,
  signal: AbortSignal,
): Promise<WatchlistSnapshot> {
  const storage = openFileStorage(file);
  try {
    return watchlistOn(await inSlices(openEntryIndex<Facts>(storage), signal), own);
  } catch (error) {
    storage.close();
    throw error;
  }
}

/** What is known of the entries as a whole, kept with them. */
interface Facts {
  readonly incidents: readonly Incident[];
  readonly summary: readonly IncidentSummary[];
  readonly unknownEnable: readonly string[];
  readonly watchedOn: readonly (readonly [chain: ChainId, count: number])[];
  readonly stamp: string;
}

interface Intake {
  add(entry: LoadedEntry): void;
  finish(): Generator<void, EntryIndex<Facts>>;
}

interface IntakeOptions {
  readonly lists: readonly ListHead[];
  readonly enable: readonly string[];
  readonly stamp: string;
  readonly builder: EntryIndexBuilder<Facts>;
}

/** Hands the builder what is watched, and counts the rest. */
function createIntake({ lists, enable, stamp, builder }: IntakeOptions): Intake {
  const enabled = new Set(enable);
  const incidents = incidentsOf(lists);
  const counts = new Map<string, Counts>();
  const watchedOn = new Map<ChainId, number>();
  return {
    add({ entry, hasAdapter }) {
      const state = stateOf(entry, enabled);
      countEntry(counts, entry.incident, { state, hasAdapter });
      if (state !== "watched") return;
      builder.add(entry);
      watchedOn.set(entry.chain, (watchedOn.get(entry.chain) ?? 0) + 1);
    },
    finish: () =>
      builder.finish({
        incidents: [...incidents.values()],
        summary: summaryOf(incidents, counts),
        unknownEnable: unknownIn(enable, lists),
        watchedOn: [...watchedOn],
        stamp,
      }),
  };
}

/** Ids in `enable` that name no list and no incident. */
export function unknownIn(enable: readonly string[], lists: readonly ListHead[]): string[] {
  return [...new Set(enable)].filter((id) => !lists.some((one) => one.list === id || one.incident.id === id));
}

function watchlistOn(index: EntryIndex<Facts>, own: OwnIndex): WatchlistSnapshot {
  const { incidents, summary, unknownEnable, watchedOn, stamp } = index.facts;
  const { addresses, count, room, admit, entriesOf, close } = index;
  return {
    version: versionOf(index, own),
    incidents: new Map(incidents.map((incident) => [incident.id, incident])),
    entriesOf,
    ownOf: own.of,
    addresses,
    watchedCount: count,
    summary,
    unknownEnable,
    watchedOn: new Map(watchedOn),
    stamp,
    room,
    admit,
    close,
  };
}

type State = "watched" | "off" | "never";

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
function toIncident(incident: IncidentInput): Incident {
  const { id, name, kind, date, attribution, attributionBasis, disputed } = incident;
  return { id, name, kind, date, attribution, attributionBasis, disputed };
}

/** By id; told by the first list of an incident. */
export function incidentsOf(lists: readonly ListHead[]): Map<string, Incident> {
  const incidents = new Map<string, Incident>();
  for (const { incident } of lists.toSorted((a, b) => compareText(a.list, b.list))) {
    if (!incidents.has(incident.id)) incidents.set(incident.id, toIncident(incident));
  }
  return incidents;
}

interface Counts {
  watched: number;
  off: number;
  never: number;
  noAdapter: number;
}

function countEntry(counts: Map<string, Counts>, incident: string, what: { state: State; hasAdapter: boolean }): void {
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

/**
 * The content's hash: everything an alert can tell about a match, in an order of its own. The order of files, rows and
 * keys changes nothing; a changed label or customer does, because blocks matched before tell it differently.
 */
function versionOf({ digest, facts }: EntryIndex<Facts>, own: OwnIndex): string {
  const involved = facts.summary.filter(({ watched }) => watched > 0);
  const lines = involved.map(({ incident }) => `incident ${canonicalJson(incident)}`);
  return hashId("wl", [`entries ${digest}`, ...lines.toSorted(compareText), `own ${own.digest}`]);
}
