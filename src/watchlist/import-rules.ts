/**
 * A list as its file tells it now, against what is watched. Pure: what is applied at once, and what waits for a second
 * person because it tells less. What disappears stays watched until then; a row that the file says as before changes
 * nothing, whatever people decided about it since.
 */
import { digestOf } from "../lib/canonical-json.ts";
import { startOf } from "../lib/moments.ts";
import type { EntryChange, ListChange } from "../types/watch-change.ts";
import type { WatchEntry } from "../types/watch.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";
import { isWeakerIncident, weakerIn } from "./change-rules.ts";
import { compareVersions } from "./import-guards.ts";

export interface StoredList {
  /** As last imported; null: never. */
  readonly version: string | null;
  readonly incident: IncidentInput;
  readonly entries: readonly WatchEntry[];
  /** By entry: digest of its row when the file was last imported. */
  readonly rows: ReadonlyMap<string, string>;
}

export interface FileList {
  readonly list: string;
  readonly version: string;
  /** The file it is kept like; null: a person handed it over once. */
  readonly file: string | null;
  readonly incident: IncidentInput;
  readonly entries: readonly WatchEntry[];
}

export interface ImportPlan {
  /** Null: nothing to do at once. */
  readonly apply: ListChange | null;
  /** Null: nothing to ask for. */
  readonly propose: ListChange | null;
  /** Rows neither in the file nor watched any more. */
  readonly forget: readonly string[];
}

/** `stored`: null for a list that is new. */
export function planImport(of: { file: FileList; stored: StoredList | null; now: number }): ImportPlan {
  const { file, stored } = of;
  const watched = new Map((stored?.entries ?? []).map((entry) => [entry.id, entry]));
  const rows = stored?.rows ?? new Map<string, string>();
  const now: EntryChange[] = [];
  const later: EntryChange[] = [];
  for (const entry of file.entries) {
    if (rows.get(entry.id) === entryDigest(entry)) continue;
    const before = watched.get(entry.id) ?? null;
    const after = before === null ? startedBy(entry, of.now) : withOurFacts(entry, before, of.now);
    const change = { entryId: entry.id, before, after };
    (before !== null && weakerIn(before, after).length > 0 ? later : now).push(change);
  }
  const inFile = new Set(file.entries.map(({ id }) => id));
  const gone = [...rows.keys()].filter((id) => !inFile.has(id));
  for (const entryId of gone) {
    const before = watched.get(entryId);
    if (before !== undefined) later.push({ entryId, before, after: null });
  }
  return { ...planHead(file, stored, { now, later }), forget: gone.filter((id) => !watched.has(id)) };
}

function planHead(
  file: FileList,
  stored: StoredList | null,
  { now, later }: { now: readonly EntryChange[]; later: readonly EntryChange[] },
): Pick<ImportPlan, "apply" | "propose"> {
  const head = { list: file.list, version: file.version, file: file.file };
  const was = stored?.incident ?? null;
  const isWeaker = was !== null && isWeakerIncident(was, file.incident);
  const isNew = was === null || digestOf(was) !== digestOf(file.incident);
  // A new version that says the same is written down too: the list is as new as it says.
  const isNewer = stored?.version != null && compareVersions(file.version, stored.version) > 0;
  const isSame = now.length === 0 && !isNewer && (isWeaker || !isNew);
  return {
    apply: isSame ? null : { ...head, incident: isWeaker ? was : file.incident, entries: now },
    propose: later.length === 0 && !isWeaker ? null : { ...head, incident: file.incident, entries: later },
  };
}

/**
 * A new entry whose start lies ahead is recorded until then. Nothing that is told already falls silent for a start date, and
 * nothing sanctioned ever does.
 */
function startedBy(entry: WatchEntry, now: number): WatchEntry {
  const { validFrom, sanctioned } = entry;
  if (validFrom === undefined || sanctioned !== null || startOf(validFrom) <= now) return entry;
  return { ...entry, muted: { why: "notYetValid", by: entry.list, until: startOf(validFrom) } };
}

/** What people here decided about an entry is not in its file, and stays: but nothing mutes a sanctioned one. */
function withOurFacts(entry: WatchEntry, { muted }: WatchEntry, now: number): WatchEntry {
  if (muted === undefined || entry.sanctioned !== null) return entry;
  return muted.why === "notYetValid" ? startedBy(entry, now) : { ...entry, muted };
}

/** Of what an entry says: not of the version that says it, nor of a mute, which comes and goes. */
export function entryDigest({ muted: _muted, ...entry }: WatchEntry): string {
  return digestOf({ ...entry, listVersion: null });
}
