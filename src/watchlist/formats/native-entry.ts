/** What the project's own formats share: the fields of a list and of a row, and the rules between them. */
import { z } from "zod";
import {
  ENTRY_BASES,
  ENTRY_CONFIDENCES,
  ENTRY_DEFAULTS,
  ENTRY_DIRECTIONS,
  ENTRY_ROLES,
  TLP_LEVELS,
} from "../../types/watch.ts";
import { endOf, startOf } from "../../lib/moments.ts";
import type { ListHead, SourceInput, WatchEntryInput } from "../../types/watchlist-format.ts";
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
  momentField,
  optional,
  refField,
  slugField,
  textField,
  versionField,
} from "../fields.ts";
import type { LocatedYaml } from "../located-yaml.ts";
import { type Problems, showFound } from "../problems.ts";

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

/** What stands at the top of a list, in any of our formats. */
export const HEAD_FIELDS = {
  format: z.literal("heistwatch/1", { error: "heistwatch/1" }),
  list: slugField,
  version: versionField,
  incident: incidentSchema,
  sources: z.record(slugField, refField, { error: "a mapping of short keys to references" }).nullish(),
};

const sourceSchema = mapping({ ref: refField, label: optional(textField(300)), quoted: optional(textField(400)) });

export const entrySchema = mapping({
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
  tlp: choiceField(TLP_LEVELS).nullish(),
  validFrom: momentField.nullish(),
  validUntil: momentField.nullish(),
  case: textField(100).nullish(),
  addedBy: textField(100).nullish(),
  givenConfidence: textField(40).nullish(),
});

type Row = z.output<typeof entrySchema>;
type RefTable = ReadonlyMap<string, string>;

/** A head after its check, and the keys its rows may use for their sources. */
export interface NativeHead extends ListHead {
  readonly refs: RefTable;
}

export function toHead(head: z.output<z.ZodObject<typeof HEAD_FIELDS>>): NativeHead {
  const { list, version, incident, sources } = head;
  return { list, version, incident, refs: new Map(Object.entries(sources ?? {})) };
}

/** The row, or null after adding a problem for each thing that is wrong. `refs` is null where the head was unusable. */
export function readRow(value: unknown, refs: RefTable | null, place: RowPlace): WatchEntryInput | null {
  const before = place.problems.count;
  const row = check(entrySchema, { value, path: place.path, lineOf: place.lineOf }, place.problems);
  if (row === null) return null;
  checkRow(row, place);
  const entry = toEntry(row, refs, place);
  return place.problems.count === before ? entry : null;
}

export interface RowPlace {
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
  checkDates(row, place);
}

/** A date that does not exist compares with nothing, and an end before the start would never be valid: both are mistakes. */
function checkDates({ validFrom, validUntil }: Row, place: RowPlace): void {
  for (const [field, text] of Object.entries({ validFrom, validUntil }))
    if (text != null && Number.isNaN(startOf(text)))
      addAt(place, [field], { found: showFound(text), allowed: "a day or moment that exists" });
  if (validFrom != null && validUntil != null && endOf(validUntil) <= startOf(validFrom))
    addAt(place, ["validUntil"], { found: showFound(validUntil), allowed: `a moment after validFrom, ${validFrom}` });
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
