/**
 * A list that a person hands over: guarded, then imported under the store's lock as one change in that person's name.
 * Like the list of a file it tells more at once, and waits for a second person to tell less.
 */
import { normalizeAddress } from "../chains/registry.ts";
import type { StoredWatchList, WatchBook, WatchStore } from "../store/watch-store.ts";
import type { Actor } from "../types/watch-change.ts";
import { parseGivenList } from "../watchlist/given-list.ts";
import { checkImport, DEFAULT_RULES, type PreviousList, type Refusal } from "../watchlist/import-guards.ts";
import type { FileList } from "../watchlist/import-rules.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { NotAllowedError } from "./actors.ts";
import { BadCallError } from "./checked.ts";
import { OPERATOR_PREFIX, versionOfDay, whyOf } from "./watch-entry.ts";
import { describe, type ImportDeps, type ImportedList, importList, planOf } from "./watch-import.ts";

export interface GivenInput {
  /** As `toGivenList` makes it. */
  readonly list?: unknown;
  /** Name of the file it was read from. */
  readonly from: string;
  /** Takes a list that lost more than a guard allows: what it lost waits for a second person all the same. */
  readonly acceptShrink: boolean;
  readonly canaries: readonly string[];
  readonly ageMaxDays: number | null;
  /** Why addresses of our own are watched too; absent: a list that holds one is refused. */
  readonly override?: string | undefined;
  readonly why?: string | undefined;
  /** Only says what would happen. */
  readonly dryRun: boolean;
}

/** One of our own addresses, which no sanctions list names. */
interface OwnRefusal {
  readonly code: "own";
  readonly text: string;
  readonly chain: string;
  readonly address: string;
}

export interface GivenOutcome {
  /** Empty: it may be taken. Otherwise nothing was changed. */
  readonly refusals: readonly (Refusal | OwnRefusal)[];
  readonly imported: ImportedList;
}

export interface GivenDeps extends Pick<ImportDeps, "operationSinks" | "now"> {
  readonly store: Pick<WatchStore, "write">;
  readonly isOwn: (chain: string, address: string) => Promise<boolean>;
  /** What is watched changed. */
  readonly onChanged: () => Promise<void>;
}

/** Throws BadCallError for a list that is none, NotAllowedError for one that a file or people's own additions keep. */
export async function importGiven(actor: Actor, input: GivenInput, deps: GivenDeps): Promise<GivenOutcome> {
  const file = readGiven(input);
  const own = input.override === undefined ? await ownIn(file, deps.isOwn) : [];
  const outcome = await deps.store.write(async (book): Promise<GivenOutcome> => {
    const stored = await book.list(file.list);
    refuseKept(file.list, stored);
    const guarded = checkImport({
      next: file,
      previous: stored === null ? null : await previousOf(book, stored),
      rules: { ...DEFAULT_RULES, canaries: input.canaries, ageMaxDays: input.ageMaxDays },
      today: versionOfDay(deps.now()),
    }).filter(({ code }) => !(code === "shrinks" && input.acceptShrink));
    const refusals = [...guarded, ...own];
    const plan = await planOf(book, file, deps.now());
    const planned = describe(file, { plan, from: input.from, proposalId: null });
    if (refusals.length > 0 || input.dryRun) return { refusals, imported: planned };
    const by = { actor: actor.name, proposer: actor.name, from: input.from, why: whyOf(input) };
    return { refusals, imported: (await importList(book, { file, plan, by }, deps)) ?? planned };
  });
  await deps.onChanged();
  return outcome;
}

function readGiven({ list: given, from }: GivenInput): FileList {
  const { list, problems } = parseGivenList(given, { from, normalizeAddress });
  if (list === null || problems.length > 0)
    throw new BadCallError(`this list cannot be used: ${problems.slice(0, 5).map(describeProblem).join("; ")}`);
  return { ...list, file: null, entries: list.entries.map(({ entry }) => entry) };
}

async function ownIn({ entries }: FileList, isOwn: GivenDeps["isOwn"]): Promise<OwnRefusal[]> {
  const found: OwnRefusal[] = [];
  for (const { chain, address, sanctioned } of entries)
    if (sanctioned === null && (await isOwn(chain, address)))
      found.push({ code: "own", text: `${address} on ${chain} is one of our own addresses`, chain, address });
  return found;
}

function refuseKept(list: string, stored: StoredWatchList | null): void {
  if (stored !== null && stored.file !== null)
    throw new NotAllowedError(`${list} is kept in ${stored.file}: change it there, or import under another name`);
  if (list.startsWith(OPERATOR_PREFIX))
    throw new NotAllowedError(`${list} is the list of what people add one by one: import under another name`);
}

/** What was imported before, without what the store put behind the version of a second import of one day. */
async function previousOf(book: WatchBook, { list, version, entries }: StoredWatchList): Promise<PreviousList> {
  const rows = await book.rows(list);
  const keys = entries.filter(({ id }) => rows.has(id)).map(({ chain, address }) => `${chain}/${address}`);
  return { version: version.replace(/\+\d+$/, ""), keys: new Set(keys) };
}
