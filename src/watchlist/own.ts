/**
 * The operator's own addresses, from YAML and CSV files.
 * Across all files one address belongs to one customer and one wallet; saying the same twice is harmless.
 */
import path from "node:path";
import { z } from "zod";
import type { FileProblem } from "../types/watchlist-format.ts";
import type { OwnAddress } from "../types/watch.ts";
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import { addressField, chainField, check, choiceField, mapping, optional, textField } from "./fields.ts";
import { findFiles, readText, wholeFile } from "./files.ts";
import { readYaml, YAML_BYTES_MAX } from "./located-yaml.ts";
import { readCsv } from "./csv-rows.ts";
import { createProblems, type Problems, showFound } from "./problems.ts";

const EXTENSIONS = [".yaml", ".yml", ".csv"];
/** About 900,000 addresses; 500,000 take 0.8 GB while they load (measured). */
const CSV_BYTES_MAX = 64 * 1024 * 1024;
const COLUMNS = ["chain", "address", "customerRef", "wallet"] as const;

const rowSchema = mapping({
  chain: chainField,
  address: addressField,
  customerRef: optional(textField(200)),
  wallet: choiceField(["deposit", "hot", "cold", "other"]),
});

const fileSchema = mapping({
  format: z.literal("heistwatch-own/1", { error: "heistwatch-own/1" }),
  addresses: z.array(z.unknown(), { error: "a list of addresses" }),
});

export interface OwnOptions {
  readonly paths: readonly string[];
  readonly normalizeAddress: NormalizeAddress;
}

export interface OwnResult {
  readonly own: readonly OwnAddress[];
  readonly problems: readonly FileProblem[];
  /** How many of `own` are on chains that no adapter reads yet. */
  readonly noAdapter: number;
}

interface OwnRow extends OwnAddress {
  readonly line: number;
}

export async function loadOwn(options: OwnOptions): Promise<OwnResult> {
  const search = await findFiles({ paths: options.paths, extensions: EXTENSIONS });
  const problems: FileProblem[] = [...search.problems];
  const known: Known = { places: new Map(), own: [], noAdapter: 0 };
  for (const file of search.files) {
    const extension = path.extname(file).toLowerCase();
    if (!EXTENSIONS.includes(extension)) {
      problems.push(wholeFile(file, "a file name of no known format", `a name ending in ${EXTENSIONS.join(", ")}`));
      continue;
    }
    const isCsv = extension === ".csv";
    const read = await readText(file, isCsv ? CSV_BYTES_MAX : YAML_BYTES_MAX);
    if ("problem" in read) {
      problems.push(read.problem);
      continue;
    }
    const ofFile = createProblems(file);
    const rows = isCsv ? csvRows(read.text, ofFile) : yamlRows(read.text, ofFile);
    for (const row of rows) addRow(row, { file, known, problems: ofFile, normalize: options.normalizeAddress });
    problems.push(...ofFile.list());
  }
  return { own: known.own, problems, noAdapter: known.noAdapter };
}

interface Known {
  /** By chain and address: the row that said it first, and where. */
  readonly places: Map<string, { readonly file: string; readonly line: number; readonly own: OwnAddress }>;
  readonly own: OwnAddress[];
  noAdapter: number;
}

interface Adding {
  readonly file: string;
  readonly known: Known;
  readonly problems: Problems;
  readonly normalize: NormalizeAddress;
}

function addRow(row: OwnRow, { file, known, problems, normalize }: Adding): void {
  const canonical = canonicalAddress(normalize, row.chain, row.address);
  if (canonical === null) {
    problems.add({ line: row.line, field: "address", found: showFound(row.address), allowed: notAnAddress(row.chain) });
    return;
  }
  const key = `${row.chain}/${canonical.address}`;
  const earlier = known.places.get(key);
  if (earlier === undefined) {
    const own = { chain: row.chain, address: canonical.address, customerRef: row.customerRef, wallet: row.wallet };
    known.places.set(key, { file, line: row.line, own });
    known.own.push(own);
    if (!canonical.hasAdapter) known.noAdapter += 1;
    return;
  }
  for (const field of ["customerRef", "wallet"] as const) {
    if (earlier.own[field] === row[field]) continue;
    const place = `${earlier.file}:${earlier.line}`;
    const found = `${showFound(row[field])} for ${canonical.address}, which is ${showFound(earlier.own[field])} at ${place}`;
    problems.add({ line: row.line, field, found, allowed: "one customer and one wallet for each address" });
  }
}

function* yamlRows(text: string, problems: Problems): Generator<OwnRow> {
  const yaml = readYaml(text, problems);
  if (yaml === null) return;
  const file = check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  for (const [index, value] of (file?.addresses ?? []).entries()) {
    const at = ["addresses", index];
    const row = check(rowSchema, { value, path: at, lineOf: yaml.lineOf }, problems);
    if (row !== null) yield { ...row, line: yaml.lineOf(at) };
  }
}

function* csvRows(text: string, problems: Problems): Generator<OwnRow> {
  let columns: readonly string[] | null = null;
  for (const { line, fields } of readCsv(text, problems)) {
    if (columns === null) {
      // A header is required: without it two swapped columns of a bank's export go unnoticed.
      if (fields.toSorted().join() !== COLUMNS.toSorted().join()) {
        problems.add({
          line,
          field: "",
          found: showFound(fields.join(",")),
          allowed: `the header ${COLUMNS.join(",")}`,
        });
        return;
      }
      columns = fields;
    } else if (fields.length !== columns.length) {
      problems.add({
        line,
        field: "",
        found: `${fields.length} fields`,
        allowed: `${columns.length}, as in the header`,
      });
    } else {
      // An empty field is "not known", which only customerRef may be.
      const value = Object.fromEntries(columns.map((column, index) => [column, fields[index] || null]));
      const row = check(rowSchema, { value, path: [], lineOf: () => line }, problems);
      if (row !== null) yield { ...row, line };
    }
  }
  if (columns === null && problems.count === 0) {
    problems.add({ line: 0, field: "", found: "an empty file", allowed: `the header ${COLUMNS.join(",")}` });
  }
}
