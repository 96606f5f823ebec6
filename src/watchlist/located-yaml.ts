/**
 * YAML text to plain values that remember their line. Only the plain part of YAML: no anchors, aliases, tags or
 * duplicate keys. Numbers stay text, because `0x12…` is an address and `00123` a customer's reference here.
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { escapeInvisible, INVISIBLE, type Problems, showFound } from "./problems.ts";

export type YamlValue = string | boolean | null | YamlList | YamlMapping;
export type YamlList = YamlValue[];
export interface YamlMapping {
  [key: string]: YamlValue;
}

export interface LocatedYaml {
  readonly value: YamlValue;
  /** Line of the deepest part of the path that exists. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

/** Room for about 40,000 rows. A larger list needs a format that is read line by line. */
export const YAML_BYTES_MAX = 16 * 1024 * 1024;
/** The parser needs up to 1.1 kB of memory for each of these characters (measured): 1.5 million stay under 2 GB. */
const MARKS_MAX = 1_500_000;
const MARKS = /[\n\r,:[\]{}?&*!|>'"%@`#-]/g;
const DEPTH_MAX = 12;
export const TOO_DEEP = "a nesting too deep to read";
const SUSPICIOUS = new RegExp(`(?![\\t\\r\\n])${INVISIBLE.source}`, "u");
/** Names that would reach an object's prototype in code that copies keys. */
export const REFUSED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Null when the text is not YAML at all; then `problems` says why. */
export function readYaml(text: string, problems: Problems): LocatedYaml | null {
  checkCharacters(text, problems);
  if (text.length > YAML_BYTES_MAX || (text.match(MARKS)?.length ?? 0) > MARKS_MAX) {
    problems.add({
      line: 0,
      field: "",
      found: `${text.length} characters`,
      allowed: `at most ${YAML_BYTES_MAX} and fewer than ${MARKS_MAX} YAML marks`,
    });
    return null;
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      schema: "failsafe", // every scalar is text; readScalar decides about null, true and false
      version: "1.2",
      uniqueKeys: false, // ours is linear, the library's is quadratic
      prettyErrors: false,
      logLevel: "error", // "silent" would also swallow the error about a second document
      lineCounter: lines,
    });
    for (const error of [...document.errors, ...document.warnings]) {
      const line = lines.linePos(error.pos[0]).line;
      const isTooDeep = error.code === "RESOURCE_EXHAUSTION"; // the library's stack overflow
      const found = isTooDeep ? TOO_DEEP : escapeInvisible(error.message.slice(0, 200));
      problems.add({ line, field: "", found, allowed: "plain YAML 1.2, one document" });
    }
    if (document.errors.length > 0) return null;
    return createReader(lines, problems).read(document.contents);
  } catch (error) {
    // The library recurses and catches most of its own stack overflows. Anything else is a bug of ours.
    if (!(error instanceof RangeError)) throw error;
    problems.add({ line: 0, field: "", found: TOO_DEEP, allowed: `at most ${DEPTH_MAX} levels` });
    return null;
  }
}

/** Also in comments: text that reads differently from what it is has no place in a list people review. */
function checkCharacters(text: string, problems: Problems): void {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  if (!SUSPICIOUS.test(body)) return;
  for (const [index, line] of body.split("\n").entries()) {
    const char = SUSPICIOUS.exec(line)?.[0];
    if (char === undefined) continue;
    problems.add({
      line: index + 1,
      field: "",
      found: `the character ${escapeInvisible(char)}`,
      allowed: "no control, zero-width or text-direction characters",
    });
  }
}

export interface Place {
  readonly line: number;
  readonly children: ReadonlyMap<PropertyKey, Place>;
}

interface Read {
  readonly value: YamlValue;
  readonly place: Place;
}

export const NO_CHILDREN: ReadonlyMap<PropertyKey, Place> = new Map();

