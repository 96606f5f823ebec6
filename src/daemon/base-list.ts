/**
 * The file of all matched entries: opened as the process before left it, where it is whole and the book of what is watched
 * went on from there; else built from the book, page by page, in slices.
 */
import { existsSync } from "node:fs";
import { canonicalJson } from "../lib/canonical-json.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { BookState, WatchReading } from "../store/watch-reading.ts";
import type { Log } from "../types/log.ts";
import { removeUnpublished } from "../watchlist/entry-storage.ts";
import type { LoadedEntry } from "../watchlist/load.ts";
import { buildWatchlist, openWatchlist, type WatchlistSnapshot } from "../watchlist/snapshot.ts";
import { VERSION } from "./version.ts";
import { NO_OWN } from "../watchlist/own-index.ts";

export interface BaseList {
  readonly watchlist: WatchlistSnapshot;
  /** Of the book: everything up to it is in the list, of what came later perhaps a part. */
  readonly state: BookState;
}

export interface BaseListOptions {
  readonly store: WatchReading;
  /** Where the entries are kept from start to start. */
  readonly file: string;
  /** `watchlists.enable`: what it switches on is in the file. */
  readonly enable: readonly string[];
  readonly log: Log;
}

interface Stamp extends BookState {
  readonly enable: readonly string[];
  /** Another version may match otherwise. */
  readonly program: string;
}

/**
 * Changed entries are kept in memory, with a kilobyte or two each, until the file is written again: a tenth of the list, so
 * that small lists are written again seldom, and at ten million entries 32 bytes an entry are never reached.
 */
const ROOM_MIN = 1_000;
const ROOM_MAX = 50_000;

function roomFor(count: number): number {
  return Math.min(ROOM_MAX, Math.max(ROOM_MIN, Math.ceil(count / 10)));
}

/** Null: there is none, or none to go on from; if it is damaged, the log says so. */
export async function openBaseList(options: BaseListOptions, signal: AbortSignal): Promise<BaseList | null> {
  const { store, file, enable, log } = options;
  removeUnpublished(file);
  if (!existsSync(file)) return null;
  let watchlist: WatchlistSnapshot;
  try {
    watchlist = await openWatchlist({ file, own: NO_OWN }, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.error({ error: redactText(describeError(error)) }, "the file of watched entries is damaged, building it again");
    return null;
  }
  const { revision, mark, ...made } = JSON.parse(watchlist.stamp) as Stamp;
  const state = { revision, mark };
  if (canonicalJson(made) === canonicalJson(madeBy(enable)) && (await store.wasAt(state))) return { watchlist, state };
  watchlist.close();
  log.info({ revision }, "the file of watched entries is of other lists, building it again");
  return null;
}

/** Replaces the file when it is whole; whoever matches with the list before goes on with it. */
export async function buildBaseList(options: BaseListOptions, signal: AbortSignal): Promise<BaseList> {
  const { store, file, enable, log } = options;
  const startedAt = performance.now();
  // Before the first entry is read: what changes from now on is asked for by revision.
  const { revision, mark } = await store.state();
  const [lists, entryCount] = await Promise.all([store.heads(), store.entryCount()]);
  const stamp: Stamp = { revision, mark, ...madeBy(enable) };
  const watchlist = await buildWatchlist(
    {
      file,
      lists,
      entries: entriesIn(store, signal),
      count: entryCount + roomFor(entryCount),
      own: NO_OWN,
      enable,
      stamp: JSON.stringify(stamp),
    },
    signal,
  );
  const seconds = Math.round(performance.now() - startedAt) / 1_000;
  log.info({ entries: watchlist.watchedCount, revision, seconds }, "file of watched entries built");
  return { watchlist, state: { revision, mark } };
}

function madeBy(enable: readonly string[]): Pick<Stamp, "enable" | "program"> {
  return { enable: enable.toSorted(), program: VERSION };
}

async function* entriesIn(store: WatchReading, signal: AbortSignal): AsyncGenerator<LoadedEntry, void> {
  for await (const page of store.pages()) {
    signal.throwIfAborted();
    // Which chains have adapters is counted for commands that show it; here nobody asks.
    for (const entry of page) yield { entry, hasAdapter: true };
  }
}
