/**
 * The book of what is watched. `write` holds the one lock all changes take, so what a decision was made on is still so
 * when it is carried out; every reader sees whole changes only.
 */
import type { Transaction } from "kysely";
import type { WatchEntry } from "../types/watch.ts";
import type { AuditRecord, ListChange, Proposal, ProposalState, WatchAction } from "../types/watch-change.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";
import type { Db } from "./database.ts";
import { importedVersions } from "./list-versions.ts";
import { inChunks } from "./outbox.ts";
import type { Database } from "./schema.ts";
import { type Applied, type ApplyOptions, type ApplyPorts, applyChange, audit } from "./watch-apply.ts";
import {
  type BookState,
  createWatchReading,
  readHeads,
  readState,
  type StoredHead,
  type WatchReading,
} from "./watch-reading.ts";
import { propose, type ProposeOptions } from "./watch-proposals.ts";
import { auditOf, entryOf, proposalOf } from "./watch-rows.ts";

export interface StoredWatchList extends StoredHead {
  readonly entries: readonly WatchEntry[];
}

export interface StoredWatch extends BookState {
  readonly lists: readonly StoredWatchList[];
}

export interface VersionRow {
  readonly list: string;
  readonly number: number;
  readonly version: string;
  readonly action: string;
  readonly actor: string;
  readonly approver: string | null;
  readonly why: string | null;
  readonly at: number;
}

/** Inside one transaction, under the lock. */
export interface WatchBook {
  /** For what must be written in the same transaction. */
  readonly trx: Transaction<Database>;
  entry(entryId: string): Promise<WatchEntry | null>;
  /** A list of ours tells its incident as a file does that knows it. */
  head(list: string): Promise<StoredHead | null>;
  /** With all its entries: for imports, which compare each of them. */
  list(list: string): Promise<StoredWatchList | null>;
  /** By entry: digest of its row when the list's file was last imported. */
  rows(list: string): Promise<Map<string, string>>;
  forgetRows(entryIds: readonly string[]): Promise<void>;
  /** Lists that come from files. */
  fileLists(): Promise<{ list: string; file: string }[]>;
  apply(options: ApplyOptions): Promise<Applied>;
  /** The open proposal of exactly this change, made now or before. */
  propose(of: ProposeOptions): Promise<{ proposal: Proposal; isNew: boolean }>;
  proposal(proposalId: string): Promise<Proposal | null>;
  openProposals(of: { list?: string; action?: WatchAction }): Promise<Proposal[]>;
  close(proposalId: string, of: { state: ProposalState; by: string; now: number }): Promise<void>;
  audit(record: Parameters<typeof audit>[1]): Promise<void>;
  /** The newest line of the audit trail about a list, entry or proposal. */
  lastAudit(subject: string): Promise<AuditRecord | null>;
  /** The version of a list when it was last imported; null: it never was. */
  importedVersion(list: string): Promise<string | null>;
  /** When the entry was last changed by this action; null: never. */
  lastActionAt(entryId: string, action: WatchAction): Promise<number | null>;
  lastChangeAt(entryId: string): Promise<number | null>;
  /** What a list says about an incident; a file's word before ours. */
  incident(id: string): Promise<IncidentInput | null>;
  /** Entries whose mute is over. */
  muteEnded(now: number): Promise<WatchEntry[]>;
  expired(now: number): Promise<Proposal[]>;
}

export interface WatchStore extends WatchReading {
  revision(): Promise<number>;
  /** All of it at once: for commands, and lists that fit their memory. */
  read(): Promise<StoredWatch>;
  /** Whether a mute or a proposal has run out. */
  isAnythingOver(now: number): Promise<boolean>;
  write<T>(work: (book: WatchBook) => Promise<T>): Promise<T>;
  /** Entries that name this address, on any chain and list. */
  entriesAt(address: string): Promise<WatchEntry[]>;
  search(of: { text: string; limit: number }): Promise<WatchEntry[]>;
  versions(list: string): Promise<VersionRow[]>;
  /** What changed between two versions of a list. */
  diff(of: { list: string; from: number; to: number }): Promise<ListChange["entries"]>;
  history(of: { entryId?: string | undefined; limit: number }): Promise<AuditRecord[]>;
  proposal(proposalId: string): Promise<Proposal | null>;
  proposals(of: { state?: ProposalState | undefined; limit: number }): Promise<Proposal[]>;
}

