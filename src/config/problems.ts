/**
 * What is wrong with a configuration, told so that a person can fix it without reading code.
 * A text from the file is shown only where it cannot be a secret: as an unknown key or a wrong choice, and then redacted.
 */
import { ConfigError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";

export type Path = readonly (string | number)[];

/** What is wrong with one value. */
export interface Refusal {
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string | null;
}

/** A refusal and where in the tree it stands. */
export interface Finding extends Refusal {
  readonly path: Path;
}

/** A finding placed in a file, ready to be shown. */
export interface Problem {
  readonly file: string;
  /** Null when the file could not be read as lines. */
  readonly line: number | null;
  /** For example `sinks.alerts[0].url`; empty for the file as a whole. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
  readonly suggestion: string | null;
}

export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[\w-]{1,40}$/.test(part) && !looksSecret(part)) text += text === "" ? part : `.${part}`;
    else text += `[${showText(part)}]`;
  }
  return text;
}

export function formatProblem(problem: Problem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}`;
  const lines = [
    `${place}: ${problem.path === "" ? "(the file)" : problem.path}`,
    `    found: ${problem.found}`,
    `    allowed: ${problem.allowed}`,
  ];
  if (problem.suggestion !== null) lines.push(`    did you mean ${problem.suggestion}?`);
  return lines.join("\n");
}

/** One error that holds every problem, in the order of files and lines. */
export function configErrorOf(problems: readonly Problem[]): ConfigError {
  const sorted = problems.toSorted((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0));
  const count = sorted.length === 1 ? "1 problem" : `${sorted.length} problems`;
  const message = [`${count} in the configuration`, ...sorted.map(formatProblem)].join("\n");
  return new ConfigError(message, { details: { problems: sorted } });
}

/** What kind of thing stands there. Never the content of a text: it may be a secret in the wrong place. */
export function describeFound(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value (is everything under it commented out?)";
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return "a mapping";
  return typeof value === "number" || typeof value === "boolean" ? String(value) : `a ${typeof value}`;
}

/** A short text in quotes, unless it looks like a secret. */
export function showText(text: string): string {
  if (looksSecret(text)) return "(a text that is not shown: it looks like a secret)";
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(redactText(short));
}

/** A long run of characters with digits in it: a key, a token, a hash. Words of ours stay readable. */
export function looksSecret(text: string): boolean {
  const runs = text.match(/[A-Za-z0-9+/=_-]{20,}/g) ?? [];
  return runs.some((run) => /\d/.test(run)) || /wh(?:sec|sk)_/i.test(text);
}

/** The value at a path of a parsed file; undefined when the path leaves the tree. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** Every value that a pattern with `*` for "any key or index" leads to. */
export function valuesAt(root: unknown, pattern: readonly string[]): { path: Path; value: unknown }[] {
  let found: { path: Path; value: unknown }[] = [{ path: [], value: root }];
  for (const part of pattern) found = found.flatMap((from) => step(from, part));
  return found;
}

function step(from: { path: Path; value: unknown }, part: string): { path: Path; value: unknown }[] {
  const { value } = from;
  if (typeof value !== "object" || value === null) return [];
  const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const taken = part === "*" ? keys : keys.filter((key) => key === part);
  return taken.map((key) => ({ path: [...from.path, key], value: valueAt(value, [key]) }));
}
