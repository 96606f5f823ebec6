/** A file against what is watched: nothing it drops or weakens is gone before a second person says so. */
import { describe, expect, test } from "@jest/globals";
import { bareIncident } from "../../../src/daemon/watch-entry.ts";
import type { WatchEntry } from "../../../src/types/watch.ts";
import {
  entryDigest,
  type FileList,
  type ImportPlan,
  planImport,
  type StoredList,
} from "../../../src/watchlist/import-rules.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const incident = bareIncident("x");

function entry(address: string, parts: Partial<WatchEntry> = {}): WatchEntry {
  return {
    id: `x/eip155:1/${address}`,
    list: "x",
    listVersion: "1",
    chain: "eip155:1",
    address,
    incident: "x",
    role: "theft",
    label: "a",
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 2,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [],
    ...parts,
  };
}

const file = (entries: readonly WatchEntry[], parts: Partial<FileList> = {}): FileList => ({
  list: "x",
  version: "2",
  file: "x.yaml",
  incident,
  entries,
  ...parts,
});
/** `rows`: what the file said at the last import; by default what is watched. */
const stored = (entries: readonly WatchEntry[], rows: readonly WatchEntry[] = entries): StoredList => ({
  version: "2",
  incident,
  entries,
  rows: new Map(rows.map((row) => [row.id, entryDigest(row)])),
});
const shape = ({ apply, propose, forget }: ImportPlan) => ({
  apply: apply?.entries.map(({ before, after }) => [before?.label ?? null, after?.label ?? null]) ?? null,
  propose: propose?.entries.map(({ before, after }) => [before?.label ?? null, after?.label ?? null]) ?? null,
  forget,
});

const A = entry("A");
const B = entry("B", { label: "b" });

test.each<[string, FileList, StoredList | null, ReturnType<typeof shape>]>([
  [
    "a new list",
    file([A, B]),
    null,
    {
      apply: [
        [null, "a"],
        [null, "b"],
      ],
      propose: null,
      forget: [],
    },
  ],
  ["a new list without entries", file([]), null, { apply: [], propose: null, forget: [] }],
  ["the same again", file([A, B]), stored([A, B]), { apply: null, propose: null, forget: [] }],
  [
    "the same under another version",
    file([entry("A", { listVersion: "9" })]),
    stored([A]),
    { apply: null, propose: null, forget: [] },
  ],
  ["a new row", file([A, B]), stored([A]), { apply: [[null, "b"]], propose: null, forget: [] }],
  [
    "another label",
    file([entry("A", { label: "A!" })]),
    stored([A]),
    { apply: [["a", "A!"]], propose: null, forget: [] },
  ],
  ["a dropped row", file([A]), stored([A, B]), { apply: null, propose: [["b", null]], forget: [] }],
  [
    "every row dropped",
    file([]),
    stored([A, B]),
    {
      apply: null,
      propose: [
        ["a", null],
        ["b", null],
      ],
      forget: [],
    },
  ],
  [
    "a weaker row",
    file([entry("A", { default: "off", label: "A!" })]),
    stored([A]),
    { apply: null, propose: [["a", "A!"]], forget: [] },
  ],
  [
    "one new, one dropped, one weaker",
    file([B, entry("A", { basis: "explorer", label: "A!" })]),
    stored([A, entry("C", { label: "c" })]),
    {
      apply: [[null, "b"]],
      propose: [
        ["a", "A!"],
        ["c", null],
      ],
      forget: [],
    },
  ],
  [
    "a row that two people removed, and the file still has",
    file([A, B]),
    stored([A], [A, B]),
    { apply: null, propose: null, forget: [] },
  ],
  [
    "a row that two people removed, told differently now",
    file([A, entry("B", { label: "B!" })]),
    stored([A], [A, B]),
    { apply: [[null, "B!"]], propose: null, forget: [] },
  ],
  [
    "a row that two people removed, and the file dropped too",
    file([A]),
    stored([A], [A, B]),
    { apply: null, propose: null, forget: [B.id] },
  ],
])("%s", (_name, now, before, expected) => {
  expect(shape(planImport({ now: NOW, file: now, stored: before }))).toEqual(expected);
});

