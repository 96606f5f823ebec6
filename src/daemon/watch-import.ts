/**
 * Watchlist files into the store. What a file adds or makes stronger holds at once; what it drops or makes weaker stays
 * as it is and waits for a second person. A file with a problem changes nothing.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { storeMessage } from "../store/alert-messages.ts";
import type { WatchEntry } from "../types/watch.ts";
import type { StoredHead } from "../store/watch-reading.ts";
import type { WatchBook, WatchStore } from "../store/watch-store.ts";
import type { Log } from "../types/log.ts";
import type { ListRules } from "../types/config.ts";
import type { ListChange } from "../types/watch-change.ts";
import { PROPOSAL_MS } from "../watchlist/change-rules.ts";
import { type FileList, type ImportPlan, planImport } from "../watchlist/import-rules.ts";
import { checkImport, DEFAULT_RULES, type PreviousList } from "../watchlist/import-guards.ts";
import type { LoadedList, LoadResult } from "../watchlist/load.ts";
import { localActor } from "./actors.ts";
import type { AddressRefusal } from "./address-hygiene.ts";
import { tellRefused } from "./import-refused.ts";
import { versionOfDay } from "./watch-entry.ts";
import { watchMessage } from "./watch-message.ts";
import { named } from "./watch-outcome.ts";

export interface ImportDeps {
  /** By list id: what a new version must be. */
  readonly rules: ReadonlyMap<string, ListRules>;
  readonly isOwn: (chain: string, address: string) => boolean | Promise<boolean>;
  /** What stands against watching them. */
  readonly refusedOf: (entries: readonly WatchEntry[]) => Promise<readonly AddressRefusal[]>;
  readonly store: WatchStore;
  readonly operationSinks: readonly string[];
  readonly now: () => number;
  readonly log: Log;
}

/** What an import did, or would do, to one list. */
export interface ImportedList {
  readonly list: string;
  /** Where it was read from. */
  readonly file: string;
  readonly version: string;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** Waits for a second person: dropped rows, and rows that tell less than before. */
  readonly held: readonly string[];
  readonly proposalId: string | null;
}

/** The lists of files without problems; what `files` could not read stays as it is. */
export async function importFiles(files: LoadResult, deps: ImportDeps): Promise<ImportedList[]> {
  const imported: ImportedList[] = [];
  for (const file of await fileLists(files, deps.store)) {
    const { file: from } = file;
    const by = { actor: `file:${from}`, proposer: localActor().name, from, why: null };
    const refusals = await deps.refusedOf(file.entries);
    const done = await deps.store.write(async (book) => {
      if (await isRefused(book, { file, by }, deps)) return null;
      const { taken, kept } = await leaveOut(book, file, refusals);
      const changed = await importList(book, { file: taken, plan: await planOf(book, taken, deps.now()), by }, deps);
      await tellLeftOut(book, { file, by, refusals, kept }, deps);
      return changed;
    });
    if (done === null) continue;
    imported.push(done);
    const { added, changed, held, ...facts } = done;
    const counts = { ...facts, added: added.length, changed: changed.length, held: held.length };
    deps.log[held.length > 0 ? "warn" : "info"](counts, "watchlist imported");
  }
  return imported;
}

/**
 * Guards of a file that we keep. One that is older than what is here, of a day that has not come, or without a canary is
 * refused whole. One that lost too much is told: what it adds holds, what it lost stays until a second person approves.
 * A new list takes nothing away, whatever its date.
 */
async function isRefused(
  book: WatchBook,
  { file, by }: { file: KeptList; by: ImportBy },
  deps: ImportDeps,
): Promise<boolean> {
  // A file that is gone is no version of its list.
  if (file.entries.length === 0) return false;
  const now = deps.now();
  const previous = await previousOf(book, file.list);
  const { canaries = [] } = deps.rules.get(file.list) ?? {};
  const refusals = checkImport({
    next: file,
    previous,
    rules: { ...DEFAULT_RULES, canaries },
    today: versionOfDay(now),
  }).filter(({ code }) => previous !== null || code === "lacksCanary");
  if (refusals.length === 0) return false;
  const shrinksOnly = refusals.every(({ code }) => code === "shrinks");
  await tellRefused(
    book,
    {
      list: file.list,
      subject: file.list,
      from: by.from,
      actor: by.proposer,
      reasons: refusals.map(({ text }) => text),
      outcome: shrinksOnly
        ? "What it adds holds; what it lost stays watched until a second person approves."
        : "What was read before stays in use.",
      once: true,
      now,
    },
    deps,
  );
  return !shrinksOnly;
}

/**
 * Without the new rows of addresses that should not be watched: one such row must not keep the others from being watched.
 * `kept`: entries of such rows that are watched already. They are told, and stay until somebody removes them.
 */