export function createWatchStore(db: Db, ports: ApplyPorts): WatchStore {
  const reading = createWatchReading(db);
  return {
    ...reading,

    async revision() {
      return (await reading.state()).revision;
    },

    read: () =>
      // One snapshot for all of it: a half-read change would be a list nobody made.
      db
        .transaction()
        .setIsolationLevel("repeatable read")
        .execute(async (trx) => {
          const state = await readState(trx);
          return { ...state, lists: await readLists(trx) };
        }),

    async isAnythingOver(now) {
      const mute = db.selectFrom("watch_entry").select("entry_id as id").where("wake_at", "<=", now);
      const proposal = db
        .selectFrom("watch_proposal")
        .select("proposal_id as id")
        .where("state", "=", "open")
        .where("expires_at", "<=", now);
      return (await mute.unionAll(proposal).limit(1).execute()).length > 0;
    },

    write: (work) =>
      db.transaction().execute(async (trx) => {
        await trx.selectFrom("watch_state").select("revision").forUpdate().executeTakeFirstOrThrow();
        return work(createBook(trx, ports));
      }),

    async entriesAt(address) {
      const rows = await db
        .selectFrom("watch_entry")
        .select("payload")
        .where("address", "=", address)
        .orderBy("entry_id")
        .execute();
      return rows.map(entryOf);
    },

    async search({ text, limit }) {
      // Anything in an entry, its wildcards taken literally.
      const pattern = `%${text.replaceAll(/[\\%_]/g, (char) => `\\${char}`)}%`;
      const rows = await db
        .selectFrom("watch_entry")
        .select("payload")
        .where("payload", "ilike", pattern)
        .orderBy("entry_id")
        .limit(limit)
        .execute();
      return rows.map(entryOf);
    },

    versions: (list) =>
      db
        .selectFrom("watch_version")
        .select(["list", "number", "version", "action", "actor", "approver", "why", "at"])
        .where("list", "=", list)
        .orderBy("number")
        .execute(),

    diff: (of) => diffVersions(db, of),

    async history({ entryId, limit }) {
      let query = db.selectFrom("watch_audit").selectAll().orderBy("seq", "desc").limit(limit);
      if (entryId !== undefined)
        query = query.where((eb) =>
          eb.or([
            eb("subject", "=", entryId),
            eb("before", "like", `%${JSON.stringify(entryId)}%`),
            eb("after", "like", `%${JSON.stringify(entryId)}%`),
          ]),
        );
      return (await query.execute()).map(auditOf);
    },

    async proposal(proposalId) {
      const row = await db
        .selectFrom("watch_proposal")
        .selectAll()
        .where("proposal_id", "=", proposalId)
        .executeTakeFirst();
      return row === undefined ? null : proposalOf(row);
    },

    async proposals({ state, limit }) {
      let query = db.selectFrom("watch_proposal").selectAll().orderBy("created_at", "desc").limit(limit);
      if (state !== undefined) query = query.where("state", "=", state);
      return (await query.execute()).map(proposalOf);
    },
  };
}

async function readLists(trx: Transaction<Database>, only?: string): Promise<StoredWatchList[]> {
  const rows = await trx
    .selectFrom("watch_entry")
    .select(["list", "payload"])
    .$if(only !== undefined, (query) => query.where("list", "=", only ?? ""))
    .orderBy("entry_id")
    .execute();
  const byList = Map.groupBy(rows, ({ list }) => list);
  return (await readHeads(trx, only)).map((head) => ({
    ...head,
    entries: (byList.get(head.list) ?? []).map((row) => ({ ...entryOf(row), listVersion: head.version })),
  }));
}

