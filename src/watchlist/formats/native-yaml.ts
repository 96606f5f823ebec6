/** The format of the shipped lists: one incident or list a file, `format: heistwatch/1`. */
import { z } from "zod";
import type {
  FormatReader,
  ImportFormat,
  ListInput,
  ReadContext,
  WatchEntryInput,
  WatchlistFormat,
} from "../../types/watchlist-format.ts";
import { check, mapping } from "../fields.ts";
import { type LocatedYaml, readYaml, YAML_BYTES_MAX } from "../located-yaml.ts";
import { createProblems, type Problems } from "../problems.ts";
import { HEAD_FIELDS, type NativeHead, readRow, toHead } from "./native-entry.ts";

const fileSchema = mapping({ ...HEAD_FIELDS, entries: z.array(z.unknown(), { error: "a list of entries" }) });

export const nativeYaml: WatchlistFormat = {
  name: "heistwatch/1",
  extensions: [".yaml", ".yml"],
  maxBytes: YAML_BYTES_MAX,
  parse(text, file) {
    const problems = createProblems(file);
    const yaml = readYaml(text, problems);
    const list = yaml === null ? null : readList(yaml, problems);
    return { list, problems: problems.list() };
  },
};

/** The same for `watch import`. The file is read as a whole: where its lines begin is known only then. */
export const nativeYamlImport: ImportFormat = {
  name: "heistwatch-yaml",
  title: "heistwatch list (YAML)",
  maxBytes: YAML_BYTES_MAX,
  encoding: "utf-8",
  repeats: false,
  looksLike: (start) => /^format:[ \t]*["']?heistwatch\/1\b/m.test(start),
  createReader(context): FormatReader {
    let text = "";
    return {
      write: (piece) => void (text += piece),
      *finish() {
        const problems = createProblems(context.options.file);
        const yaml = readYaml(text, problems);
        yield;
        const list = yaml === null ? null : readList(yaml, problems);
        report(problems, list, context);
        if (list === null) return null;
        for (const row of list.entries) context.add(row);
        return list;
      },
    };
  },
};

function report(problems: Problems, list: ListInput | null, context: ReadContext): void {
  for (const problem of problems.list()) {
    // A problem outside of the rows is one of the whole list.
    if (list === null || !problem.field.startsWith("entries[")) context.fail(problem);
    else context.refuse(problem);
  }
}

function readList(yaml: LocatedYaml, problems: Problems): ListInput | null {
  const checked = check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  const head: NativeHead | null = checked === null ? null : toHead(checked);
  // Rows are checked even under a broken head: one run tells everything that is wrong.
  const rows = checked?.entries ?? rowsOf(yaml.value);
  const entries: WatchEntryInput[] = [];
  for (const [index, value] of rows.entries()) {
    const row = readRow(value, head?.refs ?? null, { path: ["entries", index], lineOf: yaml.lineOf, problems });
    if (row !== null) entries.push(row);
  }
  if (head === null) return null;
  return { list: head.list, version: head.version, incident: head.incident, entries };
}

function rowsOf(value: unknown): readonly unknown[] {
  const rows: unknown = typeof value === "object" && value !== null && "entries" in value ? value.entries : [];
  return Array.isArray(rows) ? rows : [];
}
