/**
 * The one-way rule of docs/line.md as a checker: a source tree in, a list of violations out.
 * Works on the syntax tree, so a comment or a string that looks like an import means nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { parseSync } from "@swc/core";

/** A folder imports itself and folders of a lower rank; folders of one rank do not import each other. */
const RANKS: Readonly<Record<string, number>> = {
  types: 0,
  lib: 1,
  config: 2,
  watchlist: 2,
  chains: 2,
  ingest: 2,
  match: 2,
  value: 2,
  flow: 2,
  store: 2,
  queue: 2,
  alerts: 2,
  screening: 2,
  deliver: 2,
  evidence: 2,
  api: 2,
  dashboard: 2,
  daemon: 3,
  cli: 4,
};

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface SourceFile {
  /** Relative to the root of the tree, with `/`. */
  readonly path: string;
  readonly folder: string;
  readonly imports: readonly Import[];
  readonly exits: boolean;
  readonly onlyReexports: boolean;
}

type SyntaxNode = Readonly<Record<string, unknown>>;

/** Every violation under `root` (the `src` folder), one sentence each; empty when the rule holds. */
export function findLayerViolations(root: string): string[] {
  const violations = [...findFolderViolations(root)];
  const files = listFiles(root).filter(isSource);
  const sources = files.map((file) => readSource(root, file));
  for (const source of sources) violations.push(...findFileViolations(root, source));
  violations.push(...findCycles(root, sources));
  return violations.toSorted();
}

function findFolderViolations(root: string): string[] {
  const violations: string[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (!entry.isDirectory()) violations.push(`${entry.name}: a file outside of the folders of the line`);
    else if (!(entry.name in RANKS)) violations.push(`${entry.name}/: a folder that the table does not know`);
  }
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory() && listFiles(path).length === 0)
      violations.push(`${slashed(root, path)}/: an empty folder`);
  }
  return violations;
}

function findFileViolations(root: string, source: SourceFile): string[] {
  const violations: string[] = [];
  if (source.exits && source.folder !== "cli") violations.push(`${source.path}: process.exit outside of cli/`);
  if (source.onlyReexports) violations.push(`${source.path}: a barrel, it only re-exports`);
  for (const { specifier, typeOnly } of source.imports) {
    if (!specifier.startsWith(".")) {
      if (source.folder === "types" && !typeOnly)
        violations.push(`${source.path}: types/ imports the values of ${specifier}`);
      continue;
    }
    const target = targetOf(root, source, specifier);
    const folder = target.split("/")[0] ?? "";
    if (folder === "..") violations.push(`${source.path}: imports ${specifier}, outside of src/`);
    else if (!mayImport(source.folder, folder)) violations.push(`${source.path}: ${source.folder}/ imports ${target}`);
  }
  return violations;
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const fromRank = RANKS[from];
  const toRank = RANKS[to];
  // An unknown folder is reported once, as a folder.
  if (fromRank === undefined || toRank === undefined) return true;
  return toRank < fromRank;
}

/** Each cycle once, named from its alphabetically first file. Type imports count: a cycle of types is a cycle to read. */
function findCycles(root: string, sources: readonly SourceFile[]): string[] {
  const importsOf = new Map(
    sources.map((source) => [
      source.path,
      source.imports.filter((one) => one.specifier.startsWith(".")).map((one) => targetOf(root, source, one.specifier)),
    ]),
  );
  const cycles = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.add(nameCycle(trail.slice(start)));
    if (start !== -1 || done.has(path)) return;
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const source of sources) visit(source.path, []);
  return [...cycles];
}

function nameCycle(files: readonly string[]): string {
  const first = files.indexOf(files.toSorted()[0] ?? "");
  const ordered = [...files.slice(first), ...files.slice(0, first)];
  return `import cycle: ${[...ordered, ordered[0]].join(" -> ")}`;
}

function readSource(root: string, file: string): SourceFile {
  const path = slashed(root, file);
  const module = parseSync(readFileSync(file, "utf8"), { syntax: "typescript", tsx: file.endsWith("x") });
  const statements = module.body as unknown as readonly SyntaxNode[];
  const imports: Import[] = [];
  let exits = false;
  walk(module, (node) => {
    const found = importOf(node);
    if (found !== null) imports.push(found);
    exits ||= isProcessExit(node);
  });
  return { path, folder: path.split("/")[0] ?? "", imports, exits, onlyReexports: isBarrel(statements) };
}

function walk(node: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) for (const child of node) walk(child, visit);
  if (!isNode(node)) return;
  if (typeof node["type"] === "string") visit(node);
  for (const child of Object.values(node)) if (typeof child === "object") walk(child, visit);
}

/** `import ... from`, `export ... from`, `import("...")` and the type `import("...").Name`. */
function importOf(node: SyntaxNode): Import | null {
  switch (node["type"]) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      if (!isNode(node["source"])) return null;
      return { specifier: String(node["source"]["value"]), typeOnly: node["typeOnly"] === true };
    case "TsImportType":
      return isNode(node["argument"]) ? { specifier: String(node["argument"]["value"]), typeOnly: true } : null;
    case "CallExpression": {
      if (!isNode(node["callee"]) || node["callee"]["type"] !== "Import") return null;
      const first: unknown = Array.isArray(node["arguments"]) ? node["arguments"][0] : null;
      const argument = isNode(first) ? first["expression"] : null;
      return isNode(argument) && argument["type"] === "StringLiteral"
        ? { specifier: String(argument["value"]), typeOnly: false }
        : null;
    }
    default:
      return null;
  }
}

/** `process.exit`, called or handed on. */
function isProcessExit(node: SyntaxNode): boolean {
  if (node["type"] !== "MemberExpression") return false;
  const { object, property } = node;
  return isNode(object) && object["value"] === "process" && isNode(property) && property["value"] === "exit";
}

function isBarrel(statements: readonly SyntaxNode[]): boolean {
  const isReexport = (node: SyntaxNode) =>
    node["type"] === "ExportNamedDeclaration" || node["type"] === "ExportAllDeclaration";
  const isImport = (node: SyntaxNode) => node["type"] === "ImportDeclaration";
  return statements.some(isReexport) && statements.every((node) => isReexport(node) || isImport(node));
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSource(file: string): boolean {
  return /\.[cm]?tsx?$/.test(file) && !file.endsWith(".d.ts");
}

function listFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function targetOf(root: string, source: SourceFile, specifier: string): string {
  return slashed(root, resolve(root, dirname(source.path), specifier));
}

function slashed(root: string, path: string): string {
  return relative(root, path).split(sep).join("/");
}