function createReader(lines: LineCounter, problems: Problems) {
  const refuse = (line: number, field: string, found: string, allowed: string): Read => {
    problems.add({ line, field, found, allowed });
    return { value: null, place: { line, children: NO_CHILDREN } };
  };

  function readNode(node: unknown, field: string, depth: number, lineOfParent: number): Read {
    const line = lineOfNode(node, lines) ?? lineOfParent;
    if (depth > DEPTH_MAX) return refuse(line, field, TOO_DEEP, `at most ${DEPTH_MAX} levels`);
    if (hasExtras(node)) return refuse(line, field, "an anchor or a tag", "neither anchors (&) nor tags (!)");
    if (isMap(node)) return readMap(node, field, depth, line);
    if (isSeq(node)) return readSeq(node, field, depth, line);
    if (isScalar(node)) return { value: readScalar(node), place: { line, children: NO_CHILDREN } };
    if (node === null) return { value: null, place: { line, children: NO_CHILDREN } };
    return refuse(line, field, "an alias", "no aliases (*): write the value out");
  }

  function readMap(map: YAMLMap, field: string, depth: number, line: number): Read {
    const value: YamlMapping = {};
    const children = new Map<PropertyKey, Place>();
    for (const pair of map.items) {
      const keyLine = lineOfNode(pair.key, lines) ?? line;
      if (!isScalar(pair.key) || hasExtras(pair.key) || typeof pair.key.value !== "string") {
        refuse(keyLine, field, "a key that is not plain text", "plain text keys");
        continue;
      }
      const key = pair.key.value;
      const path = joinField(field, key);
      if (REFUSED_KEYS.has(key)) {
        refuse(keyLine, path, `the key ${showFound(key)}`, "any other key");
      } else if (children.has(key)) {
        refuse(keyLine, path, "the same key a second time", `one ${escapeInvisible(key)}`);
      } else {
        const child = readNode(pair.value, path, depth + 1, keyLine);
        value[key] = child.value;
        children.set(key, { ...child.place, line: keyLine });
      }
    }
    return { value, place: { line, children } };
  }

  function readSeq(seq: YAMLSeq, field: string, depth: number, line: number): Read {
    const value: YamlList = [];
    const children = new Map<PropertyKey, Place>();
    for (const [index, item] of seq.items.entries()) {
      const child = readNode(item, `${field}[${index}]`, depth + 1, line);
      value.push(child.value);
      children.set(index, child.place);
    }
    return { value, place: { line, children } };
  }

  return {
    read(node: unknown): LocatedYaml {
      const root = readNode(node, "", 0, 1);
      return { value: root.value, lineOf: (path) => lineOfPath(root.place, path) };
    },
  };
}

/** Quoted is always text; plain `null`, `~`, nothing, `true` and `false` are what YAML 1.2 says they are. */
function readScalar(node: Scalar): YamlValue {
  const text = typeof node.value === "string" ? node.value : ""; // always text in the failsafe schema
  if (node.type !== Scalar.PLAIN) return text;
  if (text === "" || text === "~" || text === "null") return null;
  if (text === "true" || text === "false") return text === "true";
  return text;
}

function hasExtras(node: unknown): boolean {
  return (isMap(node) || isSeq(node) || isScalar(node)) && (node.anchor !== undefined || node.tag !== undefined);
}

function lineOfNode(node: unknown, lines: LineCounter): number | null {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range)) return null;
  const start: unknown = node.range[0];
  return typeof start === "number" ? lines.linePos(start).line : null;
}

export function lineOfPath(root: Place, path: readonly PropertyKey[]): number {
  let place = root;
  for (const step of path) {
    const next = place.children.get(step);
    if (next === undefined) break;
    place = next;
  }
  return place.line;
}

function joinField(field: string, key: string): string {
  const shown = escapeInvisible(key.length > 40 ? `${key.slice(0, 40)}…` : key);
  return field === "" ? shown : `${field}.${shown}`;
}
