/**
 * MISP events: `coin-address` objects and bare coin attributes. An event as its feed or its API serves it, or a list of
 * events. The template has a field of its own for Bitcoin and Monero, and one for all others.
 */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import { TLP_LEVELS, type Tlp } from "../../types/watch.ts";
import type { JsonCursor } from "../json-text.ts";
import type { LocatedYaml, YamlMapping } from "../located-yaml.ts";
import { isMapping, listOf, momentOf, textOf } from "../plain-values.ts";
import { showFound } from "../problems.ts";
import { addForeignRow, withdrawForeignRow } from "./foreign-row.ts";
import { createJsonReader } from "./readers.ts";

const BYTES_MAX = 64 * 1024 * 1024;
/** Relations of the object template, and attribute types, that hold an address; with their coin where they name one. */
const RELATION_COINS: ReadonlyMap<string, string | null> = new Map([
  ["address", null], // of type btc, which senders also use for other coins
  ["address-crypto", null],
  ["address-xmr", "XMR"],
]);
const TYPE_COINS: ReadonlyMap<string, string> = new Map([
  ["btc", "XBT"],
  ["xmr", "XMR"],
  ["dash", "DASH"],
]);

export const misp: ImportFormat = {
  name: "misp",
  title: "MISP event",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) =>
    /^\ufeff?\s{0,100}(?:\{\s{0,100}"response"\s{0,9}:\s{0,100})?\[?\s{0,100}\{\s{0,100}"Event"\s{0,9}:/.test(start),
  createReader: (context) =>
    createJsonReader(function* (cursor) {
      const found: Found = { newest: null, events: 0 };
      yield* readEvents(cursor, found, context);
      if (found.events === 0)
        context.fail({
          line: 1,
          field: "Event",
          found: "no event",
          allowed: "an event file of a feed, not its manifest",
        });
      return found.newest;
    }, context),
};

interface Found {
  newest: string | null;
  events: number;
}

function* readEvents(cursor: JsonCursor, found: Found, context: ReadContext): Generator<undefined> {
  if (cursor.peek() === "[") {
    for (const _ of cursor.items()) yield* readEvents(cursor, found, context);
    return;
  }
  for (const key of cursor.members()) {
    if (key === "Event") yield* addEvent(cursor.value(), found, context);
    else if (key === "response") yield* readEvents(cursor, found, context);
    else cursor.value();
  }
}

interface EventFacts {
  readonly uuid: string | null;
  readonly info: string | null;
  readonly org: string | null;
  readonly tlp: Tlp | null;
}

function* addEvent({ value, lineOf }: LocatedYaml, found: Found, context: ReadContext): Generator<undefined> {
  if (!isMapping(value))
    return context.fail({ line: lineOf([]), field: "Event", found: showFound(value), allowed: "an event" });
  found.events += 1;
  const day = dayOf(value);
  if (day !== null && (found.newest === null || day > found.newest)) found.newest = day;
  const org = isMapping(value["Orgc"]) ? textOf(value["Orgc"]["name"]) : null;
  const event: EventFacts = { uuid: textOf(value["uuid"]), info: textOf(value["info"]), org, tlp: tlpOf(value) };
  for (const [index, object] of listOf(value["Object"]).entries()) {
    if (isMapping(object) && object["name"] === "coin-address")
      addObject(object, (path) => lineOf(["Object", index, ...path]), event, context);
    yield;
  }
  for (const [index, attribute] of listOf(value["Attribute"]).entries()) {
    const coin = isMapping(attribute) ? TYPE_COINS.get(textOf(attribute["type"]) ?? "") : undefined;
    if (isMapping(attribute) && coin !== undefined) {
      const line = lineOf(["Attribute", index]);
      addAttribute({ attribute, line, coin, isDeleted: false, note: null, validFrom: null }, event, context);
    }
    yield;
  }
}

function addObject(object: YamlMapping, lineOf: LocatedYaml["lineOf"], event: EventFacts, context: ReadContext): void {
  const attributes = listOf(object["Attribute"]);
  const valueOf = (relation: string): string | null => {
    const one = attributes.find((item) => isMapping(item) && item["object_relation"] === relation && !isDeleted(item));
    return isMapping(one) ? textOf(one["value"]) : null;
  };
  for (const [index, attribute] of attributes.entries()) {
    if (!isMapping(attribute)) continue;
    const relation = textOf(attribute["object_relation"]) ?? "";
    if (!RELATION_COINS.has(relation)) continue;
    addAttribute(
      {
        attribute,
        line: lineOf(["Attribute", index]),
        coin: RELATION_COINS.get(relation) ?? valueOf("symbol"),
        isDeleted: isDeleted(object),
        note: valueOf("text"),
        validFrom: momentOf(valueOf("first-seen")),
      },
      event,
      context,
    );
  }
}

interface CoinAttribute {
  readonly attribute: YamlMapping;
  readonly line: number;
  readonly coin: string | null;
  /** The object it stands in is deleted. */
  readonly isDeleted: boolean;
  readonly note: string | null;
  readonly validFrom: string | null;
}

function addAttribute(of: CoinAttribute, event: EventFacts, context: ReadContext): void {
  const { attribute, line, coin } = of;
  const address = textOf(attribute["value"]);
  if (address === null) return context.refuse({ line, field: "value", found: "nothing", allowed: "an address" });
  const row = { line, address, coin };
  if (of.isDeleted || isDeleted(attribute)) return withdrawForeignRow({ ...row, reason: "deleted in MISP" }, context);
  const isForDetection = attribute["to_ids"] !== false;
  if (!isForDetection)
    context.warn({ line, field: "to_ids", found: "false", allowed: "true; kept, but not switched on" });
  addForeignRow(
    {
      ...row,
      label: textOf(attribute["comment"]) ?? event.info,
      default: isForDetection ? "on" : "off",
      note: of.note,
      tlp: tlpOf(attribute) ?? event.tlp,
      validFrom: of.validFrom,
      sources: [{ ref: `misp:${event.uuid ?? "event"}`, label: event.info, quoted: null }],
      addedBy: event.org,
    },
    context,
  );
}

function isDeleted(value: YamlMapping): boolean {
  return value["deleted"] === true || value["deleted"] === "1";
}

/** The most restrictive of its tags. */
function tlpOf(value: YamlMapping): Tlp | null {
  let found: Tlp | null = null;
  for (const tag of listOf(value["Tag"])) {
    const name = isMapping(tag) ? (textOf(tag["name"]) ?? "").toLowerCase() : "";
    if (!name.startsWith("tlp:")) continue;
    const word = name.slice("tlp:".length);
    const tlp = word === "white" ? "clear" : TLP_LEVELS.find((one) => one === word);
    // A word nobody knows may forbid the most.
    if (found === null || TLP_LEVELS.indexOf(tlp ?? "red") > TLP_LEVELS.indexOf(found)) found = tlp ?? "red";
  }
  return found;
}

/** When the event was last changed, else its date. */
function dayOf(event: YamlMapping): string | null {
  const seconds = /^\d{1,11}$/.exec(textOf(event["timestamp"]) ?? "")?.[0];
  if (seconds !== undefined && Number(seconds) > 0) return new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
  return /^\d{4}-\d{2}-\d{2}$/.exec(textOf(event["date"]) ?? "")?.[0] ?? null;
}
