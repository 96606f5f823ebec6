/** CSV (RFC 4180) to rows of text with their line. Linear, and a quote left open costs one problem, not the file's rest. */
import type { Problems } from "./problems.ts";

export interface CsvRow {
  /** Where the row begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A row cannot hold more: four short fields. */
const ROW_LENGTH_MAX = 4096;
const PLAIN_FIELD = /[^,"]*/y;
const QUOTED_FIELD = /"((?:[^"]|"")*)"/y;

/** One row a line: none of our fields may hold a line break, so a quote left open cannot swallow the lines after it. */
export function* readCsv(text: string, problems: Problems): Generator<CsvRow> {
  let start = text.startsWith("\ufeff") ? 1 : 0;
  for (let line = 1; start < text.length; line += 1) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    const row = text.slice(start, end > start && text[end - 1] === "\r" ? end - 1 : end);
    start = end + 1;
    if (row.trim() === "") continue;
    const fields = row.length > ROW_LENGTH_MAX ? `a line of ${row.length} characters` : splitRow(row);
    if (typeof fields !== "string") yield { line, fields };
    else
      problems.add({
        line,
        field: "",
        found: fields,
        allowed: `comma-separated fields, at most ${ROW_LENGTH_MAX} characters a line`,
      });
  }
}

/** The fields, or what is wrong. */
function splitRow(row: string): string[] | string {
  const fields: string[] = [];
  for (let at = 0; ; at += 1) {
    const isQuoted = row[at] === '"';
    const pattern = isQuoted ? QUOTED_FIELD : PLAIN_FIELD;
    pattern.lastIndex = at;
    const match = pattern.exec(row);
    if (match === null) return "a quote that is not closed on its line";
    fields.push(isQuoted ? (match[1] ?? "").replaceAll('""', '"') : match[0].trim());
    at += match[0].length;
    if (at >= row.length) return fields;
    if (row[at] !== ",") return "a quote inside a field, or text after a closing quote";
  }
}
