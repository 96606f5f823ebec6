/** `heistwatch watch import`: a file is read and checked here, not in the daemon, and handed over as one change. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { normalizeAddress } from "../chains/registry.ts";
import type { LoadedLists } from "../daemon/lists.ts";
import { bareIncident } from "../daemon/watch-entry.ts";
import type { GivenInput, GivenOutcome, GivenSignature } from "../daemon/watch-given.ts";
import { ConfigError, describeError } from "../lib/errors.ts";
import type { EntryBasis, EntryRole } from "../types/watch.ts";
import type { ImportFormat, ImportOptions, ListInput } from "../types/watchlist-format.ts";
import { type Disagreement, findDisagreements } from "../watchlist/disagreements.ts";
import { findFormat } from "../watchlist/find-format.ts";
import { toGivenList } from "../watchlist/given-list.ts";
import { type ImportResult, importList } from "../watchlist/import-list.ts";
import { SIGNATURE_EXTENSION } from "../watchlist/list-signature.ts";
import { resolveList } from "../watchlist/load.ts";
import { parseMinisignKey, SignatureError, verifyMinisign } from "../watchlist/minisign.ts";
import { describeProblem, escapeInvisible } from "../watchlist/problems.ts";
import { EXIT, readConfig } from "./context.ts";
import { describeHygiene, hygieneOfList } from "./import-hygiene.ts";
import { paint, print, printJson } from "./output.ts";
import { storedLists } from "./stored-lists.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface ImportCommandOptions extends PersonOptions {
  readonly format?: string;
  readonly list?: string;
  readonly incident?: string;
  readonly role: EntryRole;
  readonly basis: EntryBasis;
  readonly source?: string;
  readonly sanctionsList?: string;
  readonly acceptValid?: boolean;
  readonly acceptShrink?: boolean;
  readonly canary?: readonly string[];
  readonly maxAge?: number;
  readonly key?: string;
  readonly signature?: string;
  readonly override?: string;
  readonly why?: string;
  readonly dryRun?: boolean;
}

interface Told {
  readonly read: ImportResult;
  readonly signed: string | null;
  readonly warnings: readonly string[];
  readonly disagreements: readonly Disagreement[];
  /** Null: the file itself is not fit for use. */
  readonly outcome: GivenOutcome | null;
}

export async function importWatch(file: string, options: ImportCommandOptions): Promise<number> {
  const config = readConfig(options);
  const found = await findFormat(file, options.format ?? null);
  if ("problem" in found) throw new ConfigError(found.problem);
  const lists = await storedLists(config, options);
  const read = await importList(file, {
    format: found.format,
    options: importOptions(file, { options, format: found.format, lists }),
    normalizeAddress,
    acceptValid: options.acceptValid === true,
  });
  const signed = options.key === undefined ? null : await verifySigned(file, { read, options, key: options.key });
  const { list } = read;
  if (list === null)
    return tell({ read, signed, warnings: [], disagreements: [], outcome: null }, { file, options, list });
  if (options.list !== undefined && options.list !== list.list)
    throw new ConfigError(`${file} says itself which list it is: ${list.list}, not ${options.list}`);
  const warnings = describeHygiene(await hygieneOfList(list, lists), file);
  const disagreements = disagreementsOf(list, { file, lists });
  const signature = await signatureOf(file, { read, options });
  const args = { ...givenInput(file, { list, options }), signature };
  const outcome = await askWatch<GivenOutcome>(config, { name: "watch.import", args, options });
  return tell({ read, signed, warnings, disagreements, outcome }, { file, options, list });
}

function importOptions(
  file: string,
  of: { options: ImportCommandOptions; format: ImportFormat; lists: LoadedLists },
): ImportOptions {
  const { options, lists } = of;
  const name = path.basename(file);
  const list = options.list ?? slugOf(name);
  const id = options.incident ?? list;
  const known = lists.loaded.find(({ incident }) => incident.id === id)?.incident;
  return {
    file,
    list,
    incident: known ?? bareIncident(id),
    today: new Date().toISOString().slice(0, 10),
    role: options.role,
    basis: options.basis,
    confidence: "named_by_researcher",
    source: options.source ?? `file:${name}`,
    sanctionsList: options.sanctionsList ?? null,
  };
}

/** A list is called like its file, where nobody says otherwise. */
function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/\.[a-z0-9]+$/, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64);
  if (slug === "") throw new ConfigError(`${name}: no list can be called like it; name one with --list`);
  return slug;
}

/** Who signed it, and the trusted comment. Throws ConfigError: an import that names a key takes nothing without it. */
async function verifySigned(
  file: string,
  of: { read: ImportResult; options: ImportCommandOptions; key: string },
): Promise<string> {
  const signatureFile = of.options.signature ?? `${file}${SIGNATURE_EXTENSION}`;
  try {
    const keys = [parseMinisignKey(await readFile(of.key, "utf8"))];
    const signature = await readFile(signatureFile, "utf8");
    const content = { blake2b512: of.read.blake2b512, bytes: null };
    const { key, comment } = verifyMinisign({ keys, signature, content });
    return `Signed by the key ${key}: ${comment}`;
  } catch (error) {
    const what = error instanceof SignatureError ? error.message : escapeInvisible(describeError(error));
    throw new ConfigError(`${signatureFile}: ${what}. Nothing was imported.`, { cause: error });
  }
}