async function leaveOut(
  book: WatchBook,
  file: KeptList,
  refusals: readonly AddressRefusal[],
): Promise<{ taken: KeptList; kept: ReadonlySet<string> }> {
  if (refusals.length === 0) return { taken: file, kept: new Set() };
  const refused = new Set(refusals.map(({ entryId }) => entryId));
  const stored = await book.list(file.list);
  const kept = new Set((stored?.entries ?? []).map(({ id }) => id).filter((id) => refused.has(id)));
  return { taken: { ...file, entries: file.entries.filter(({ id }) => !refused.has(id) || kept.has(id)) }, kept };
}

async function tellLeftOut(
  book: WatchBook,
  of: { file: KeptList; by: ImportBy; refusals: readonly AddressRefusal[]; kept: ReadonlySet<string> },
  deps: ImportDeps,
): Promise<void> {
  const { file, by, refusals, kept } = of;
  if (refusals.length === 0) return;
  const reasons = refusals.map(({ entryId, text }) => (kept.has(entryId) ? `${text} (watched already)` : text));
  const outcome =
    "These rows are not taken; one that is watched already stays so until it is removed. All other rows hold. To watch one all the same: heistwatch watch add --override.";
  const { list } = file;
  const refused = { list, subject: by.from, from: by.from, actor: by.proposer, reasons, outcome };
  await tellRefused(book, { ...refused, once: true, now: deps.now() }, deps);
}

/** A list as it was last imported; null: it never was. */
export async function previousOf(book: WatchBook, list: string): Promise<PreviousList | null> {
  const [stored, version] = [await book.list(list), await book.importedVersion(list)];
  if (stored === null || version === null) return null;
  const rows = await book.rows(list);
  const keys = stored.entries.filter(({ id }) => rows.has(id)).map(({ chain, address }) => `${chain}/${address}`);
  return { version, keys: new Set(keys) };
}

/** The same, only looked at. */
export async function previewImport(
  files: LoadResult,
  { store, now, refusedOf }: Pick<ImportDeps, "store" | "now" | "refusedOf">,
): Promise<ImportedList[]> {
  const lists: { file: KeptList; refusals: readonly AddressRefusal[] }[] = [];
  for (const file of await fileLists(files, store)) lists.push({ file, refusals: await refusedOf(file.entries) });
  return store.write(async (book) => {
    const previews: ImportedList[] = [];
    for (const { file, refusals } of lists) {
      const plan = await planOf(book, (await leaveOut(book, file, refusals)).taken, now());
      if (plan.apply !== null || plan.propose !== null)
        previews.push(describe(file, { plan, from: file.file, proposalId: null }));
    }
    return previews;
  });
}

/** A list that one of our files holds. */
interface KeptList extends FileList {
  readonly file: string;
}

async function fileLists({ lists, problems }: LoadResult, store: WatchStore): Promise<KeptList[]> {
  const bad = new Set(problems.map(({ file }) => file));
  const present = lists.filter(({ file }) => !bad.has(file)).map(toFileList);
  // With any problem nobody can tell a list that is gone from one that could not be read.
  if (problems.length > 0) return present;
  const names = new Set(lists.map(({ list }) => list));
  const stored = (await store.heads()).filter(({ list, file }) => file !== null && !names.has(list));
  return [...present, ...stored.map(toEmptyList)];
}

function toFileList({ list, version, file, incident, entries }: LoadedList): KeptList {
  return { list, version, file, incident, entries: entries.map(({ entry }) => entry) };
}

function toEmptyList({ list, version, file, incident }: StoredHead): KeptList {
  return { list, version, file: file ?? "", incident, entries: [] };
}

export async function planOf(book: WatchBook, file: FileList, now: number): Promise<ImportPlan> {
  const stored = await book.list(file.list);
  if (stored === null) return planImport({ file, stored, now });
  const [rows, version] = [await book.rows(file.list), await book.importedVersion(file.list)];
  return planImport({ file, stored: { ...stored, rows, version }, now });
}

export interface ImportBy {
  /** Whom the audit trail names. */
  readonly actor: string;
  /** Who cannot be the second person. */
  readonly proposer: string;
  /** Name of the file that was read. */
  readonly from: string;
  readonly why: string | null;
}

/** Carries out a plan made under the same lock; null where it changes nothing. */
export async function importList(
  book: WatchBook,
  of: { readonly file: FileList; readonly plan: ImportPlan; readonly by: ImportBy },
  deps: Pick<ImportDeps, "operationSinks" | "now" | "isOwn">,
): Promise<ImportedList | null> {
  const { file, plan, by } = of;
  const { actor, why } = by;
  const now = deps.now();
  if (plan.forget.length > 0) await book.forgetRows(plan.forget);
  if (plan.apply !== null) await book.apply({ change: plan.apply, action: "import", actor, approver: null, why, now });
  await tellCompliance(book, { file, plan, by, now }, deps);
  await tellEarly(book, { file, plan, from: by.from, now }, deps);
  const proposalId = await proposeRest(book, { file, propose: plan.propose, by, now, deps });
  if (plan.apply === null && plan.propose === null) return null;
  return describe(file, { plan, from: by.from, proposalId });
}

