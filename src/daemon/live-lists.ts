/**
 * The lists blocks are matched with, replaced as a whole while the lines run. The store is the truth: a change there, by
 * whichever process, is read here within a second; the lines take their chains over again with what is new.
 *
 * Only what changed is read, however long the lists are: it is kept beside the file of all entries and wins over it. When it
 * fills half of its room, the file is written again in the background; when it does not fit at all, before anything else.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { inSlices } from "../lib/slices.ts";
import type { BookChanges } from "../store/watch-reading.ts";
import type { WatchStore } from "../store/watch-store.ts";
import type { Config } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import type { WatchEntry } from "../types/watch.ts";
import {
  addChanges,
  bookVersion,
  type Changes,
  createChangedWatchlist,
  noChanges,
} from "../watchlist/changed-watchlist.ts";
import { joinOwn, NO_OWN, type OwnIndex } from "../watchlist/own-index.ts";
import { isMatched, unknownIn } from "../watchlist/snapshot.ts";
import { type BaseList, buildBaseList, openBaseList } from "./base-list.ts";
import { asFilesTell, type Lists, type OwnFiles } from "./lists.ts";

export interface LiveLists {
  current(): Lists;
  /** Reads the store again if it changed, or own addresses and tokens did. */
  refresh(files?: OwnFiles): Promise<void>;
  /** Takes over own addresses beside those of files. */
  refreshOwn(newer: Partial<OwnBeside>): Promise<void>;
  /** Own addresses of files and the database: what people give beside them must not contradict. */
  kept(): OwnIndex;
  onChange(listener: () => void, signal: AbortSignal): void;
}

/** Own addresses that no file tells. Of two that name an address the first stands. */
export interface OwnBeside {
  /** Of the operator's database. */
  readonly database: OwnIndex;
  /** By people. */
  readonly given: OwnIndex;
}

export interface LiveListsOptions {
  readonly store: WatchStore;
  readonly files: OwnFiles;
  readonly own?: OwnBeside;
  /** Where the entries are kept from start to start: of this process alone. */
  readonly file: string;
  readonly log: Log;
  readonly onSwap: (lists: Lists) => void;
}

/** What the lists are made of. */
interface Reading {
  readonly base: BaseList;
  readonly changes: Changes;
  readonly lists: Lists;
}

/** The signal ends what runs in the background. */
export async function createLiveLists(
  config: Config,
  { store, files, own: beside = { database: NO_OWN, given: NO_OWN }, file, log, onSwap }: LiveListsOptions,
  signal: AbortSignal,
): Promise<LiveLists> {
  const { enable } = config.watchlists;
  const enabled = new Set(enable);
  const baseOptions = { store, file, enable, log };
  const listeners = new Set<() => void>();
  let from = { files, ...beside };
  let own = joined();
  let building: Promise<BaseList> | null = null;
  let rebuilt: BaseList | null = null;
  let compacting = false;
  let refreshing: Promise<void> | null = null;

  function kept(): OwnIndex {
    return joinOwn(from.files.own, from.database);
  }

  function joined(): OwnFiles {
    return { ...from.files, own: joinOwn(kept(), from.given) };
  }

  /** One at a time: they write one file. */
  function build(): Promise<BaseList> {
    building ??= buildBaseList(baseOptions, signal).finally(() => {
      building = null;
    });
    return building;
  }

  /** From a base, or from a reading on it, to what the book says now. */
  async function readOn(start: BaseList, before: Reading | null, madeFrom: OwnFiles): Promise<Reading> {
    let base = start;
    let changes = before?.changes ?? noChanges(base.watchlist);
    let { revision } = before?.lists ?? base.state;
    for (;;) {
      const max = base.watchlist.room - changes.entries.size;
      const changed = await store.changedSince({ revision, max });
      if (changed !== null) {
        changes = await inSlices(addChanges(changes, matchedIn(changed)), signal);
        return { base, changes, lists: listsOf(changes, changed, madeFrom) };
      }
      log.info({ revision }, "more entries changed than are kept in memory, building their file again");
      base = await build();
      changes = noChanges(base.watchlist);
      ({ revision } = base.state);
    }
  }

  function* matchedIn({ entries }: BookChanges): Generator<readonly [string, WatchEntry | null], void> {
    for (const [id, now] of entries) yield [id, now !== null && isMatched(now, enabled) ? now : null];
  }

  function listsOf(changes: Changes, book: BookChanges, { own: addresses, tokens, tokenCount }: OwnFiles) {
    const heads = asFilesTell(book.heads);
    const version = bookVersion({ mark: book.mark, enable, own: addresses });
    return {
      watchlist: createChangedWatchlist({ changes, heads, own: addresses, version }),
      own: addresses,
      tokens,
      tokenCount,
      watchedOn: changes.watchedOn,
      unknownEnable: unknownIn(enable, heads),
      revision: book.revision,
    };
  }

  async function read(): Promise<void> {
    const { lists } = reading;
    const startedAt = performance.now();
    const [madeFrom, base] = [own, rebuilt];
    if (base === null && madeFrom === ownRead && lists.revision === (await store.revision())) return;
    reading = base === null ? await readOn(reading.base, reading, madeFrom) : await readOn(base, null, madeFrom);
    if (rebuilt === base) rebuilt = null;
    ownRead = madeFrom;
    onSwap(reading.lists);
    for (const listener of listeners) listener();
    const { revision, watchlist } = reading.lists;
    const ms = Math.round(performance.now() - startedAt);
    const facts = { revision, watched: watchlist.watchedCount, besideFile: reading.changes.entries.size, ms };
    log.info(facts, "changed watchlists are in force");
    compactIfFull();
  }

  async function refresh(): Promise<void> {
    // Whoever asks while it is being read gets a reading that began after they asked.
    if (refreshing !== null) await refreshing.catch(() => undefined);
    refreshing ??= read().finally(() => {
      refreshing = null;
    });
    await refreshing;
  }

  function compactIfFull(): void {
    const { base, changes } = reading;
    // A reading that ends just after the file was written was not made on it yet: the next one is.
    if (compacting || rebuilt !== null || changes.entries.size <= base.watchlist.room / 2) return;
    compacting = true;
    build()
      .finally(() => {
        compacting = false;
      })
      .then((next) => {
        rebuilt = next;
        return refresh();
      })
      .catch((error: unknown) => {
        // What changed goes on to be kept in memory; the next change tries again.
        if (!signal.aborted)
          log.warn({ error: redactText(describeError(error)) }, "the file of watched entries was not written again");
      });
  }

  let ownRead = own;
  const first = (await openBaseList(baseOptions, signal)) ?? (await build());
  let reading = await readOn(first, null, own);
  onSwap(reading.lists);
  compactIfFull();
  return {
    current: () => reading.lists,

    async refresh(newer) {
      if (newer !== undefined) {
        from = { ...from, files: newer };
        own = joined();
      }
      await refresh();
    },

    async refreshOwn(newer) {
      from = { ...from, ...newer };
      own = joined();
      await refresh();
    },

    kept,

    onChange(listener, until) {
      if (until.aborted) return;
      listeners.add(listener);
      until.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };
}
