/** The format of the shipped lists: one incident or list a file, `format: heistwatch/1`. */
import { z } from "zod";
import { ENTRY_BASES, ENTRY_CONFIDENCES, ENTRY_DEFAULTS, ENTRY_DIRECTIONS, ENTRY_ROLES } from "../../types/watch.ts";
import type { ListInput, SourceInput, WatchEntryInput, WatchlistFormat } from "../../types/watchlist-format.ts";
import {
  addressField,
  booleanField,
  chainField,
  check,
  choiceField,
  dateField,
  fieldName,
  hashField,
  integerField,
  mapping,
  optional,
  refField,
  slugField,
  textField,
  versionField,
} from "../fields.ts";
import { type LocatedYaml, readYaml, YAML_BYTES_MAX } from "../located-yaml.ts";
import { createProblems, type Problems, showFound } from "../problems.ts";

const INCIDENT_KINDS = ["theft", "designation", "address_notice", "forfeiture", "cluster"] as const;
/** Where funds left, or seized holdings: alerting on them would name a victim as a thief. */
const NEVER_ROLES: readonly string[] = ["victim", "victim_contract", "restrained_funds"];

const incidentSchema = mapping({
  id: slugField,
  name: textField(100),
  kind: choiceField(INCIDENT_KINDS),
  date: optional(dateField),
  attribution: optional(textField(200)),
  attributionBasis: optional(textField(400)),
  disputed: booleanField(),
  lossUsd: optional(integerField(0, 1e15)),
  references: z
    .array(refField, { error: "a list of references" })
    .nullish()
    .transform((list) => list ?? []),
  note: optional(textField(2000)),
});

const headSchema = mapping({
  format: z.literal("heistwatch/1", { error: "heistwatch/1" }),
  list: slugField,
  version: versionField,
  incident: incidentSchema,
  sources: z.record(slugField, refField, { error: "a mapping of short keys to references" }).nullish(),
  entries: z.array(z.unknown(), { error: "a list of entries" }),
});

const sourceSchema = mapping({ ref: refField, label: optional(textField(300)), quoted: optional(textField(400)) });

const entrySchema = mapping({
  chain: chainField,
  address: addressField,
  role: choiceField(ENTRY_ROLES),
  label: textField(200),
  basis: choiceField(ENTRY_BASES),
  confidence: choiceField(ENTRY_CONFIDENCES),
  independentSources: integerField(1, 1000),
  sanctioned: optional(mapping({ list: textField(100), source: refField })),
  default: choiceField(ENTRY_DEFAULTS),
  direction: choiceField(ENTRY_DIRECTIONS)
    .nullish()
    .transform((value) => value ?? "both"),
  custodian: optional(textField(100)),
  contract: booleanField().optional(),
  note: optional(textField(1000)),
  firstSeenTx: optional(hashField),
  accountType: optional(choiceField(["wallet", "token_account"])),
  owner: optional(addressField),
  sources: z
    .array(sourceSchema, { error: "a list with at least one source" })
    .min(1, { error: "a list with at least one source" }),
});

type Row = z.output<typeof entrySchema>;
type RefTable = ReadonlyMap<string, string>;

export const nativeYaml: WatchlistFormat = {
  name: "heistwatch/1",
  extensions: [".yaml", ".yml"],
  maxBytes: YAML_BYTES_MAX,
  parse(text, file) {
    const problems = createProblems(file);
    const yaml = readYaml(text, problems);
    const list = yaml === null ? null : readList(yaml, problems);
    return { list, problems: problems.list() };
  },
};

function readList(yaml: LocatedYaml, problems: Problems): ListInput | null {
  const head = check(headSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  // Rows are checked even under a broken head: one run tells everything that is wrong.
  const rows = head?.entries ?? rowsOf(yaml.value);
  const refs: RefTable | null = head === null ? null : new Map(Object.entries(head.sources ?? {}));
  const entries: WatchEntryInput[] = [];
  for (const [index, value] of rows.entries()) {
    const place: RowPlace = { path: ["entries", index], lineOf: yaml.lineOf, problems };
    const row = check(entrySchema, { value, path: place.path, lineOf: yaml.lineOf }, problems);
    if (row === null) continue;
    checkRow(row, place);
    entries.push(toEntry(row, refs, place));
  }
  if (head === null) return null;
  return { list: head.list, version: head.version, incident: head.incident, entries };
}

function rowsOf(value: unknown): readonly unknown[] {
  const rows: unknown = typeof value === "object" && value !== null && "entries" in value ? value.entries : [];
  return Array.isArray(rows) ? rows : [];
}

interface RowPlace {
  readonly path: readonly PropertyKey[];
  readonly lineOf: LocatedYaml["lineOf"];
  readonly problems: Problems;
}

function addAt(place: RowPlace, step: readonly PropertyKey[], what: { found: string; allowed: string }): void {
  const path = [...place.path, ...step];
  place.problems.add({ line: place.lineOf(path), field: fieldName(path), ...what });
}

/** What no single field can tell. */
function checkRow(row: Row, place: RowPlace): void {
  if (NEVER_ROLES.includes(row.role) && row.default !== "never") {
    addAt(place, ["default"], { found: showFound(row.default), allowed: `"never" for the role ${row.role}` });
  }
  if (row.basis === "sanctions" && row.sanctioned === null) {
    addAt(place, ["sanctioned"], { found: "nothing", allowed: "list and source, because basis is sanctions" });
  }
  if (row.sanctioned !== null && row.default === "off") {
    addAt(place, ["default"], {
      found: showFound(row.default),
      allowed: '"on" or "never": a sanctioned address is never switched off',
    });
  }
}

function toEntry(row: Row, refs: RefTable | null, place: RowPlace): WatchEntryInput {
  const sources = row.sources.map((source, index): SourceInput => {
    return { ...source, ref: resolveRef(source.ref, refs, { place, step: ["sources", index, "ref"] }) };
  });
  const sanctioned = row.sanctioned && {
    list: row.sanctioned.list,
    source: resolveRef(row.sanctioned.source, refs, { place, step: ["sanctioned", "source"] }),
  };
  return { ...row, line: place.lineOf(place.path), sanctioned, sources };
}

/** A key of the file's `sources`, or a reference written out. The colon tells a typo in a key from a reference. */
function resolveRef(ref: string, refs: RefTable | null, at: { place: RowPlace; step: readonly PropertyKey[] }): string {
  const known = refs?.get(ref);
  if (known !== undefined) return known;
  if (refs !== null && !ref.includes(":")) {
    addAt(at.place, at.step, {
      found: showFound(ref),
      allowed: "a key of sources at the top of the file, or a reference with a colon",
    });
  }
  return ref;
}
