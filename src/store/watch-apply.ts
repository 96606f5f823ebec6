/**
 * One change of a list, in one transaction: entries, the list's next version, the audit trail, every hit that rests on
 * them, and the chains' leases, so that no block is stored as matched with what was before.
 */
import { randomUUID } from "node:crypto";
import { sql, type Transaction } from "kysely";
import { digestOf } from "../lib/canonical-json.ts";
import { AppError } from "../lib/errors.ts";
import { endOfEntry } from "../lib/moments.ts";
import type { WatchEntry } from "../types/watch.ts";
import type { EntryChange, ListChange, WatchAction, WatchedEntry } from "../types/watch-change.ts";
import { inChunks } from "./outbox.ts";
import { forgetScans } from "./rewatched.ts";
import type { Database } from "./schema.ts";
import type { BookState } from "./watch-reading.ts";
import { retellHits, type RetellPorts } from "./watch-hits.ts";

/** The entries are not what the change starts from any more. */
export class ChangedMeanwhileError extends AppError {
  override readonly code = "changed_meanwhile";
}

export interface ApplyOptions {
  readonly change: ListChange;
  readonly action: WatchAction;
  readonly actor: string;
  readonly approver: string | null;
  readonly why: string | null;
  readonly now: number;
  /** What was approved; absent: the change itself. */
  readonly changeHash?: string;
}

export interface ApplyPorts extends RetellPorts {
  /** Of what an entry says, whatever version says it and whether it is muted. */
  readonly entryDigest: (entry: WatchEntry) => string;
  /** False: not matched (switched off, a victim), whatever its list says. */
  readonly isMatched: (entry: WatchEntry) => boolean;
  /** Told of entries that are matched from now on, in the transaction that makes them so. */
  readonly onWatched?: (trx: Transaction<Database>, watched: readonly WatchedEntry[]) => Promise<void>;
}

export interface Applied {
  readonly revision: number;
  readonly version: string;
  readonly changeHash: string;
  /** Chains by id, and from which block on all blocks are matched with the change. */
  readonly joinAt: ReadonlyMap<string, number>;
  readonly retoldHits: number;
}

/** More entries than this are in `watch_change` only: the audit trail names the version. */
const AUDITED_ENTRIES_MAX = 50;

export async function applyChange(
  trx: Transaction<Database>,
  options: ApplyOptions,
  ports: ApplyPorts,
): Promise<Applied> {
  const { change, action, now } = options;
  await checkBefore(trx, change, ports);
  const state = await nextState(trx);
  const { revision } = state;
  const joinAt = await outdateChains(trx, revision);
  const head = await writeVersion(trx, options, state);
  await writeEntries(trx, change, ports);
  if (action === "import") await rememberRows(trx, change, ports);
  const changeHash = options.changeHash ?? hashOfChange({ action, change });
  await audit(trx, {
    at: now,
    actor: options.actor,
    action,
    subject: change.entries.length === 1 ? (change.entries[0] as EntryChange).entryId : change.list,
    why: options.why,
    before: auditSide(change, "before", head.number),
    after: auditSide(change, "after", head.number),
    approver: options.approver,
    changeHash,
  });
  const changed = new Set(change.entries.flatMap(({ entryId, before }) => (before === null ? [] : [entryId])));
  const retoldHits = await retellHits(trx, { changed, ports, now });
  const watched = change.entries.flatMap(({ before, after }) =>
    after !== null && ports.isMatched(after) && (before === null || !ports.isMatched(before))
      ? [{ entry: after, joinAt: joinAt.get(after.chain) ?? null, revision }]
      : [],
  );
  for (const chunk of inChunks(watched)) {
    await forgetScans(
      trx,
      chunk.map(({ entry }) => entry.address),
    );
    await ports.onWatched?.(trx, chunk);
  }
  return { revision, version: head.version, changeHash, joinAt, retoldHits };
}

/** What an approval is bound to. */
export function hashOfChange(of: { action: string; change: ListChange }): string {
  return digestOf(of);
}

async function checkBefore(trx: Transaction<Database>, { entries }: ListChange, ports: ApplyPorts): Promise<void> {
  for (const chunk of inChunks(entries)) {
    const rows = await trx
      .selectFrom("watch_entry")
      .select(["entry_id", "digest"])
      .where(
        "entry_id",
        "in",
        chunk.map(({ entryId }) => entryId),
      )
      .execute();
    const digests = new Map(rows.map((row) => [row.entry_id, row.digest]));
    for (const { entryId, before } of chunk) {
      const expected = before === null ? undefined : ports.entryDigest(before);
      if (digests.get(entryId) !== expected)
        throw new ChangedMeanwhileError(`${entryId} was changed meanwhile: look at it and ask again`);
    }
  }
}

function nextState(trx: Transaction<Database>): Promise<BookState> {
  return trx
    .updateTable("watch_state")
    .set((eb) => ({ revision: eb("revision", "+", 1), mark: randomUUID() }))
    .returning(["revision", "mark"])
    .executeTakeFirstOrThrow();
}

/**
 * Locks every chain and takes its list from it: what was matched before cannot be committed any more. Blocks that are
 * not final are matched again before they are, so the change holds from the first of them.
 */
