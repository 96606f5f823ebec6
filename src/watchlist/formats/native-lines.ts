/** Our own format, one JSON object a line: first the head of the list, then a row a line. For lists of any size. */
import type { FormatReader, ImportFormat, ListHead, ReadContext } from "../../types/watchlist-format.ts";
import { check, mapping } from "../fields.ts";
import { JsonTextError, parseJsonText } from "../json-text.ts";
import { createLineSplitter, LINE_LENGTH_MAX } from "../line-splitter.ts";
import type { LocatedYaml } from "../located-yaml.ts";
import { createProblems, type Problems } from "../problems.ts";
import { HEAD_FIELDS, type NativeHead, readRow, toHead } from "./native-entry.ts";

const headSchema = mapping(HEAD_FIELDS);
/** Ten million rows with a label and a source. */
const BYTES_MAX = 8 * 1024 * 1024 * 1024;

export const nativeLines: ImportFormat = {
  name: "heistwatch-lines",
  title: "heistwatch list (JSON lines)",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: false,
  looksLike: (start) => /^\ufeff?\s{0,100}\{[^\n]{0,2000}"format"\s{0,9}:\s{0,9}"heistwatch\/1"/.test(start),
  createReader(context): FormatReader {
    let head: NativeHead | null = null;
    const lines = createLineSplitter({
      onLine(text, line) {
        if (context.failed || text.trim() === "") return;
        if (head === null) head = readHead(text, line, context);
        else addRow(text, line, head, context);
      },
      onTooLong: (line) => context.refuse(tooLong(line)),
    });
    return {
      write: (text) => lines.write(text),
      *finish(): Generator<undefined, ListHead | null> {
        lines.end();
        yield;
        return head;
      },
    };
  },
};

export function tooLong(line: number) {
  return { line, field: "", found: "a longer line", allowed: `at most ${LINE_LENGTH_MAX} characters` };
}

function readHead(text: string, line: number, context: ReadContext): NativeHead | null {
  const problems = createProblems(context.options.file);
  const located = readLine(text, line, problems);
  const head = located && check(headSchema, { ...located, path: [] }, problems);
  // Also the words of the rows' sources stand in the head: without it no row is right.
  for (const problem of problems.list()) context.fail(problem);
  return head === null ? null : toHead(head);
}

function addRow(text: string, line: number, head: NativeHead, context: ReadContext): void {
  const problems = createProblems(context.options.file);
  const located = readLine(text, line, problems);
  const row = located && readRow(located.value, head.refs, { path: [], lineOf: located.lineOf, problems });
  for (const problem of problems.list()) context.refuse(problem);
  if (row !== null) context.add(row);
}

/** One line of JSON, or null after telling what it is. */
export function readLine(text: string, line: number, problems: Pick<Problems, "add">): LocatedYaml | null {
  try {
    return parseJsonText(text, line);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    problems.add({ line: error.line, field: "", found: error.found, allowed: "one JSON object a line" });
    return null;
  }
}
