import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { JsonTextError, parseJsonText } from "../../../src/watchlist/json-text.ts";

/** Numbers are text here, as in our YAML. */
function withTextNumbers(value: unknown): unknown {
  if (typeof value === "number") return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(withTextNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withTextNumbers(one)]));
}

const REFUSED = /"(?:__proto__|constructor|prototype)"/;

describe("JSON text", () => {
  test("any JSON is read as the engine reads it, however it is spaced", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2, "\t"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        fc.pre(!REFUSED.test(text));
        expect(parseJsonText(text).value).toEqual(withTextNumbers(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  test("what the engine refuses is refused, and nothing but JsonTextError is thrown", () => {
    const sign = fc.constantFrom(...'{}[]",:0123456789.eE+-truefalsn \n\t\\u/b\0'.split(""), "\ufeff", "\u2028");
    fc.assert(
      fc.property(
        fc.array(sign, { maxLength: 12 }).map((signs) => signs.join("")),
        (text) => {
          const ours = attempt(() => parseJsonText(text));
          const engines = attempt(() => JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text));
          if (engines instanceof Error) expect(ours).toBeInstanceOf(JsonTextError);
          // The engine takes the last of two keys, we take neither.
          else if (ours instanceof Error) expect(ours.message).toContain("a second time");
        },
      ),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["a key twice", '{"a":1,\n"a":2}', 2, 'the key "a" a second time'],
    ["a key twice, once escaped", '{"a":1,"\\u0061":2}', 1, 'the key "a" a second time'],
    ["__proto__", '[{"__proto__":{}}]', 1, 'the key "__proto__"'],
    ["constructor, escaped", '{"\\u0063onstructor":1}', 1, 'the key "constructor"'],
    ["prototype", '{"x":{"prototype":1}}', 1, 'the key "prototype"'],
    ["33 levels", "[".repeat(33), 1, "a nesting too deep to read"],
    ["a line break in a string", '{"a":"\n"}', 1, "not closed on its line"],
    ["something after the end", "{}\n{}", 2, "the character {"],
    ["a comment", "/* x */ {}", 1, "the character /"],
    ["a comma too many", "[1,]", 1, "the character ]"],
  ])("%s is refused with its line", (_name, text, line, found) => {
    const error = attempt(() => parseJsonText(text));
    expect(error).toBeInstanceOf(JsonTextError);
    expect(error).toMatchObject({ line, found: expect.stringContaining(found) });
  });

  test("every value knows its line, from the line its text begins on", () => {
    const { lineOf } = parseJsonText('{\n"a": [\n1,\n{"b": 2}]}', 10);
    expect([[], ["a"], ["a", 0], ["a", 1, "b"], ["missing"]].map(lineOf)).toEqual([10, 11, 12, 13, 10]);
  });
});

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
