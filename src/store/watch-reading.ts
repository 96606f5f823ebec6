/** The book of what is watched, read as a daemon of any size reads it: page by page, or only what changed. */
import { sql, type Transaction } from "kysely";
import type { WatchEntry } from "../types/watch.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";
import type { Db } from "./database.ts";
import { inChunks } from "./outbox.ts";
import type { Database } from "./schema.ts";
import { entryOf } from "./watch-rows.ts";

export interface BookState {
  /** Rises with every change of what is watched. */
  readonly revision: number;
  /** Another one with each change: two books that were once the same have the same revision, never the same mark. */
  readonly mark: string;
}

/** A list without its entries. */
export interface StoredHead {
  readonly list: string;
  readonly number: number;
  readonly version: string;
  readonly incident: IncidentInput;
  /** The file it is imported from; null: made by people here. */
  readonly file: string | null;
}

export interface BookChanges extends BookState {
  readonly heads: readonly StoredHead[];
  /** By id: as it is now; null: it is gone. Only of the heads is the list's version right. */
  readonly entries: ReadonlyMap<string, WatchEntry | null>;
}

export interface WatchReading {
  state(): Promise<BookState>;
  /** Whether the book went through this state, so that all that changed since is written down. */
  wasAt(state: BookState): Promise<boolean>;
  heads(): Promise<StoredHead[]>;
  entryCount(): Promise<number>;
  /**
   * Every entry once. Changes made meanwhile may be in it or not: whoever wants one state asks `changedSince` for what
   * changed since before the reading began.
   */
  pages(): AsyncGenerator<readonly WatchEntry[], void>;
  /** What changed since a revision, all of one moment; null: more than `max` entries. */
  changedSince(of: { revision: number; max: number }): Promise<BookChanges | null>;
  /** Entries whose addresses end, and where it is given begin, like this, both in lower case: 2 and 6 signs. */
  withEnds(of: { end: string; start?: string }): Promise<WatchEntry[]>;
}

// Read and parsed in some milliseconds, while others wait.
const PAGE = 1_000;

export function createWatchReading(db: Db): WatchReading {
  return {
    state: () => readState(db),

    async wasAt({ revision, mark }) {
      const now = await readState(db);
      if (now.revision === revision) return now.mark === mark;
      const query = db.selectFrom("watch_version").select("list").where("revision", "=", revision);
      return (await query.where("mark", "=", mark).executeTakeFirst()) !== undefined;
    },

    heads: () => readHeads(db),

    async entryCount() {
      const query = db.selectFrom("watch_entry").select((eb) => eb.fn.countAll<number>().as("count"));
      return (await query.executeTakeFirstOrThrow()).count;
    },

    async *pages() {
      for (let after = ""; ; ) {
        const rows = await db
          .selectFrom("watch_entry")
          .select(["entry_id", "payload"])
          .where("entry_id", ">", after)
          .orderBy("entry_id")
          .limit(PAGE)
          .execute();
        yield rows.map(entryOf);
        const last = rows.at(-1);
        if (last === undefined || rows.length < PAGE) return;
        after = last.entry_id;
      }
    },

    changedSince: ({ revision, max }) =>
      // One snapshot for all of it: a half-read change would be a list nobody made.
      db
        .transaction()
        .setIsolationLevel("repeatable read")
        .execute(async (trx) => {
          const state = await readState(trx);
          const ids = await changedIds(trx, { revision, max });
          if (ids.length > max) return null;
          return { ...state, heads: await readHeads(trx), entries: await entriesNow(trx, ids) };
        }),

    async withEnds({ end, start }) {
      const rows = await db
        .selectFrom("watch_entry")
        .select("payload")
        .where(sql<boolean>`right(lower(address), 2) = ${end}`)
        .$if(start !== undefined, (query) => query.where(sql<boolean>`left(lower(address), 6) = ${start}`))
        .execute();
      return rows.map(entryOf);
    },
  };
}

export function readState(db: Db | Transaction<Database>): Promise<BookState> {
  return db.selectFrom("watch_state").select(["revision", "mark"]).executeTakeFirstOrThrow();
}

/** In the order of their ids. */
export async function readHeads(db: Db | Transaction<Database>, only?: string): Promise<StoredHead[]> {
  const rows = await db
    .selectFrom("watch_list")
    .selectAll()
    .$if(only !== undefined, (query) => query.where("list", "=", only ?? ""))
    .orderBy("list")
    .execute();
  return rows.map((row) => ({ ...row, incident: JSON.parse(row.incident) as IncidentInput }));
}

async function changedIds(trx: Transaction<Database>, of: { revision: number; max: number }): Promise<string[]> {
  const rows = await trx
    .selectFrom("watch_version")
    .innerJoin("watch_change", (join) =>
      join
        .onRef("watch_change.list", "=", "watch_version.list")
        .onRef("watch_change.number", "=", "watch_version.number"),
    )
    .select("watch_change.entry_id")
    .distinct()
    .where("watch_version.revision", ">", of.revision)
    .limit(of.max + 1)
    .execute();
  return rows.map((row) => row.entry_id);
}

async function entriesNow(trx: Transaction<Database>, ids: readonly string[]): Promise<Map<string, WatchEntry | null>> {
  const entries = new Map<string, WatchEntry | null>(ids.map((id) => [id, null]));
  for (const chunk of inChunks(ids)) {
    const rows = await trx
      .selectFrom("watch_entry")
      .select(["entry_id", "payload"])
      .where("entry_id", "in", chunk)
      .execute();
    for (const row of rows) entries.set(row.entry_id, entryOf(row));
  }
  return entries;
}