/** For the daemon, which knows whose signature the list needs; undefined: there is none beside the file. */
async function signatureOf(
  file: string,
  { read, options }: { read: ImportResult; options: ImportCommandOptions },
): Promise<GivenSignature | undefined> {
  const text = await readFile(options.signature ?? `${file}${SIGNATURE_EXTENSION}`, "utf8").catch(() => null);
  return text === null ? undefined : { text, blake2b512: Buffer.from(read.blake2b512).toString("hex") };
}

function givenInput(file: string, of: { list: ListInput; options: ImportCommandOptions }): GivenInput {
  const { canary, maxAge, acceptShrink, dryRun, override, why } = of.options;
  return {
    list: toGivenList(of.list),
    from: path.basename(file),
    acceptShrink: acceptShrink === true,
    canaries: canary ?? [],
    ageMaxDays: maxAge ?? null,
    override,
    why,
    dryRun: dryRun === true,
  };
}

/** Where the other lists say something else about an address of this one. */
function disagreementsOf(
  list: ListInput,
  { file, lists }: { file: string; lists: LoadedLists },
): readonly Disagreement[] {
  const ours = resolveList(list, file, normalizeAddress).list.entries.map(({ entry }) => entry);
  const keys = new Set(ours.map(({ chain, address }) => `${chain}/${address}`));
  const others = lists.loaded
    .filter((one) => one.list !== list.list)
    .flatMap(({ entries }) => entries.map(({ entry }) => entry))
    .filter(({ chain, address }) => keys.has(`${chain}/${address}`));
  return findDisagreements([...ours, ...others]);
}

interface ToldOf {
  readonly file: string;
  readonly options: ImportCommandOptions;
  readonly list: ListInput | null;
}

function tell(told: Told, of: ToldOf): number {
  const { read, outcome } = told;
  if (of.options.json === true) {
    const { problems, problemCount, sha256, joined, noAdapter, withdrawn } = read;
    const { signed, disagreements } = told;
    const warnings = [...read.warnings.map(describeProblem), ...told.warnings];
    printJson({
      ...outcome,
      problems,
      problemCount,
      warnings,
      disagreements,
      signed,
      sha256,
      joined,
      noAdapter,
      withdrawn,
    });
  } else for (const line of describe(told, of)) print(line);
  return outcome === null || outcome.refusals.length > 0 ? EXIT.fix : EXIT.ok;
}

function* describe({ read, signed, warnings, disagreements, outcome }: Told, of: ToldOf): Generator<string> {
  if (signed !== null) yield signed;
  for (const problem of read.problems) yield paint("red", `refused: ${describeProblem(problem)}`);
  for (const warning of read.warnings) yield paint("yellow", `warning: ${describeProblem(warning)}`);
  for (const warning of warnings) yield paint("yellow", `warning: ${warning}`);
  for (const { line, chain, address, reason } of read.withdrawn)
    yield `taken back by the file, line ${line}: ${address} on ${chain} (${escapeInvisible(reason)})`;
  for (const { chain, address, differs, entries } of disagreements)
    yield `lists disagree about ${address} on ${chain} (${differs.join(", ")}): ${entries.map(({ list }) => list).join(", ")}`;
  if (outcome === null) {
    yield paint("red", `Nothing was imported: ${read.problemCount} problems. --accept-valid takes the good rows.`);
    return;
  }
  yield* describeOutcome(outcome, of);
}

function* describeOutcome({ refusals, imported }: GivenOutcome, { file, options, list }: ToldOf): Generator<string> {
  for (const refusal of refusals) {
    const line = "address" in refusal ? (lineOf(list, refusal) ?? 0) : 0;
    yield paint("red", `refused: ${file}${line > 0 ? `:${line}` : ""}: ${refusal.text}${HELP[refusal.code] ?? ""}`);
  }
  if (refusals.length > 0) {
    yield paint("red", "Nothing was imported.");
    return;
  }
  const { added, changed, held, proposalId } = imported;
  for (const entry of added) yield paint("green", `  + ${entry}`);
  for (const entry of changed) yield paint("yellow", `  ~ ${entry}`);
  for (const entry of held) yield paint("red", `  - ${entry}: dropped or weaker, stays until a second person approves`);
  const done = `${imported.list} ${imported.version}: ${added.length} added, ${changed.length} changed, ${held.length} proposed`;
  yield options.dryRun === true ? `Would be, nothing was imported: ${done}.` : `Imported ${done}.`;
  if (proposalId !== null) yield `heistwatch watch approve ${proposalId}`;
}

const OVERRIDE = "; --override WHY watches it all the same";
const HELP: Readonly<Record<string, string>> = {
  shrinks: "; --accept-shrink takes it, and what it drops waits for a second person",
  own: OVERRIDE,
  burn: OVERRIDE,
  service: OVERRIDE,
};

function lineOf(list: ListInput | null, of: { chain: string; address: string }): number | undefined {
  return list?.entries.find(({ chain, address }) => chain === of.chain && address === of.address)?.line;
}
