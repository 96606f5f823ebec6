/**
 * A list that a person hands over: guarded, then imported under the store's lock as one change in that person's name.
 * Like the list of a file it tells more at once, and waits for a second person to tell less.
 */
import { normalizeAddress } from "../chains/registry.ts";
import type { StoredWatchList, WatchBook, WatchStore } from "../store/watch-store.ts";
import type { WatchEntry } from "../types/watch.ts";
import type { Actor } from "../types/watch-change.ts";
import { parseGivenList } from "../watchlist/given-list.ts";
import { checkImport, DEFAULT_RULES, type Refusal } from "../watchlist/import-guards.ts";
import type { FileList } from "../watchlist/import-rules.ts";
import { signatureProblem } from "../watchlist/list-signature.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { NotAllowedError } from "./actors.ts";
import type { AddressRefusal } from "./address-hygiene.ts";
import { BadCallError } from "./checked.ts";
import { tellRefused } from "./import-refused.ts";
import { OPERATOR_PREFIX, versionOfDay, whyOf } from "./watch-entry.ts";
import { describe, type ImportDeps, type ImportedList, importList, planOf, previousOf } from "./watch-import.ts";

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
  /** Of the file, where it has one. Only whoever read the file itself can say so: the command line, not HTTP. */
  readonly signature?: GivenSignature | undefined;
  /** Only says what would happen. */
  readonly dryRun: boolean;
}

export interface GivenSignature {
  /** The text of the `.minisig` file. */
  readonly text: string;
  /** BLAKE2b-512 of the file, hex. */
  readonly blake2b512: string;
}

export interface GivenOutcome {
  /** Empty: it may be taken. Otherwise nothing was changed. */
  readonly refusals: readonly (Refusal | AddressRefusal | { readonly code: "unsigned"; readonly text: string })[];
  readonly imported: ImportedList;
}

export interface GivenDeps extends Pick<ImportDeps, "operationSinks" | "now" | "rules" | "isOwn"> {
  readonly store: Pick<WatchStore, "write">;
  /** What stands against watching them. */
  readonly refusedOf: (entries: readonly WatchEntry[]) => Promise<readonly AddressRefusal[]>;
  /** What is watched changed. */
  readonly onChanged: () => Promise<void>;
}

/** Throws BadCallError for a list that is none, NotAllowedError for one that a file or people's own additions keep. */
export async function importGiven(actor: Actor, input: GivenInput, deps: GivenDeps): Promise<GivenOutcome> {
  const file = readGiven(input);
  const unsigned = await unsignedIn(file.list, input, deps.rules);
  const addresses = input.override === undefined ? await deps.refusedOf(file.entries) : [];
  const outcome = await deps.store.write(async (book): Promise<GivenOutcome> => {
    refuseKept(file.list, await book.list(file.list));
    const refusals = [...unsigned, ...(await guard(book, { file, input, deps })), ...addresses];
    const plan = await planOf(book, file, deps.now());
    const planned = describe(file, { plan, from: input.from, proposalId: null });
    if (input.dryRun) return { refusals, imported: planned };
    if (refusals.length > 0) {
      const reasons = refusals.map(({ text }) => text);
      const { list } = file;
      const of = { list, subject: list, from: input.from, actor: actor.name, reasons, once: false, now: deps.now() };
      await tellRefused(book, { ...of, outcome: "Nothing of it was taken." }, deps);
      return { refusals, imported: planned };
    }
    const by = { actor: actor.name, proposer: actor.name, from: input.from, why: whyOf(input) };
    return { refusals, imported: (await importList(book, { file, plan, by }, deps)) ?? planned };
  });
  await deps.onChanged();
  return outcome;
}

async function guard(
  book: WatchBook,
  { file, input, deps }: { file: FileList; input: GivenInput; deps: GivenDeps },
): Promise<readonly Refusal[]> {
  const canaries = [...input.canaries, ...(deps.rules.get(file.list)?.canaries ?? [])];
  return checkImport({
    next: file,
    previous: await previousOf(book, file.list),
    rules: { ...DEFAULT_RULES, canaries, ageMaxDays: input.ageMaxDays },
    today: versionOfDay(deps.now()),
  }).filter(({ code }) => !(code === "shrinks" && input.acceptShrink));
}

async function unsignedIn(
  list: string,
  { signature }: GivenInput,
  rules: GivenDeps["rules"],
): Promise<{ code: "unsigned"; text: string }[]> {
  const keys = rules.get(list)?.keys ?? [];
  if (keys.length === 0) return [];
  const blake2b512 = Buffer.from(signature?.blake2b512 ?? "", "hex");
  const problem = await signatureProblem({
    keys,
    signature: signature?.text ?? null,
    content: { blake2b512, bytes: null },
  });
  return problem === null ? [] : [{ code: "unsigned", text: `${list}: ${problem}` }];
}

function readGiven({ list: given, from }: GivenInput): FileList {
  const { list, problems } = parseGivenList(given, { from, normalizeAddress });
  if (list === null || problems.length > 0)
    throw new BadCallError(`this list cannot be used: ${problems.slice(0, 5).map(describeProblem).join("; ")}`);
  return { ...list, file: null, entries: list.entries.map(({ entry }) => entry) };
}

function refuseKept(list: string, stored: StoredWatchList | null): void {
  if (stored !== null && stored.file !== null)
    throw new NotAllowedError(`${list} is kept in ${stored.file}: change it there, or import under another name`);
  if (list.startsWith(OPERATOR_PREFIX))
    throw new NotAllowedError(`${list} is the list of what people add one by one: import under another name`);
}