async function outdateChains(trx: Transaction<Database>, revision: number): Promise<Map<string, number>> {
  const outdated = `outdated-${revision}`;
  const leases = await trx
    .updateTable("chain_lease")
    .set({ list_version: outdated })
    .returning(["chain", "finalized_number"])
    .execute();
  // A list that becomes again what it was has its version of before, but the hits of the time between are taken back.
  await trx
    .updateTable("checkpoint")
    .from("chain_lease")
    .set({ list_version: outdated })
    .whereRef("chain_lease.chain", "=", "checkpoint.chain")
    .whereRef("checkpoint.number", ">", "chain_lease.finalized_number")
    .where("scanned", "=", true)
    .execute();
  const windows = await trx
    .selectFrom("checkpoint")
    .select((eb) => [
      "chain",
      eb.fn.max("number").as("tip"),
      sql<number | null>`min(number) filter (where scanned)`.as("first_scanned"),
    ])
    .groupBy("chain")
    .execute();
  const windowOf = new Map(windows.map((window) => [window.chain, window]));
  return new Map(
    leases.flatMap(({ chain, finalized_number: final }) => {
      const window = windowOf.get(chain);
      return window === undefined
        ? []
        : [[chain, Math.max(final + 1, window.first_scanned ?? window.tip + 1)] as const];
    }),
  );
}

async function writeVersion(
  trx: Transaction<Database>,
  { change, action, actor, approver, why, now }: ApplyOptions,
  state: BookState,
): Promise<{ number: number; version: string }> {
  const { list, file } = change;
  const incident = JSON.stringify(change.incident);
  const before = await trx.selectFrom("watch_list").select("number").where("list", "=", list).executeTakeFirst();
  const number = (before?.number ?? 0) + 1;
  const taken = await trx
    .selectFrom("watch_version")
    .select("number")
    .where("list", "=", list)
    .where("version", "=", change.version)
    .limit(1)
    .executeTakeFirst();
  // A version is what it was: other content under the same name gets a name of its own.
  const version = taken === undefined ? change.version : `${change.version}+${number}`;
  await trx
    .insertInto("watch_list")
    .values({ list, number, version, incident, file })
    .onConflict((conflict) => conflict.column("list").doUpdateSet({ number, version, incident, file }))
    .execute();
  await trx
    .insertInto("watch_version")
    .values({ list, number, version, incident, action, actor, approver, why, at: now, ...state })
    .execute();
  for (const chunk of inChunks(change.entries)) {
    await trx
      .insertInto("watch_change")
      .values(
        chunk.map(({ entryId, before: was, after }) => ({
          list,
          number,
          entry_id: entryId,
          before: was === null ? null : JSON.stringify(was),
          after: after === null ? null : JSON.stringify(after),
        })),
      )
      .execute();
  }
  return { number, version };
}

async function writeEntries(trx: Transaction<Database>, change: ListChange, ports: ApplyPorts): Promise<void> {
  for (const chunk of inChunks(change.entries)) {
    const gone = chunk.filter(({ after }) => after === null).map(({ entryId }) => entryId);
    if (gone.length > 0) await trx.deleteFrom("watch_entry").where("entry_id", "in", gone).execute();
    const kept = chunk.flatMap(({ after }) => (after === null ? [] : [after]));
    if (kept.length === 0) continue;
    await trx
      .insertInto("watch_entry")
      .values(
        kept.map((entry) => ({
          entry_id: entry.id,
          list: change.list,
          chain: entry.chain,
          address: entry.address,
          payload: JSON.stringify(entry),
          digest: ports.entryDigest(entry),
          wake_at: entry.muted?.until ?? null,
          review_by: entry.reviewBy ?? null,
          valid_until: endToTell(entry),
        })),
      )
      .onConflict((conflict) =>
        conflict.column("entry_id").doUpdateSet((eb) => ({
          payload: eb.ref("excluded.payload"),
          digest: eb.ref("excluded.digest"),
          wake_at: eb.ref("excluded.wake_at"),
          review_by: eb.ref("excluded.review_by"),
          valid_until: eb.ref("excluded.valid_until"),
        })),
      )
      .execute();
  }
}

/** Of what is never watched nobody needs to know that it ends. */
function endToTell(entry: WatchEntry): number | null {
  const end = endOfEntry(entry);
  return end === Infinity || entry.default === "never" ? null : end;
}

async function rememberRows(trx: Transaction<Database>, change: ListChange, ports: ApplyPorts): Promise<void> {
  for (const chunk of inChunks(change.entries)) {
    const ids = chunk.map(({ entryId }) => entryId);
    await trx.deleteFrom("watch_row").where("entry_id", "in", ids).execute();
    const rows = chunk.flatMap(({ entryId, after }) =>
      after === null ? [] : [{ entry_id: entryId, list: change.list, digest: ports.entryDigest(after) }],
    );
    if (rows.length > 0) await trx.insertInto("watch_row").values(rows).execute();
  }
}

function auditSide({ list, entries }: ListChange, side: "before" | "after", number: number): string {
  if (entries.length > AUDITED_ENTRIES_MAX)
    return JSON.stringify({ list, number: side === "after" ? number : number - 1, entries: entries.length });
  return JSON.stringify(entries.map((entry) => entry[side]));
}

/** The audit trail only grows: the database refuses every change of it. */
export async function audit(
  trx: Transaction<Database>,
  record: {
    at: number;
    actor: string;
    action: string;
    subject: string;
    why: string | null;
    before: string | null;
    after: string | null;
    approver: string | null;
    changeHash: string | null;
  },
): Promise<void> {
  const { changeHash, ...row } = record;
  await trx
    .insertInto("watch_audit")
    .values({ ...row, change_hash: changeHash })
    .execute();
}
