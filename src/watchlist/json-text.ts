/**
 * JSON to plain values that remember their line, walked piece by piece so that a large file does not hold up the rest.
 * Strict JSON; besides no duplicate keys and no keys that reach a prototype. Numbers stay text, as in our YAML.
 */
import { type LocatedYaml, NO_CHILDREN, type Place, lineOfPath, REFUSED_KEYS, TOO_DEEP } from "./located-yaml.ts";
import type { YamlMapping, YamlValue } from "./located-yaml.ts";
import { escapeInvisible, showFound } from "./problems.ts";

/** MISP galaxies nest about ten deep. */
const DEPTH_MAX = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const WORDS: ReadonlyMap<string, YamlValue> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** The text is not the JSON we read. Thrown by every method of the cursor. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
  readonly line: number;
  readonly found: string;

  constructor(line: number, found: string) {
    super(`line ${line}: ${found}`);
    this.line = line;
    this.found = found;
  }
}

export interface JsonCursor {
  /** `{`, `[`, `"` or the first sign of the next value; empty at the end. */
  peek(): string;
  line(): number;
  value(): LocatedYaml;
  /** The keys of the object ahead; the caller takes the value after each. */
  members(): Generator<string>;
  /** One step for each item of the list ahead; the caller takes it. */
  items(): Generator<undefined>;
  /** Throws unless nothing is left. */
  end(): void;
}

/** `firstLine`: where the text stands in its file. */
export function createJsonCursor(text: string, firstLine = 1): JsonCursor {
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let line = firstLine;

  const fail = (found: string): never => {
    throw new JsonTextError(line, found);
  };
  function peek(): string {
    for (; at < text.length; at += 1) {
      const sign = text[at] ?? "";
      if (sign === "\n") line += 1;
      else if (sign !== " " && sign !== "\t" && sign !== "\r") return sign;
    }
    return "";
  }
  function unexpected(): never {
    const sign = peek();
    return fail(sign === "" ? "the end of the text" : `the character ${escapeInvisible(sign)}`);
  }
  function take(sign: string): void {
    if (peek() !== sign) unexpected();
    at += 1;
  }
  function readString(): string {
    const start = at;
    for (at += 1; at < text.length; at += 1) {
      const sign = text[at];
      if (sign === '"') {
        at += 1;
        return parsed(text.slice(start, at));
      }
      if (sign === "\n") break;
      if (sign === "\\") at += 1;
    }
    return fail("a string that is not closed on its line");
  }
  /** The engine's own parser decides about escapes and control characters. */
  function parsed(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return fail("a string with a wrong escape or a raw control character");
    }
  }
  function match(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? unexpected();
    at += found.length;
    return found;
  }
  function* members(): Generator<string> {
    take("{");
    const seen = new Set<string>();
    if (peek() === "}") {
      at += 1;
      return;
    }
    for (;;) {
      if (peek() !== '"') unexpected();
      const key = readString();
      if (REFUSED_KEYS.has(key)) fail(`the key ${showFound(key)}`);
      if (seen.has(key)) fail(`the key ${showFound(key)} a second time`);
      seen.add(key);
      take(":");
      yield key;
      if (peek() === "}") break;
      take(",");
    }
    at += 1;
  }
  function* items(): Generator<undefined> {
    take("[");
    if (peek() === "]") {
      at += 1;
      return;
    }
    for (;;) {
      yield;
      if (peek() === "]") break;
      take(",");
    }
    at += 1;
  }
  function read(depth: number): { value: YamlValue; place: Place } {
    const sign = peek();
    const leaf = (value: YamlValue) => ({ value, place: { line, children: NO_CHILDREN } });
    if (sign === '"') return leaf(readString());
    if (sign === "t" || sign === "f" || sign === "n") return leaf(WORDS.get(match(WORD)) ?? null);
    if (sign !== "{" && sign !== "[") return leaf(match(NUMBER));
    if (depth >= DEPTH_MAX) fail(TOO_DEEP);
    return sign === "{" ? readMembers(depth) : readItems(depth);
  }
  function readMembers(depth: number): { value: YamlValue; place: Place } {
    const value: YamlMapping = {};
    const children = new Map<PropertyKey, Place>();
    const start = line;
    for (const key of members()) {
      const child = read(depth + 1);
      value[key] = child.value;
      children.set(key, child.place);
    }
    return { value, place: { line: start, children } };
  }
  function readItems(depth: number): { value: YamlValue; place: Place } {
    const value: YamlValue[] = [];
    const children = new Map<PropertyKey, Place>();
    const start = line;
    for (const _ of items()) {
      const child = read(depth + 1);
      children.set(value.length, child.place);
      value.push(child.value);
    }
    return { value, place: { line: start, children } };
  }

  return {
    peek,
    line: () => (peek(), line),
    value() {
      const { value, place } = read(0);
      return { value, lineOf: (path) => lineOfPath(place, path) };
    },
    members,
    items,
    end: () => {
      if (peek() !== "") unexpected();
    },
  };
}

/** One whole text. Throws JsonTextError. */
export function parseJsonText(text: string, firstLine = 1): LocatedYaml {
  const cursor = createJsonCursor(text, firstLine);
  const value = cursor.value();
  cursor.end();
  return value;
}