function createBook(trx: Transaction<Database>, ports: ApplyPorts): WatchBook {
  const proposals = () => trx.selectFrom("watch_proposal").selectAll();
  async function told<T extends StoredHead>(found: T | undefined): Promise<T | null> {
    if (found === undefined || found.file !== null) return found ?? null;
    return { ...found, incident: (await incidentIn(trx, found.incident.id)) ?? found.incident };
  }
  return {
    trx,

    async entry(entryId) {
      const row = await trx
        .selectFrom("watch_entry")
        .select("payload")
        .where("entry_id", "=", entryId)
        .executeTakeFirst();
      return row === undefined ? null : entryOf(row);
    },

    head: async (list) => told((await readHeads(trx, list))[0]),

    list: async (list) => told((await readLists(trx, list))[0]),

    async rows(list) {
      const rows = await trx.selectFrom("watch_row").select(["entry_id", "digest"]).where("list", "=", list).execute();
      return new Map(rows.map((row) => [row.entry_id, row.digest]));
    },

    async forgetRows(entryIds) {
      for (const chunk of inChunks(entryIds))
        await trx.deleteFrom("watch_row").where("entry_id", "in", chunk).execute();
    },

    async fileLists() {
      const rows = await trx.selectFrom("watch_list").select(["list", "file"]).where("file", "is not", null).execute();
      return rows.map(({ list, file }) => ({ list, file: file ?? "" }));
    },

    apply: (options) => applyChange(trx, options, ports),

    propose: (of) => propose(trx, of),

    async proposal(proposalId) {
      const row = await proposals().where("proposal_id", "=", proposalId).executeTakeFirst();
      return row === undefined ? null : proposalOf(row);
    },

    async openProposals({ list, action }) {
      let query = proposals().where("state", "=", "open").orderBy("created_at");
      if (list !== undefined) query = query.where("list", "=", list);
      if (action !== undefined) query = query.where("action", "=", action);
      return (await query.execute()).map(proposalOf);
    },

    async close(proposalId, { state, by, now }) {
      await trx
        .updateTable("watch_proposal")
        .set({ state, decided_by: by, decided_at: now })
        .where("proposal_id", "=", proposalId)
        .where("state", "=", "open")
        .execute();
    },

    audit: (record) => audit(trx, record),

    async lastAudit(subject) {
      const newest = trx.selectFrom("watch_audit").selectAll().where("subject", "=", subject).orderBy("seq", "desc");
      const row = await newest.limit(1).executeTakeFirst();
      return row === undefined ? null : auditOf(row);
    },

    importedVersion: async (list) => (await importedVersions(trx, [list])).get(list) ?? null,

    async lastActionAt(entryId, action) {
      const row = await changesOf(trx, entryId).where("watch_version.action", "=", action).executeTakeFirst();
      return row?.at ?? null;
    },

    async lastChangeAt(entryId) {
      return (await changesOf(trx, entryId).executeTakeFirst())?.at ?? null;
    },

    incident: (id) => incidentIn(trx, id),

    async muteEnded(now) {
      const rows = await trx.selectFrom("watch_entry").select("payload").where("wake_at", "<=", now).execute();
      return rows.map(entryOf);
    },

    async expired(now) {
      const rows = await proposals().where("state", "=", "open").where("expires_at", "<=", now).execute();
      return rows.map(proposalOf);
    },
  };
}

async function incidentIn(trx: Transaction<Database>, id: string): Promise<IncidentInput | null> {
  const rows = await trx.selectFrom("watch_list").select(["incident", "file"]).orderBy("list").execute();
  const known = rows
    .toSorted((a, b) => Number(a.file === null) - Number(b.file === null))
    .map((row) => JSON.parse(row.incident) as IncidentInput);
  return known.find((incident) => incident.id === id) ?? null;
}

/** Newest first. */
function changesOf(trx: Transaction<Database>, entryId: string) {
  return trx
    .selectFrom("watch_change")
    .innerJoin("watch_version", (join) =>
      join
        .onRef("watch_version.list", "=", "watch_change.list")
        .onRef("watch_version.number", "=", "watch_change.number"),
    )
    .select("watch_version.at")
    .where("watch_change.entry_id", "=", entryId)
    .orderBy("watch_version.number", "desc");
}

/** The first `before` and the last `after` of each entry that changed between the two. */
async function diffVersions(
  db: Db,
  { list, from, to }: { list: string; from: number; to: number },
): Promise<ListChange["entries"]> {
  const rows = await db
    .selectFrom("watch_change")
    .selectAll()
    .where("list", "=", list)
    .where("number", ">", Math.min(from, to))
    .where("number", "<=", Math.max(from, to))
    .orderBy("entry_id")
    .orderBy("number")
    .execute();
  const parse = (text: string | null | undefined) => (text == null ? null : (JSON.parse(text) as WatchEntry));
  return [...Map.groupBy(rows, (row) => row.entry_id)].flatMap(([entryId, changes]) => {
    const [before, after] = [changes[0]?.before, changes.at(-1)?.after];
    if (before === after) return [];
    const ends = { before: parse(before), after: parse(after) };
    return [from <= to ? { entryId, ...ends } : { entryId, before: ends.after, after: ends.before }];
  });
}