/** An own address that a sanctions list names is nobody's mistake to refuse: compliance must know at once. */
async function tellCompliance(
  book: WatchBook,
  { file, plan, by, now }: { file: FileList; plan: ImportPlan; by: ImportBy; now: number },
  { operationSinks, isOwn }: Pick<ImportDeps, "operationSinks" | "isOwn">,
): Promise<void> {
  const found: string[] = [];
  for (const { before, after } of plan.apply?.entries ?? []) {
    if (after === null || after.sanctioned === null || (before !== null && before.sanctioned !== null)) continue;
    if (await isOwn(after.chain, after.address)) found.push(after.id);
  }
  if (found.length === 0) return;
  const message = watchMessage({
    subject: `watchlist:${file.list}`,
    severity: "critical",
    summary: `Compliance: ${by.from} says that ${found.length === 1 ? "an address of ours is" : `${found.length} addresses of ours are`} sanctioned: ${named(found)}.`,
    now,
  });
  await storeMessage(book.trx, { message, sinks: operationSinks, now, queued: false });
}

/** What begins later is recorded only until then: a slip in a date must not go unseen. */
async function tellEarly(
  book: WatchBook,
  { file, plan, from, now }: { file: FileList; plan: ImportPlan; from: string; now: number },
  { operationSinks }: Pick<ImportDeps, "operationSinks">,
): Promise<void> {
  const early = (plan.apply?.entries ?? []).filter(({ after }) => after?.muted?.why === "notYetValid");
  if (early.length === 0) return;
  const message = watchMessage({
    subject: `watchlist:${file.list}`,
    severity: "medium",
    summary: `${from} adds ${early.length} entries to ${file.list} whose validity begins later: until then they are only recorded. ${named(early.map(({ entryId }) => entryId))}`,
    now,
  });
  await storeMessage(book.trx, { message, sinks: operationSinks, now, queued: false });
}

/** The proposal of what the file takes away, and an end to those of what it takes away no more. */
async function proposeRest(
  book: WatchBook,
  of: {
    file: FileList;
    propose: ListChange | null;
    by: ImportBy;
    now: number;
    deps: Pick<ImportDeps, "operationSinks">;
  },
): Promise<string | null> {
  const { file, propose, by, now, deps } = of;
  const asked =
    propose === null
      ? null
      : await book.propose({
          action: "import",
          change: propose,
          proposer: by.proposer,
          why: by.why ?? `no longer so in ${by.from}`,
          now,
          expiresAt: now + PROPOSAL_MS,
        });
  for (const open of await book.openProposals({ list: file.list, action: "import" }))
    if (open.proposalId !== asked?.proposal.proposalId)
      await book.close(open.proposalId, { state: "void", by: by.actor, now });
  if (asked === null || propose === null) return null;
  const { proposalId } = asked.proposal;
  if (asked.isNew) {
    const message = watchMessage({
      subject: `watchlist:${file.list}`,
      severity: "high",
      summary: `${by.from} drops or weakens ${propose.entries.length} entries of ${file.list}. They stay as they are until a second person approves: heistwatch watch approve ${proposalId}`,
      now,
    });
    await storeMessage(book.trx, { message, sinks: deps.operationSinks, now, queued: false });
  }
  return proposalId;
}

export function describe(
  file: FileList,
  of: { readonly plan: ImportPlan; readonly from: string; readonly proposalId: string | null },
): ImportedList {
  const { apply, propose } = of.plan;
  const ids = (change: ListChange | null, isWanted: (isNew: boolean) => boolean) =>
    (change?.entries ?? []).filter(({ before }) => isWanted(before === null)).map(({ entryId }) => entryId);
  return {
    list: file.list,
    file: of.from,
    version: file.version,
    added: ids(apply, (isNew) => isNew),
    changed: ids(apply, (isNew) => !isNew),
    held: ids(propose, () => true),
    proposalId: of.proposalId,
  };
}

/** Whatever goes wrong is said, and tried again with the next look at the files. */
export async function tryImport(files: LoadResult, deps: ImportDeps): Promise<ImportedList[]> {
  try {
    return await importFiles(files, deps);
  } catch (error) {
    deps.log.error({ error: redactText(describeError(error)) }, "watchlist files not imported, trying again");
    return [];
  }
}
