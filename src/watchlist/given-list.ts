/** A list as one value, in the words of our own files: handed over by a person, and checked like any file. */
import { z } from "zod";
import type { FileProblem, ListInput, WatchEntryInput } from "../types/watchlist-format.ts";
import type { NormalizeAddress } from "./addresses.ts";
import { check, mapping } from "./fields.ts";
import { HEAD_FIELDS, readRow, toHead } from "./formats/native-entry.ts";
import { type LoadedList, resolveList } from "./load.ts";
import { createProblems } from "./problems.ts";

const listSchema = mapping({ ...HEAD_FIELDS, entries: z.array(z.unknown(), { error: "a list of entries" }) });

/** The value that `parseGivenList` reads: numbers as text, like those of a file. */
export function toGivenList({ list, version, incident, entries }: ListInput): object {
  return {
    format: "heistwatch/1",
    list,
    version,
    incident: { ...incident, lossUsd: incident.lossUsd === null ? null : String(incident.lossUsd) },
    entries: entries.map(({ line: _line, ...row }) => ({ ...row, independentSources: String(row.independentSources) })),
  };
}

/** `from`: the name of its file, shown in problems. The list may be used only where there are no problems. */
export function parseGivenList(
  value: unknown,
  { from, normalizeAddress }: { readonly from: string; readonly normalizeAddress: NormalizeAddress },
): { readonly list: LoadedList | null; readonly problems: readonly FileProblem[] } {
  const problems = createProblems(from);
  const lineOf = () => 0;
  const given = check(listSchema, { value, path: [], lineOf }, problems);
  if (given === null) return { list: null, problems: problems.list() };
  const rows: WatchEntryInput[] = [];
  for (const [index, one] of given.entries.entries()) {
    const row = readRow(one, null, { path: ["entries", index], lineOf, problems });
    if (row !== null) rows.push(row);
  }
  const { list, version, incident } = toHead(given);
  const resolved = resolveList({ list, version, incident, entries: rows }, from, normalizeAddress);
  return { list: resolved.list, problems: [...problems.list(), ...resolved.problems] };
}
