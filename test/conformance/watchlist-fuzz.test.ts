/**
 * Goal: no file whatever crashes an import, hangs it, or is taken in part without a word.
 * Method: each format's sample, mutated at random in its bytes and its text; the run is repeated with HEISTWATCH_FUZZ_SEED,
 * made longer with HEISTWATCH_FUZZ_RUNS.
 */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeProblem } from "../../src/watchlist/problems.ts";
import type { ImportResult } from "../../src/watchlist/import-list.ts";
import { importTextIn, keysOf, withFolder } from "../support/import-text.ts";
import { formatOf } from "./watchlist-format.ts";
import { type FormatSample, SAMPLES } from "./watchlist-samples.ts";

const RUNS = Number(process.env["HEISTWATCH_FUZZ_RUNS"] ?? 400);
const SEED = process.env["HEISTWATCH_FUZZ_SEED"];

const HOSTILE = [
  "\0",
  "\ufeff",
  "\u202e",
  "\u200b",
  "\r",
  "\n",
  "\t",
  '"',
  "'",
  "`",
  ",",
  ";",
  ":",
  "[",
  "]",
  "{",
  "}",
  "<",
  ">",
  "&",
  "&amp;",
  "&lol;",
  "&#0;",
  "<!DOCTYPE a [<!ENTITY lol 'lol'>]>",
  "<![CDATA[",
  "]]>",
  "<!--",
  "-->",
  "<?xml version='1.1'?>",
  "</Profile>",
  "<Profile>",
  '"__proto__":{"polluted":true},',
  "__proto__: { polluted: true }\n",
  "constructor",
  "=HYPERLINK(1)",
  "@SUM(1)",
  "-1e999",
  "1e999",
  "\\ud800",
  "\\u0000",
  "\ud800",
  "*a",
  "&a ",
  "!!js/function ",
  "0x",
  "null",
  "true",
  "a".repeat(5000),
  "[".repeat(2000),
  "1".repeat(2000),
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat({ max: 40 }),
  piece: fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 20 })),
  /** Instead of the piece: another part of the same file. */
  from: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
});
const flip = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat({ max: 255 }) });

interface Mutation {
  readonly edits: readonly { at: number; cut: number; piece: string; from: number | null }[];
  readonly flips: readonly { at: number; byte: number }[];
}

function mutate(text: string, { edits, flips }: Mutation): Uint8Array {
  let mutant = text;
  for (const { at, cut, piece, from } of edits) {
    const start = Math.floor(at * mutant.length);
    const other = from === null ? piece : mutant.slice(Math.floor(from * mutant.length)).slice(0, 300);
    mutant = mutant.slice(0, start) + other + mutant.slice(start + cut);
  }
  const bytes = Buffer.from(mutant, "utf8");
  for (const { at, byte } of flips) bytes[Math.floor(at * (bytes.length - 1))] = byte;
  return bytes;
}

for (const sample of SAMPLES) {
  test(`${sample.format}: ${RUNS} mutants are read whole, or refused in words`, async () => {
    const mutation = fc.record({
      edits: fc.array(edit, { maxLength: 4 }),
      flips: fc.array(flip, { maxLength: 3 }),
    });
    await withFolder((folder) =>
      fc.assert(
        fc.asyncProperty(mutation, async (how) => {
          const bytes = mutate(sample.text, how);
          const options = { format: formatOf(sample), name: sample.name };
          const strict = await importTextIn(folder, bytes, options);
          const lenient = await importTextIn(folder, bytes, { ...options, acceptValid: true });
          expectHonest(strict, sample);
          expectSameRows(strict, lenient);
          expect(Reflect.get({}, "polluted")).toBeUndefined();
        }),
        { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
      ),
    );
  });
}

function expectHonest(result: ImportResult, sample: FormatSample): void {
  // One or the other, never both, never neither.
  expect(result.list === null).toBe(result.problems.length > 0);
  const told = [...result.problems, ...result.warnings].map(describeProblem).join("");
  expect(told).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const keys = keysOf(result);
  expect(new Set(keys).size).toBe(keys.length);
  for (const entry of result.list?.entries ?? []) {
    expect(entry.sources.length).toBeGreaterThan(0);
    expect(entry.line).toBeGreaterThan(sample.format === "heistwatch-yaml" ? 1 : 0);
    expect(JSON.stringify(entry)).not.toMatch(/\\u0000|\u202e|\u200b/);
  }
}

/** Taking the good rows takes at least what the strict reading takes, and no bad one. */
function expectSameRows(strict: ImportResult, lenient: ImportResult): void {
  expect(lenient.problemCount).toBe(strict.problemCount);
  if (strict.list !== null) expect(lenient.list).toEqual(strict.list);
}
