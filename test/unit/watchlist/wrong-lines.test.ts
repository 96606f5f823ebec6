import { describe, expect, test } from "@jest/globals";
import { nativeYaml } from "../../../src/watchlist/formats/native-yaml.ts";
import { describeProblem } from "../../../src/watchlist/problems.ts";
import { A1, B2, list, load, row } from "./helpers.ts";

const GOOD = list("example", [row()]);

interface Wrong {
  readonly name: string;
  readonly from: string | RegExp;
  readonly to: string;
  readonly line: number;
  readonly field: string;
  /** Part of what must be said about the allowed values. */
  readonly allowed: string;
}

/** Each is one edit of a good file, and must be told once, at its line. */
const WRONG: readonly Wrong[] = [
  {
    name: "unknown format",
    from: "heistwatch/1",
    to: "heistwatch/9",
    line: 1,
    field: "format",
    allowed: "heistwatch/1",
  },
  { name: "list id with a space", from: "list: example", to: "list: my list", line: 2, field: "list", allowed: "a-z" },
  {
    name: "version that is no date",
    from: '"2026-11-22.1"',
    to: "v7",
    line: 3,
    field: "version",
    allowed: "2026-11-22.1",
  },
  { name: "no version", from: 'version: "2026-11-22.1"\n', to: "", line: 1, field: "version", allowed: "2026-11-22.1" },
  {
    name: "unknown incident kind",
    from: "kind: theft",
    to: "kind: rumour",
    line: 7,
    field: "incident.kind",
    allowed: "designation",
  },
  {
    name: "disputed that is no boolean",
    from: "disputed: false",
    to: "disputed: maybe",
    line: 8,
    field: "incident.disputed",
    allowed: "true or false",
  },
  {
    name: "unknown key at the top",
    from: "sources:\n",
    to: "owner: me\nsources:\n",
    line: 9,
    field: "owner",
    allowed: "entries",
  },
  {
    name: "unknown key in a row",
    from: "role: theft",
    to: "role: theft\n    rolle: theft",
    line: 15,
    field: "entries[0].rolle",
    allowed: "independentSources",
  },
  {
    name: "chain that is a nickname",
    from: "chain: eip155:1",
    to: "chain: ethereum",
    line: 12,
    field: "entries[0].chain",
    allowed: "CAIP-2",
  },
  {
    name: "address with a space",
    from: A1,
    to: `${A1} `,
    line: 13,
    field: "entries[0].address",
    allowed: "without spaces",
  },
  {
    name: "address with a look-alike letter",
    from: A1,
    to: A1.replace("0x", "0х"),
    line: 13,
    field: "entries[0].address",
    allowed: "ASCII",
  },
  {
    name: "address that is too short",
    from: A1,
    to: A1.slice(0, -1),
    line: 12,
    field: "address",
    allowed: "an address of eip155:1",
  },
  {
    name: "address with a wrong checksum",
    from: A1,
    to: swapCase(A1),
    line: 12,
    field: "address",
    allowed: "the right one",
  },
  {
    name: "address of another chain",
    from: A1,
    to: "13DjGT8rQqfSrTQ9u8T7LXHFQEoiFxEewh",
    line: 12,
    field: "address",
    allowed: "an address of eip155:1",
  },
  {
    name: "unknown role",
    from: "role: theft",
    to: "role: thief",
    line: 14,
    field: "entries[0].role",
    allowed: "mixer_withdrawal",
  },
  { name: "empty label", from: '"example thief"', to: '" "', line: 15, field: "entries[0].label", allowed: "1 to 200" },
  {
    name: "label that is too long",
    from: '"example thief"',
    to: "x".repeat(201),
    line: 15,
    field: "entries[0].label",
    allowed: "1 to 200",
  },
  {
    name: "label with an escaped NUL",
    from: '"example thief"',
    to: '"a\\0b"',
    line: 15,
    field: "entries[0].label",
    allowed: "control",
  },
  {
    name: "label with an escaped text direction",
    from: '"example thief"',
    to: '"a\\u202eb"',
    line: 15,
    field: "entries[0].label",
    allowed: "text-direction",
  },
  {
    name: "label with an escaped zero-width space",
    from: '"example thief"',
    to: '"a\\u200bb"',
    line: 15,
    field: "entries[0].label",
    allowed: "zero-width",
  },
  {
    name: "unknown basis",
    from: "basis: researcher",
    to: "basis: hearsay",
    line: 16,
    field: "entries[0].basis",
    allowed: "court_filing",
  },
  {
    name: "sanctions without their list",
    from: "basis: researcher",
    to: "basis: sanctions",
    line: 12,
    field: "entries[0].sanctioned",
    allowed: "list and source",
  },
  {
    name: "unknown confidence",
    from: "named_by_researcher",
    to: "high",
    line: 17,
    field: "entries[0].confidence",
    allowed: "confirmed",
  },
  {
    name: "no source at all",
    from: '[{ ref: s1, label: "example" }]',
    to: "[]",
    line: 20,
    field: "entries[0].sources",
    allowed: "at least one",
  },
  {
    name: "zero sources counted",
    from: "independentSources: 1",
    to: "independentSources: 0",
    line: 18,
    field: "entries[0].independentSources",
    allowed: "from 1",
  },
  {
    name: "a fraction of a source",
    from: "independentSources: 1",
    to: "independentSources: 1.5",
    line: 18,
    field: "entries[0].independentSources",
    allowed: "whole number",
  },
  {
    name: "unknown default",
    from: "default: on",
    to: "default: yes",
    line: 19,
    field: "entries[0].default",
    allowed: "on, off, never",
  },
  {
    name: "boolean default",
    from: "default: on",
    to: "default: true",
    line: 19,
    field: "entries[0].default",
    allowed: "on, off, never",
  },
  {
    name: "a victim switched on",
    from: "role: theft",
    to: "role: victim",
    line: 19,
    field: "entries[0].default",
    allowed: "never",
  },
  {
    name: "a sanctioned address switched off",
    from: "default: on",
    to: 'default: off\n    sanctioned: { list: "OFAC SDN", source: s1 }',
    line: 19,
    field: "entries[0].default",
    allowed: "never switched off",
  },
  {
    name: "a start that no calendar has",
    from: "default: on",
    to: 'default: on\n    validFrom: "2026-02-30"',
    line: 20,
    field: "entries[0].validFrom",
    allowed: "that exists",
  },
  {
    name: "an end before the start",
    from: "default: on",
    to: 'default: on\n    validFrom: "2026-11-22"\n    validUntil: "2026-11-21"',
    line: 21,
    field: "entries[0].validUntil",
    allowed: "after validFrom",
  },
  {
    name: "unknown direction",
    from: "default: on",
    to: "default: on\n    direction: from_only",
    line: 20,
    field: "entries[0].direction",
    allowed: "to_only",
  },
  {
    name: "key of a source that is not in the table",
    from: "ref: s1",
    to: "ref: s2",
    line: 20,
    field: "entries[0].sources[0].ref",
    allowed: "a key of sources",
  },
  { name: "a row that is text", from: /$/, to: "  - just text\n", line: 21, field: "entries[1]", allowed: "a mapping" },
  {
    name: "the same key twice",
    from: "role: theft",
    to: "role: theft\n    role: laundering",
    line: 15,
    field: "entries[0].role",
    allowed: "one role",
  },
  {
    name: "the same address twice",
    from: /$/,
    to: row({ address: A1.toLowerCase() }),
    line: 21,
    field: "address",
    allowed: "once in a list",
  },
];

