/**
 * STIX 2.1 bundles with wallets, in both dialects: `cryptocurrency-wallet` of stix2extensions (`value`, formerly
 * `address`) and OpenCTI's. Wallets carry no chain, indicators carry name, validity and revocation; they meet by address.
 */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import type { JsonCursor } from "../json-text.ts";
import { type LocatedYaml, type YamlMapping, type YamlValue } from "../located-yaml.ts";
import { isMapping, momentOf, textOf } from "../plain-values.ts";
import { showFound } from "../problems.ts";
import { addForeignRow, withdrawForeignRow } from "./foreign-row.ts";
import { createJsonReader } from "./readers.ts";
import { addressesOfPattern } from "./stix-pattern.ts";
import { markingOf, type Markings, readMarkings, UNKNOWN_MARKING } from "./stix-tlp.ts";

const BYTES_MAX = 64 * 1024 * 1024;
const WALLET_TYPES: ReadonlySet<string> = new Set(["cryptocurrency-wallet", "x-cryptocurrency-wallet"]);
const KEPT_TYPES: ReadonlySet<string> = new Set([
  ...WALLET_TYPES,
  "indicator",
  "marking-definition",
  "identity",
  "threat-actor",
  "intrusion-set",
]);

export const stix: ImportFormat = {
  name: "stix",
  title: "STIX 2.1 bundle",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) => /^\ufeff?\s{0,100}\{/.test(start) && /"type"\s{0,9}:\s{0,9}"bundle"/.test(start),
  createReader: (context) =>
    createJsonReader(function* (cursor) {
      const objects = new Map<string, StixObject>();
      yield* readBundle(cursor, objects, context);
      yield* addObjects(objects, context);
      return newestDay(objects);
    }, context),
};

interface StixObject {
  readonly type: string;
  readonly value: YamlMapping;
  readonly line: number;
}

function* readBundle(cursor: JsonCursor, objects: Map<string, StixObject>, context: ReadContext): Generator<undefined> {
  for (const key of cursor.members()) {
    if (key !== "objects") {
      cursor.value();
      continue;
    }
    for (const _ of cursor.items()) {
      keep(cursor.value(), objects, context);
      yield;
    }
  }
}

/** Of an object that stands there in several versions, the newest. */
function keep({ value, lineOf }: LocatedYaml, objects: Map<string, StixObject>, context: ReadContext): void {
  const line = lineOf([]);
  if (!isMapping(value)) return context.refuse({ line, field: "", found: showFound(value), allowed: "an object" });
  const type = (textOf(value["type"]) ?? "").toLowerCase();
  if (!KEPT_TYPES.has(type)) return;
  const id = textOf(value["id"]);
  if (id === null) return context.refuse({ line, field: "id", found: showFound(value["id"]), allowed: "a STIX id" });
  const earlier = objects.get(id);
  if (earlier !== undefined && modifiedOf(earlier.value) > modifiedOf(value)) return;
  objects.set(id, { type, value, line });
}

interface Claim {
  readonly line: number;
  readonly address: string;
  /** The indicator that says so; null: only a wallet object. */
  readonly indicator: YamlMapping | null;
  readonly wallet: YamlMapping | null;
}

function* addObjects(objects: ReadonlyMap<string, StixObject>, context: ReadContext): Generator<undefined> {
  const markings = readMarkings(
    [...objects.values()].filter(({ type }) => type === "marking-definition").map(({ value }) => value),
  );
  const wallets = new Map<string, StixObject>();
  for (const object of objects.values()) {
    if (!WALLET_TYPES.has(object.type)) continue;
    const address = textOf(object.value["value"]) ?? textOf(object.value["address"]);
    if (address === null)
      context.refuse({ line: object.line, field: "value", found: "nothing", allowed: "an address" });
    else wallets.set(address, object);
  }
  const told = new Set<string>();
  for (const object of objects.values()) {
    if (object.type !== "indicator") continue;
    for (const address of addressesOf(object, context)) {
      told.add(address);
      const wallet = wallets.get(address)?.value ?? null;
      addClaim({ line: object.line, address, indicator: object.value, wallet }, { objects, markings }, context);
    }
    yield;
  }
  for (const [address, { line, value }] of wallets) {
    if (!told.has(address)) addClaim({ line, address, indicator: null, wallet: value }, { objects, markings }, context);
    yield;
  }
}

function addressesOf({ value, line }: StixObject, context: ReadContext): readonly string[] {
  const pattern = textOf(value["pattern"]) ?? "";
  // Most indicators of a bundle are about other things.
  if (value["pattern_type"] !== "stix" || !pattern.toLowerCase().includes("cryptocurrency-wallet:")) return [];
  const addresses = addressesOfPattern(pattern);
  if (addresses !== null) return addresses;
  const allowed = "[cryptocurrency-wallet:value = '...'], several joined by OR";
  context.refuse({ line, field: "pattern", found: showFound(pattern), allowed });
  return [];
}

interface Around {
  readonly objects: ReadonlyMap<string, StixObject>;
  readonly markings: Markings;
}

function addClaim(
  { line, address, indicator, wallet }: Claim,
  { objects, markings }: Around,
  context: ReadContext,
): void {
  const facts: YamlMapping = { ...wallet, ...indicator };
  if (facts["revoked"] === true) return withdrawForeignRow({ line, address, reason: "revoked in STIX" }, context);
  const tlp = markingOf([indicator, wallet], markings);
  if (tlp.unknown !== null)
    context.warn({ line, field: "object_marking_refs", found: showFound(tlp.unknown), allowed: UNKNOWN_MARKING });
  const id = textOf(facts["id"]) ?? "";
  const holder = nameOf(wallet?.["holder_ref"], objects);
  const label = textOf(facts["name"]) ?? holder ?? textOf(facts["x_opencti_description"]) ?? null;
  addForeignRow(
    {
      line,
      address,
      label,
      note: textOf(facts["description"]),
      givenConfidence: textOf(facts["confidence"]),
      tlp: tlp.tlp,
      // What is no moment is handed on as it is, and refused with its line.
      validFrom: momentOf(indicator?.["valid_from"]) ?? textOf(indicator?.["valid_from"]),
      validUntil: momentOf(indicator?.["valid_until"]) ?? textOf(indicator?.["valid_until"]),
      sources: [{ ref: `stix:${id}`, label, quoted: null }],
      addedBy: nameOf(facts["created_by_ref"], objects),
    },
    context,
  );
}

function nameOf(ref: YamlValue | undefined, objects: ReadonlyMap<string, StixObject>): string | null {
  return textOf(objects.get(textOf(ref) ?? "")?.value["name"]);
}

function modifiedOf(value: YamlMapping): string {
  return momentOf(value["modified"]) ?? momentOf(value["created"]) ?? "";
}

function newestDay(objects: ReadonlyMap<string, StixObject>): string | null {
  let newest = "";
  for (const { type, value } of objects.values())
    if (type === "indicator" && modifiedOf(value) > newest) newest = modifiedOf(value);
  return newest === "" ? null : newest.slice(0, 10);
}
