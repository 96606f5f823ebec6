/** CSV (RFC 4180) to rows of text with their line. Linear, and a quote left open costs one problem, not the file's rest. */
import type { Problems } from "./problems.ts";

export interface CsvRow {
  /** Where the row begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A row cannot hold more: four short fields. */
const ROW_LENGTH_MAX = 4096;
export const ROW_ALLOWED = `comma-separated fields, at most ${ROW_LENGTH_MAX} characters a line`;
/** What `splitRow` says of a field that goes on after the row's end. */
export const OPEN_QUOTE = "a quote that is not closed on its line";
const STRAY_QUOTE = "a quote inside a field, or text after a closing quote";

/** The row of one line, or null: blank, or told why not. None of our fields may hold a line break, so a quote left open cannot swallow the lines after it. */
export function rowOfLine({ text, line }: { text: string; line: number }, problems: Problems): CsvRow | null {
  if (text.trim() === "") return null;
  const fields = text.length > ROW_LENGTH_MAX ? `a line of ${text.length} characters` : splitRow(text);
  if (typeof fields !== "string") return { line, fields };
  problems.add({ line, field: "", found: fields, allowed: ROW_ALLOWED });
  return null;
}

/** The fields, or what is wrong. A quoted field may hold a line break where the caller joined the lines. */
export function splitRow(row: string, delimiter = ","): string[] | string {
  const fields: string[] = [];
  for (let at = 0; ; at += 1) {
    if (row[at] === '"') {
      const end = closingQuote(row, at + 1);
      if (end === -1) return OPEN_QUOTE;
      fields.push(row.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
    } else {
      const next = row.indexOf(delimiter, at);
      const field = row.slice(at, next === -1 ? row.length : next);
      if (field.includes('"')) return STRAY_QUOTE;
      fields.push(field.trim());
      at += field.length;
    }
    if (at >= row.length) return fields;
    if (row[at] !== delimiter) return STRAY_QUOTE;
  }
}

/** Two quotes in a quoted field stand for one. */
function closingQuote(row: string, from: number): number {
  let at = row.indexOf('"', from);
  while (at !== -1 && row[at + 1] === '"') at = row.indexOf('"', at + 2);
  return at;
}
