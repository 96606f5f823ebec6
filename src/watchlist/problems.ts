/** Collects what is wrong with one file, all at once, in words that are safe to print. */
import type { FileProblem } from "../types/watchlist-format.ts";

/** A file of a million wrong rows should not become a million lines of output. */
const PROBLEMS_MAX = 500;
const FOUND_LENGTH_MAX = 80;

export interface Problems {
  add(problem: Omit<FileProblem, "file">): void;
  readonly count: number;
  /** By line, then field. */
  list(): readonly FileProblem[];
}

export function createProblems(file: string): Problems {
  const kept: FileProblem[] = [];
  let count = 0;
  return {
    add(problem) {
      count += 1;
      if (kept.length < PROBLEMS_MAX) kept.push({ file, ...problem });
    },
    get count() {
      return count;
    },
    list() {
      const sorted = kept.toSorted((a, b) => a.line - b.line || compareText(a.field, b.field));
      if (count > kept.length) {
        sorted.push({ file, line: 0, field: "", found: `${count - kept.length} more problems`, allowed: "none" });
      }
      return sorted;
    },
  };
}

/** Code unit order: the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One line for a person: `file:line: field: found X; allowed: Y`. */
export function describeProblem(problem: FileProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
  const field = problem.field === "" ? "" : `${problem.field}: `;
  return `${place}: ${field}found ${problem.found}; allowed: ${problem.allowed}`;
}

/** A value from a file as one short line. Escaped: a hostile file must not write to the operator's terminal. */
export function showFound(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value === null || typeof value === "boolean") return `${value}`;
  if (typeof value !== "string") return "a mapping";
  const cut = value.length > FOUND_LENGTH_MAX ? `${value.slice(0, FOUND_LENGTH_MAX)}…` : value;
  return JSON.stringify(escapeInvisible(cut)).replaceAll("\\\\u{", "\\u{");
}

/** Control, format (bidi, zero width, tags), line separator, lone surrogate and private characters. */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;
const INVISIBLE_ALL = new RegExp(INVISIBLE, "gu");

export function hasInvisible(text: string): boolean {
  return INVISIBLE.test(text);
}

export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE_ALL, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
