/**
 * Watchlist files and folders to checked lists with canonical addresses.
 * All problems of all files come back together; the lists are fit for use only when there are none.
 */
import { createHash } from "node:crypto";
import type { FileProblem, IncidentInput, ListInput, WatchEntryInput } from "../types/watchlist-format.ts";
import type { WatchEntry } from "../types/watch.ts";
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import { findFiles, readText, wholeFile } from "./files.ts";
import { formatFor, WATCHLIST_FORMATS } from "./formats/registry.ts";
import { SIGNATURE_EXTENSION, signatureProblem } from "./list-signature.ts";
import { createProblems, type Problems, showFound } from "./problems.ts";

export interface LoadedEntry {
  readonly entry: WatchEntry;
  /** False: no adapter reads this entry's chain yet. */
  readonly hasAdapter: boolean;
}

export interface LoadedList {
  readonly file: string;
  readonly list: string;
  readonly version: string;
  readonly incident: IncidentInput;
  readonly entries: readonly LoadedEntry[];
}

export interface LoadOptions {
  readonly paths: readonly string[];
  readonly normalizeAddress: NormalizeAddress;
  /** Files of the keys that may sign a list; absent or empty: it needs no signature. */
  readonly keysOf?: (list: string) => readonly string[];
}

export interface LoadResult {
  readonly lists: readonly LoadedList[];
  readonly problems: readonly FileProblem[];
}

export async function loadWatchlists(options: LoadOptions): Promise<LoadResult> {
  const extensions = WATCHLIST_FORMATS.flatMap((format) => format.extensions);
  const search = await findFiles({ paths: options.paths, extensions });
  const problems: FileProblem[] = [...search.problems];
  const lists: LoadedList[] = [];
  // Watching nobody would look exactly like nobody moving.
  if (search.files.length === 0)
    problems.push(wholeFile(options.paths.join(", "), "no watchlist file", "at least one"));
  for (const file of search.files) {
    const format = formatFor(file);
    if (format === null) {
      problems.push(wholeFile(file, "a file name of no known format", `a name ending in ${extensions.join(", ")}`));
      continue;
    }
    const read = await readText(file, format.maxBytes);
    if ("problem" in read) {
      problems.push(read.problem);
      continue;
    }
    const parsed = format.parse(read.text, file);
    problems.push(...parsed.problems);
    if (parsed.list === null) continue;
    const keys = options.keysOf?.(parsed.list.list) ?? [];
    if (keys.length > 0) problems.push(...(await unsigned(file, { keys, bytes: read.bytes })));
    const resolved = resolveList(parsed.list, file, options.normalizeAddress);
    problems.push(...resolved.problems);
    lists.push(resolved.list);
  }
  problems.push(...compareLists(lists));
  return { lists, problems };
}

// A minisign signature has some 300 bytes.
const SIGNATURE_BYTES_MAX = 16 * 1024;

async function unsigned(
  file: string,
  { keys, bytes }: { keys: readonly string[]; bytes: Uint8Array },
): Promise<FileProblem[]> {
  const signature = await readText(`${file}${SIGNATURE_EXTENSION}`, SIGNATURE_BYTES_MAX);
  const problem = await signatureProblem({
    keys,
    signature: "text" in signature ? signature.text : null,
    content: { blake2b512: createHash("blake2b512").update(bytes).digest(), bytes },
  });
  return problem === null
    ? []
    : [wholeFile(file, `a list that ${problem}`, `a signature beside it, in ${file}${SIGNATURE_EXTENSION}`)];
}

/** Canonical addresses, and each (chain, address) once in its list. */
export function resolveList(
  input: ListInput,
  file: string,
  normalize: NormalizeAddress,
): { list: LoadedList; problems: readonly FileProblem[] } {
  const problems = createProblems(file);
  const lineOfSeen = new Map<string, number>();
  const entries: LoadedEntry[] = [];
  for (const row of input.entries) {
    const canonical = canonicalAddress(normalize, row.chain, row.address);
    if (canonical === null) {
      problems.add({
        line: row.line,
        field: "address",
        found: showFound(row.address),
        allowed: notAnAddress(row.chain),
      });
      continue;
    }
    const key = `${row.chain}/${canonical.address}`;
    const earlier = lineOfSeen.get(key);
    if (earlier !== undefined) {
      addDuplicate(problems, row, earlier);
      continue;
    }
    lineOfSeen.set(key, row.line);
    entries.push({ entry: toEntry(input, row, canonical.address), hasAdapter: canonical.hasAdapter });
  }
  const list = { file, list: input.list, version: input.version, incident: input.incident, entries };
  return { list, problems: problems.list() };
}

function addDuplicate(problems: Problems, row: WatchEntryInput, earlier: number): void {
  const found = `${showFound(row.address)} on ${row.chain}, already on line ${earlier}`;
  problems.add({ line: row.line, field: "address", found, allowed: "each address of a chain once in a list" });
}

function toEntry(list: ListInput, row: WatchEntryInput, address: string): WatchEntry {
  return {
    id: `${list.list}/${row.chain}/${address}`,
    list: list.list,
    listVersion: list.version,
    chain: row.chain,
    address,
    incident: list.incident.id,
    role: row.role,
    label: row.label,
    basis: row.basis,
    confidence: row.confidence,
    independentSources: row.independentSources,
    sanctioned: row.sanctioned,
    default: row.default,
    direction: row.direction,
    custodian: row.custodian,
    // Left out where it is not known: most lists do not say.
    ...(row.contract === undefined ? {} : { contract: row.contract }),
    ...(row.tlp == null ? {} : { tlp: row.tlp }),
    ...(row.case == null ? {} : { case: row.case }),
    ...(row.validFrom == null ? {} : { validFrom: row.validFrom }),
    ...(row.validUntil == null ? {} : { validUntil: row.validUntil }),
    note: row.note,
    sources: row.sources.map(({ ref, label, quoted }) => (quoted === null ? { ref, label } : { ref, label, quoted })),
  };
}

/** What no single file can tell: a list id is one file's, and an incident is told the same way everywhere. */
function compareLists(lists: readonly LoadedList[]): FileProblem[] {
  const problems: FileProblem[] = [];
  const byList = new Map<string, LoadedList>();
  const byIncident = new Map<string, LoadedList>();
  for (const list of lists) {
    const sameList = byList.get(list.list);
    if (sameList !== undefined) {
      const found = `${list.list}, the list of ${sameList.file} too`;
      problems.push({ file: list.file, line: 0, field: "list", found, allowed: "a list id of its own for each file" });
    }
    byList.set(list.list, list);
    const sameIncident = byIncident.get(list.incident.id);
    if (sameIncident !== undefined && alertFacts(sameIncident.incident) !== alertFacts(list.incident)) {
      const found = `${list.incident.id} with other facts than in ${sameIncident.file}`;
      problems.push({
        file: list.file,
        line: 0,
        field: "incident",
        found,
        allowed: "the same name, kind, date, attribution and disputed everywhere",
      });
    }
    byIncident.set(list.incident.id, sameIncident ?? list);
  }
  return problems;
}

function alertFacts(incident: IncidentInput): string {
  const { name, kind, date, attribution, attributionBasis, disputed } = incident;
  return JSON.stringify([name, kind, date, attribution, attributionBasis, disputed]);
}
