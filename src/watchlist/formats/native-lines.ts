/** Our own format, one JSON object a line: first the head of the list, then a row a line. For lists of any size. */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import { check, mapping } from "../fields.ts";
import { createProblems } from "../problems.ts";
import { HEAD_FIELDS, type NativeHead, readRow, toHead } from "./native-entry.ts";
import { createLineReader, readJsonLine } from "./readers.ts";

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
  createReader(context) {
    let head: NativeHead | null = null;
    function onLine(text: string, line: number): void {
      if (context.failed || text.trim() === "") return;
      if (head === null) head = readHead(text, line, context);
      else addRow(text, line, head, context);
    }
    return createLineReader({ onLine, head: () => head }, context);
  },
};

function readHead(text: string, line: number, context: ReadContext): NativeHead | null {
  const problems = createProblems(context.options.file);
  const located = readJsonLine(text, line, problems);
  const head = located && check(headSchema, { ...located, path: [] }, problems);
  // Also the words of the rows' sources stand in the head: without it no row is right.
  for (const problem of problems.list()) context.fail(problem);
  return head === null ? null : toHead(head);
}

function addRow(text: string, line: number, head: NativeHead, context: ReadContext): void {
  const problems = createProblems(context.options.file);
  const located = readJsonLine(text, line, problems);
  const row = located && readRow(located.value, head.refs, { path: [], lineOf: located.lineOf, problems });
  for (const problem of problems.list()) context.refuse(problem);
  if (row !== null) context.add(row);
}
