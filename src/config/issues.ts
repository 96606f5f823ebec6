/** What zod says about a file, in the form of our problems: all of it, each with its line. */
import type { z } from "zod";
import { KEY_SEPARATOR } from "./fields.ts";
import { describeFound, type Finding, formatPath, type Path, type Problem, showText, valueAt } from "./problems.ts";
import { nearest } from "./suggest.ts";
import type { YamlFile } from "./yaml-file.ts";

type Issue = z.core.$ZodIssue;

export function problemsOfIssues(issues: readonly Issue[], yaml: YamlFile): Problem[] {
  return issues.flatMap((issue) => findingsOf(issue, [], yaml.value)).map((finding) => placeFinding(finding, yaml));
}

export function placeFinding(finding: Finding, yaml: YamlFile): Problem {
  return {
    file: yaml.file,
    line: yaml.lineOf(finding.path),
    path: formatPath(finding.path),
    found: finding.found,
    allowed: finding.allowed,
    suggestion: finding.suggestion ?? null,
  };
}

function findingsOf(issue: Issue, above: Path, root: unknown): Finding[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  const value = valueAt(root, path);
  const finding = { path, found: describeFound(value), allowed: issue.message };
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path, issue.message));
  if (issue.code === "invalid_key") return [{ ...finding, found: `the key ${showText(String(path.at(-1)))}` }];
  if (issue.code === "custom") return [{ ...finding, ...ownParams(issue.params) }];
  const choices = choicesOf(issue);
  if (choices !== null && typeof value === "string") {
    return [{ ...finding, found: showText(value), suggestion: nearest(value, choices) }];
  }
  if (issue.code === "invalid_union") {
    const branch = branchMeant(issue.errors);
    if (branch !== null) return branch.flatMap((inner) => findingsOf(inner, path, root));
  }
  return [finding];
}

function unknownKey(key: string, above: Path, allowed: string): Finding {
  const suggestion = nearest(key, allowed.split(KEY_SEPARATOR));
  return { path: [...above, key], found: `the unknown key ${showText(key)}`, allowed, suggestion };
}

/** The values an enum, or the `kind` of a variant, could have had. */
function choicesOf(issue: Issue): string[] | null {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code === "invalid_union" && "options" in issue && issue.options !== undefined)
    return issue.options.map(String);
  return null;
}

/** The one form of a union that fits the kind of thing written: only its errors tell the person something. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = branches.filter(
    (issues) => !issues.some((issue) => issue.path.length === 0 && issue.code === "invalid_type"),
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function ownParams(params: Record<string, unknown> | undefined): { found: string; suggestion: string | null } {
  const { found, suggestion } = params ?? {};
  return {
    found: typeof found === "string" ? found : "a value that does not fit",
    suggestion: typeof suggestion === "string" ? suggestion : null,
  };
}
