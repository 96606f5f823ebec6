/**
 * One YAML file as a tree that knows its lines. Duplicate keys, aliases, tags and files over 1 MB are refused: each is
 * a way to make a reviewer read something else than the program does.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { errorCode } from "./error-code.ts";
import { formatPath, type Path, type Problem, showText } from "./problems.ts";

const BYTES_MAX = 1_000_000; // A hand-written file is a few kB; more is a mistake or an attack on the parser.

export interface YamlFile {
  readonly file: string;
  readonly value: unknown;
  /** The line of the value at `path`, or of the closest thing above it that exists. */
  lineOf(path: Path): number | null;
}

/** `yaml` is null when the file is so broken that nothing in it can be judged. */
export interface YamlRead {
  readonly yaml: YamlFile | null;
  readonly problems: readonly Problem[];
}

export function readYamlFile(file: string): YamlRead {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    const code = errorCode(error);
    const found = code === "ENOENT" ? "no such file" : `a file that cannot be read (${code})`;
    return { yaml: null, problems: [{ ...nothing, file, found, allowed: "a readable YAML file of at most 1 MB" }] };
  }
  return parseYaml(file, text);
}

const nothing = { line: null, path: "", suggestion: null };

function readText(file: string): string {
  const handle = openSync(file, "r");
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw Object.assign(new Error("not a file"), { code: "not a regular file" });
    if (stat.size > BYTES_MAX) throw Object.assign(new Error("too big"), { code: "larger than 1 MB" });
    return readFileSync(handle, "utf8");
  } finally {
    closeSync(handle);
  }
}

function parseYaml(file: string, text: string): YamlRead {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // A pretty error quotes the source line, and that line may hold a secret.
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: "silent",
  });
  const duplicates = document.errors.filter((error) => error.code === "DUPLICATE_KEY");
  // The first error that breaks the structure: those after it are mostly its echo.
  const broken = document.errors.filter((error) => error.code !== "DUPLICATE_KEY").slice(0, 1);
  const errors = [...duplicates, ...broken, ...document.warnings];
  const problems = errors.map((error) => problemOf({ file, lines, document, text, error }));
  visit(document, {
    Alias: (_key, alias, ancestors) => {
      const line = alias.range ? lines.linePos(alias.range[0]).line : null;
      const path = formatPath(pathOf(ancestors));
      problems.push({
        file,
        line,
        path,
        found: "an alias (`*name`)",
        allowed: "the value itself, written out",
        suggestion: null,
      });
    },
  });
  if (problems.length > duplicates.length) return { yaml: null, problems };
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  return { yaml: { file, value, lineOf: (path) => lineOf(document, lines, path) }, problems };
}

interface ErrorPlace {
  readonly file: string;
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
  readonly text: string;
  readonly error: YAMLError;
}

function problemOf({ file, lines, document, text, error }: ErrorPlace): Problem {
  const line = lines.linePos(error.pos[0]).line;
  const base = { file, line, suggestion: null };
  if (error.code === "DUPLICATE_KEY") {
    const path = pathAtOffset(document, error.pos[0]);
    const key = path.at(-1);
    const name = showText(key === undefined ? text.slice(error.pos[0], error.pos[0] + 20) : String(key));
    return { ...base, path: formatPath(path), found: `the key ${name} a second time`, allowed: "each key once" };
  }
  if (error.code === "BAD_ALIAS")
    return { ...base, path: "", found: "an alias (`*name`)", allowed: "the value itself, written out" };
  if (error.code === "TAG_RESOLVE_FAILED")
    return { ...base, path: "", found: "a tag (`!name`)", allowed: "plain YAML values without tags" };
  if (error.code === "RESOURCE_EXHAUSTION")
    return { ...base, path: "", found: "a value nested too deeply to parse", allowed: "a few levels of nesting" };
  // The parser's own message may quote the source, so only its code is shown.
  return {
    ...base,
    path: "",
    found: `text that is not valid YAML here (${error.code})`,
    allowed: "valid YAML 1.2: check indentation, colons and quotes",
  };
}

function pathAtOffset(document: Document.Parsed, offset: number): Path {
  let path: Path = [];
  visit(document, {
    Pair: (_key, pair, ancestors) => {
      if (!isScalar(pair.key) || pair.key.range?.[0] !== offset) return undefined;
      path = [...pathOf(ancestors), String(pair.key.value)];
      return visit.BREAK;
    },
  });
  return path;
}

/** The keys and indexes on the way down to a node. */
function pathOf(ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  for (const [depth, ancestor] of ancestors.entries()) {
    if (isPair(ancestor) && isScalar(ancestor.key)) path.push(String(ancestor.key.value));
    if (isSeq(ancestor)) {
      const index = ancestor.items.indexOf(ancestors[depth + 1]);
      if (index >= 0) path.push(index);
    }
  }
  return path;
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | null {
  let node: unknown = document.contents;
  let offset = rangeStart(node);
  for (const part of path) {
    const next = childOf(node, part);
    if (next === null) break;
    offset = next.offset ?? offset;
    node = next.node;
  }
  return offset === null ? null : lines.linePos(offset).line;
}

function childOf(node: unknown, part: string | number): { node: unknown; offset: number | null } | null {
  if (isSeq(node) && typeof part === "number") {
    const item = node.items[part];
    return item === undefined ? null : { node: item, offset: rangeStart(item) };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((candidate) => isScalar(candidate.key) && String(candidate.key.value) === String(part));
  return pair === undefined ? null : { node: pair.value, offset: rangeStart(pair.key) };
}

function rangeStart(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
