/** What every import format must do, whatever its files look like. Called once per format from a test file. */
import { describe, expect, test } from "@jest/globals";
import type { ImportFormat } from "../../src/types/watchlist-format.ts";
import { sniff } from "../../src/watchlist/find-format.ts";
import { importFormatNamed } from "../../src/watchlist/formats/registry.ts";
import { describeProblem } from "../../src/watchlist/problems.ts";
import { importList } from "../../src/watchlist/import-list.ts";
import { IMPORT_OPTIONS, importText, importTextIn, keysOf, withFolder } from "../support/import-text.ts";
import type { FormatSample } from "./watchlist-samples.ts";

const WRONG = "0x00000000000000000000000000000000dEADbEEF"; // mixed case, wrong checksum

export function formatConformance(sample: FormatSample): void {
  const format = formatOf(sample);
  const read = (content: string | Uint8Array, acceptValid = false) =>
    importText(content, { format, name: sample.name, acceptValid });

  describe(`${sample.format} keeps the promises of every import format`, () => {
    test("a good file gives exactly its addresses, canonical, and its own version or the day", async () => {
      const result = await read(sample.text);
      expect(result.problems).toEqual([]);
      expect(keysOf(result)).toEqual(sample.keys.toSorted());
      expect(result.list?.version).toBe(sample.version ?? IMPORT_OPTIONS.today);
      expect(result.list?.list).toBe("example");
      expect(result.list?.incident.id).toBe("example-2026");
      for (const entry of result.list?.entries ?? []) expect(entry.sources.length).toBeGreaterThan(0);
    });

    test("its beginning is taken for this format and no other", () => {
      expect(sniff(sample.name, Buffer.from(sample.text))).toEqual({ format });
    });

    test("where the pieces of the text are cut changes nothing", () => {
      const whole = readPieces(format, sample, [sample.text]);
      for (const size of [1, 2, 7, 64]) {
        const pieces: string[] = [];
        for (let at = 0; at < sample.text.length; at += size) pieces.push(sample.text.slice(at, at + size));
        expect(readPieces(format, sample, pieces)).toEqual(whole);
      }
    });

    test("one wrong address refuses the whole file and says the line", async () => {
      const { list, problems } = await read(sample.text.replace(sample.address, WRONG));
      expect(list).toBeNull();
      expect(problems.map(({ line, field }) => ({ line, field }))).toEqual([{ line: sample.line, field: "address" }]);
    });

    test("with the good rows accepted the wrong one comes back with its line", async () => {
      const result = await read(sample.text.replace(sample.address, WRONG), true);
      expect(result.problems.map(({ line }) => line)).toEqual([sample.line]);
      expect(keysOf(result)).toEqual(sample.keys.filter((key) => !key.endsWith(sample.address)).toSorted());
    });

    test("a file cut anywhere is refused, or shows only whole rows of it", async () => {
      await withFolder(async (folder) => {
        const step = Math.max(1, Math.floor(sample.text.length / 150));
        for (let end = 0; end < sample.text.trimEnd().length; end += step) {
          const result = await importTextIn(folder, sample.text.slice(0, end), { format, name: sample.name });
          if (result.list === null) {
            expect(result.problems.length).toBeGreaterThan(0);
            continue;
          }
          for (const key of keysOf(result)) expect(sample.keys).toContain(key);
          if (!sample.byLine) expect(keysOf(result)).toEqual(sample.keys.toSorted());
        }
      });
    });

    test.each([
      ["nothing", ""],
      ["spaces", "   \n\n\t\n"],
      ["NUL bytes", "\0".repeat(5000)],
      ["bytes of no text", Uint8Array.from({ length: 5000 }, (_, index) => (index * 151) % 256)],
      ["UTF-32", Uint8Array.of(0xff, 0xfe, 0, 0, 0x41, 0, 0, 0)],
      ["open brackets", "[".repeat(100_000)],
      ["open braces", '{"a":'.repeat(100_000)],
      ["open tags", "<a>".repeat(100_000)],
      ["list marks", "- ".repeat(100_000)],
      ["one endless line", "x".repeat(3_000_000)],
      ["one endless quote", `"${"x".repeat(3_000_000)}`],
      ["endless quotes", '"'.repeat(200_001)],
    ])("%s is refused, told in words and quickly", async (_name, content) => {
      const before = performance.now();
      const result = await read(content, true);
      expect(result.list).toBeNull();
      expect(result.problems.length).toBeGreaterThan(0);
      expect(result.problems.map(describeProblem).join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      // Generous: three megabytes, on a busy machine. Anything quadratic takes minutes.
      expect(performance.now() - before).toBeLessThan(20_000);
    });

    test.each([
      ["a NUL", "\0"],
      ["a text direction", "\u202e"],
      ["a zero-width space", "\u200b"],
    ])("%s inside an address is refused", async (_name, char) => {
      const half = sample.address.length / 2;
      const spoiled = sample.address.slice(0, half) + char + sample.address.slice(half);
      const result = await read(sample.text.replace(sample.address, spoiled));
      expect(result.list).toBeNull();
      expect(result.problems.map(describeProblem).join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    });

    test("bytes that are not its encoding are refused or read as their own", async () => {
      const bytes = Buffer.from(sample.text.replace(sample.address, `${sample.address}\u00e9`), "latin1");
      const { list } = await read(bytes);
      expect(list).toBeNull();
    });

    test("a file that is not there, a folder and a device are problems", async () => {
      await withFolder(async (folder) => {
        for (const name of ["missing/file", "..", "../../../dev/zero"]) {
          const result = await importList(`${folder}/${name}`, {
            format,
            options: { ...IMPORT_OPTIONS, file: name },
            normalizeAddress: () => "noAdapter",
            acceptValid: true,
          });
          expect(result.list).toBeNull();
          expect(result.problems).toHaveLength(1);
        }
      });
    });
  });
}

export function formatOf(sample: FormatSample): ImportFormat {
  const format = importFormatNamed(sample.format);
  if (format === null) throw new Error(`no format ${sample.format}`);
  return format;
}

/** Everything a reader tells, without file and encoding. */
function readPieces(format: ImportFormat, sample: FormatSample, pieces: readonly string[]): unknown[] {
  const told: unknown[] = [];
  const reader = format.createReader({
    options: { ...IMPORT_OPTIONS, file: sample.name },
    add: (row) => told.push(["add", row]),
    withdraw: (row) => told.push(["withdraw", row]),
    refuse: (problem) => told.push(["refuse", problem]),
    fail: (problem) => told.push(["fail", problem]),
    warn: (problem) => told.push(["warn", problem]),
    failed: false,
  });
  for (const piece of pieces) reader.write(piece);
  const steps = reader.finish();
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return [...told, step.value];
}
