import { describe, expect, test } from "@jest/globals";
import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { nativeYaml } from "../../../src/watchlist/formats/native-yaml.ts";
import { loadWatchlists } from "../../../src/watchlist/load.ts";
import { YAML_BYTES_MAX } from "../../../src/watchlist/located-yaml.ts";
import { describeProblem } from "../../../src/watchlist/problems.ts";
import { inFolder, list, load, normalizeAddress, row } from "./helpers.ts";

const GOOD = list("example", [row()]);
const parse = (text: string) => nativeYaml.parse(text, "hostile.yaml");
const foundIn = (text: string) =>
  parse(text)
    .problems.map(({ found }) => found)
    .join("\n");

describe("a hostile watchlist gives problems and never a crash", () => {
  test("billion laughs: anchors and aliases are refused, nothing is expanded", () => {
    const levels = Array.from(
      { length: 30 },
      (_, n) => `l${n + 1}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(", ")}]`,
    );
    const before = Date.now();
    const found = foundIn(`l0: &l0 ha\n${levels.join("\n")}\n${GOOD}`);
    expect(found).toContain("an anchor or a tag");
    expect(Date.now() - before).toBeLessThan(5000);
  });

  test("an alias is refused where it stands, also without any other fault", () => {
    const { problems } = parse(
      GOOD.replace("role: theft", "role: theft\n    note: *other").replace("name: Example", "name: &other Example"),
    );
    expect(problems.map(({ line }) => line)).toEqual(expect.arrayContaining([6, 15]));
  });

  test.each(["!!js/function 'x'", "!custom x", "!!binary aGk=", "!!set {a}"])("the tag in %s is refused", (value) => {
    expect(parse(GOOD.replace("role: theft", `role: theft\n    note: ${value}`)).problems.length).toBeGreaterThan(0);
  });

  test.each(["__proto__", "constructor", "prototype"])(
    "the key %s is refused at every level and pollutes nothing",
    (key) => {
      for (const place of ["list: example", "kind: theft", "role: theft"]) {
        const indent = place === "list: example" ? "" : place === "kind: theft" ? "  " : "    ";
        const { problems } = parse(GOOD.replace(place, `${place}\n${indent}${key}: { polluted: yes }`));
        expect(problems).toHaveLength(1);
        expect(problems[0]?.found).toContain(key);
      }
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    },
  );

  test.each(["__proto__", "toString", "hasOwnProperty"])(
    "a source named %s is not found in the object's prototype",
    (key) => {
      expect(foundIn(GOOD.replace("ref: s1", `ref: ${key}`))).toContain(key);
    },
  );

  test("NUL, escape and text-direction characters are refused, also in comments, and never printed raw", () => {
    for (const char of ["\0", "\x1b[2J", "\u202e", "\u2066", "\u200b", "\u009b"]) {
      const { problems } = parse(GOOD.replace("role: theft", `role: theft # ${char}`));
      expect(problems.map(({ line }) => line)).toContain(14);
      expect(problems.map(describeProblem).join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  test("a file that is too large is refused", async () => {
    const { problems, lists } = await load({ "huge.yaml": new Uint8Array(YAML_BYTES_MAX + 1).fill(0x20) });
    expect(problems).toMatchObject([{ line: 0, found: "a larger file" }]);
    expect(lists).toEqual([]);
  });

  test("a text of small size that would take gigabytes to parse is refused before parsing", () => {
    const { problems, list: parsed } = parse(`entries: [${"a,".repeat(1_600_000)}]`);
    expect(parsed).toBeNull();
    expect(problems).toMatchObject([{ line: 0, allowed: expect.stringContaining("YAML marks") }]);
  });

  test.each([
    ["flow lists", "[".repeat(50_000)],
    ["flow maps", "{a: ".repeat(20_000)],
    ["block lists", "- ".repeat(20_000)],
    ["complex keys", "? ".repeat(20_000)],
    ["closed lists", `note: ${"[".repeat(200)}${"]".repeat(200)}`],
    ["many closed lists", `note: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ])("deep nesting of %s is refused", (_name, text) => {
    const { problems, list: parsed } = parse(text);
    expect(parsed).toBeNull();
    expect(problems.map(({ found }) => found)).toContain("a nesting too deep to read");
  });

  test("a hundred thousand keys are read in linear time", () => {
    const before = Date.now();
    const keys = Array.from({ length: 100_000 }, (_, n) => `k${n}: v\n`).join("");
    expect(parse(`${GOOD}${keys}`).problems.length).toBeLessThanOrEqual(501);
    expect(Date.now() - before).toBeLessThan(20_000);
  });

  test("a million wrong lines do not become a million problems, and the count is told", () => {
    const { problems } = parse(`entries:\n${"  - x\n".repeat(20_000)}`);
    expect(problems.length).toBe(501);
    expect(problems.at(-1)?.found).toMatch(/more problems$/);
  });

  test("bytes that are not UTF-8, a folder named like a list and a device are problems", async () => {
    const { problems } = await inFolder({ "latin1.yaml": new Uint8Array([0x6c, 0xe9, 0x0a]) }, async (folder) => {
      await symlink("/dev/zero", path.join(folder, "zero.yaml"));
      await symlink("/nonexistent/file", path.join(folder, "dangling.yaml"));
      await mkdir(path.join(folder, "folder.yaml"));
      return loadWatchlists({ paths: [folder, path.join(folder, "missing")], normalizeAddress });
    });
    const found = problems.map(({ file, found: what }) => `${path.basename(file)}: ${what}`).join("\n");
    expect(found).toContain("latin1.yaml: bytes that are not UTF-8");
    expect(found).toContain("zero.yaml: something that is not a regular file");
    expect(found).toMatch(/dangling\.yaml: .*ENOENT/);
    expect(found).toMatch(/missing: .*ENOENT/);
    expect(found).not.toContain("folder.yaml");
  });

  test("a folder without a list is a problem: watching nobody looks like nobody moving", async () => {
    expect((await load({ "notes.txt": "x" })).problems).toMatchObject([{ found: "no watchlist file" }]);
  });

  test("several documents, directives of another YAML and a list as root are refused or harmless", () => {
    expect(parse(`${GOOD}---\n${GOOD}`).problems.length).toBeGreaterThan(0);
    expect(parse("- a\n- b\n").list).toBeNull();
    expect(parse("").problems.length).toBeGreaterThan(0);
    const old = parse(`%YAML 1.1\n---\n${GOOD}`);
    expect(old.list?.entries[0]?.default ?? "on").toBe("on");
  });

  test("no text whatever makes the parser throw", () => {
    const piece = fc.constantFrom(
      ...GOOD.split(/(?<=\s)/),
      "*a",
      "&a ",
      "!!x ",
      "? ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      ": ",
      "<<: ",
      "\0",
      "\ufeff",
      "|\n",
      ">-\n",
      "---\n",
      "...\n",
      "%TAG ! x\n",
      "__proto__: ",
      '"',
      "'",
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
      fc.string({ unit: "binary", maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, (hostile) => void parse(hostile)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(GOOD.length), text, (at, hostile) => void parse(GOOD.slice(0, at) + hostile + GOOD.slice(at))),
      { numRuns: 2000 },
    );
  });
});