describe("a wrong line in a watchlist", () => {
  test.each(WRONG)(
    "$name is told with its line, field and what is allowed",
    async ({ from, to, line, field, allowed }) => {
      const text = GOOD.replace(from, to);
      expect(text).not.toBe(GOOD);
      const { problems } = await load({ "example.yaml": text });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ line, field });
      expect(problems[0]?.file).toMatch(/example\.yaml$/);
      expect(problems[0]?.allowed).toContain(allowed);
      expect(problems[0]?.found).not.toBe("");
    },
  );

  test("the good file these are made from has no problem", async () => {
    expect((await load({ "example.yaml": GOOD })).problems).toEqual([]);
  });

  test("all wrong lines of all files are told at once", async () => {
    const bad = list("bad", [row({ role: "thief" }), row({ default: "perhaps" }), row({ address: "0x1" })]).replace(
      "kind: theft",
      "kind: x",
    );
    const { problems } = await load({ "a.yaml": bad, "b.yaml": bad.replaceAll("bad", "worse") });
    // A row's address is only compared when the head of the file can be used.
    expect(problems.map(({ line, field }) => [line, field])).toEqual(
      [0, 0].flatMap(() => [
        [7, "incident.kind"],
        [14, "entries[0].role"],
        [28, "entries[1].default"],
      ]),
    );
  });

  test("one bad row does not hide the good rows beside it", () => {
    const parsed = nativeYaml.parse(list("example", [row({ role: "thief" }), row({ address: B2 })]), "example.yaml");
    expect(parsed.list?.entries.map((entry) => entry.address)).toEqual([B2]);
  });

  test("syntax errors carry their line", () => {
    const parsed = nativeYaml.parse(GOOD.replace("role: theft", 'role: "theft'), "example.yaml");
    expect(parsed.list).toBeNull();
    expect(parsed.problems[0]?.line).toBeGreaterThan(13);
  });

  test("an address without quotes is text, not a number", async () => {
    const { lists, problems } = await load({ "example.yaml": GOOD.replace(`"${A1}"`, A1.toLowerCase()) });
    expect(problems).toEqual([]);
    expect(lists[0]?.entries[0]?.entry.address).toBe(A1);
  });

  test("two files with one list id, and one incident told two ways, are problems", async () => {
    const other = GOOD.replace("name: Example", "name: Another").replace(A1, B2);
    const { problems } = await load({ "a.yaml": GOOD, "b.yaml": other });
    expect(problems.map(({ field }) => field)).toEqual(["list", "incident"]);
  });

  test("two lists about one incident are fine when they agree", async () => {
    const { problems } = await load({ "a.yaml": GOOD, "b.yaml": GOOD.replace("list: example", "list: more") });
    expect(problems).toEqual([]);
  });

  test("a problem prints as one line with place, field, found and allowed", () => {
    const [problem] = nativeYaml.parse(GOOD.replace("role: theft", "role: thief"), "x/example.yaml").problems;
    expect(problem && describeProblem(problem)).toMatch(
      /^x\/example\.yaml:14: entries\[0\]\.role: found "thief"; allowed: one of theft, /,
    );
  });
});

function swapCase(address: string): string {
  return address.replace(/[a-f]/i, (char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()));
}