test("a dispute outlives a change in the file, unless the file says that it is sanctioned", () => {
  const muted = { why: "disputed", by: "ann", until: 5 } as const;
  const plan = planImport({
    now: NOW,
    file: file([entry("A", { label: "A!" })]),
    stored: stored([entry("A", { muted })], [A]),
  });
  expect(plan.apply?.entries[0]?.after).toMatchObject({ label: "A!", muted });
  const sanctioned = { list: "OFAC SDN", source: "https://example.org" };
  const listed = planImport({
    now: NOW,
    file: file([entry("A", { sanctioned })]),
    stored: stored([entry("A", { muted })], [A]),
  });
  expect(listed.apply?.entries[0]?.after?.muted).toBeUndefined();
});

test("an incident that becomes disputed waits for a second person; any other news of it does not", () => {
  const disputed = planImport({
    now: NOW,
    file: file([A], { incident: { ...incident, disputed: true } }),
    stored: stored([A]),
  });
  expect([disputed.apply, disputed.propose?.incident.disputed]).toEqual([null, true]);
  const named = planImport({
    now: NOW,
    file: file([A], { incident: { ...incident, name: "X" } }),
    stored: stored([A]),
  });
  expect([named.apply?.incident.name, named.propose]).toEqual(["X", null]);
});

describe("a start that lies ahead", () => {
  const validFrom = "2026-12-24";
  const until = Date.parse(validFrom);
  const muted = { why: "notYetValid", by: "x", until } as const;
  const after = (now: WatchEntry, before: readonly WatchEntry[] = []) =>
    planImport({ now: NOW, file: file([now]), stored: stored(before, before) }).apply?.entries[0]?.after;

  test("keeps a new entry quiet until then, and one whose start is past not at all", () => {
    expect(after(entry("A", { validFrom }))?.muted).toEqual(muted);
    expect(after(entry("A", { validFrom: "2026-11-22" }))).toMatchObject({ validFrom: "2026-11-22" });
    expect(after(entry("A", { validFrom: "2026-11-22" }))?.muted).toBeUndefined();
  });

  test("switches off nothing that tells already, and nothing sanctioned", () => {
    const told = after(entry("A", { validFrom }), [entry("A")]);
    expect([told?.validFrom, told?.muted]).toEqual([validFrom, undefined]);
    const sanctioned = { list: "OFAC SDN", source: "https://example.org" };
    expect(after(entry("A", { validFrom, sanctioned }))?.muted).toBeUndefined();
  });

  test("that comes nearer or is taken back is followed, and a dispute is not mistaken for it", () => {
    const waiting = entry("A", { validFrom, muted });
    expect(after(entry("A"), [waiting])?.muted).toBeUndefined();
    const sooner = after(entry("A", { validFrom: "2026-12-01" }), [waiting]);
    expect(sooner?.muted).toEqual({ ...muted, until: Date.parse("2026-12-01") });
    const disputed = { why: "disputed", by: "ann", until: 5 } as const;
    expect(after(entry("A"), [entry("A", { validFrom, muted: disputed })])?.muted).toEqual(disputed);
  });
});

test("a newer version that says the same is written down, an older or the same one is not", () => {
  const planned = (version: string) =>
    planImport({ now: NOW, file: file([A], { version }), stored: { ...stored([A]), version: "2026-11-21.2" } }).apply;
  expect(planned("2026-11-22")).toMatchObject({ version: "2026-11-22", entries: [] });
  expect(planned("2026-11-21.3")).toMatchObject({ version: "2026-11-21.3", entries: [] });
  expect([planned("2026-11-21.2"), planned("2026-11-21.1"), planned("2026-11-20")]).toEqual([null, null, null]);
});
