/**
 * The operator's own addresses, from YAML and CSV files.
 * Across all files one address belongs to one customer and one wallet; saying the same twice is harmless.
 */
import path from "node:path";
import { z } from "zod";
import { inSlices } from "../lib/slices.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import type { NormalizeAddress } from "./addresses.ts";
import { check, mapping } from "./fields.ts";
import { findFiles, readText, wholeFile } from "./files.ts";
import { readYaml, YAML_BYTES_MAX } from "./located-yaml.ts";
import { ownRowsOfCsv } from "./own-csv.ts";
import { createOwnIndexBuilder, type OwnIndex } from "./own-index.ts";
import { addRow, type Known } from "./own-intake.ts";
import { type OwnRow, ownRowSchema } from "./own-row.ts";
import { createProblems, type Problems } from "./problems.ts";

const EXTENSIONS = [".yaml", ".yml", ".csv"];

const fileSchema = mapping({
  format: z.literal("heistwatch-own/1", { error: "heistwatch-own/1" }),
  addresses: z.array(z.unknown(), { error: "a list of addresses" }),
});

export interface OwnOptions {
  readonly paths: readonly string[];
  readonly normalizeAddress: NormalizeAddress;
}

export interface OwnResult {
  readonly own: OwnIndex;
  readonly problems: readonly FileProblem[];
  /** How many of `own` are on chains that no adapter reads yet. */
  readonly noAdapter: number;
}

const NEVER = new AbortController().signal;

export async function loadOwn(options: OwnOptions): Promise<OwnResult> {
  const search = await findFiles({ paths: options.paths, extensions: EXTENSIONS });
  const problems: FileProblem[] = [...search.problems];
  const known: Known = { builder: createOwnIndexBuilder(), sources: search.files, noAdapter: 0 };
  for (const [source, file] of search.files.entries()) {
    const ofFile = createProblems(file);
    const adding = { source, known, problems: ofFile, normalize: options.normalizeAddress };
    for await (const rows of rowsOf(file, ofFile)) for (const row of rows) addRow(row, adding);
    problems.push(...ofFile.list());
  }
  return { own: await inSlices(known.builder.finish(), NEVER), problems, noAdapter: known.noAdapter };
}

async function* rowsOf(file: string, problems: Problems): AsyncGenerator<readonly OwnRow[]> {
  const extension = path.extname(file).toLowerCase();
  if (extension === ".csv") {
    yield* ownRowsOfCsv(file, problems);
    return;
  }
  if (!EXTENSIONS.includes(extension)) {
    const allowed = `a name ending in ${EXTENSIONS.join(", ")}`;
    return problems.add(wholeFile(file, "a file name of no known format", allowed));
  }
  const read = await readText(file, YAML_BYTES_MAX);
  if ("problem" in read) return problems.add(read.problem);
  yield [...yamlRows(read.text, problems)];
}

function* yamlRows(text: string, problems: Problems): Generator<OwnRow> {
  const yaml = readYaml(text, problems);
  if (yaml === null) return;
  const file = check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  for (const [index, value] of (file?.addresses ?? []).entries()) {
    const at = ["addresses", index];
    const row = check(ownRowSchema, { value, path: at, lineOf: yaml.lineOf }, problems);
    if (row !== null) yield { ...row, line: yaml.lineOf(at) };
  }
}
