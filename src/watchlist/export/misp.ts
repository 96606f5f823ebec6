/** A MISP event with one coin-address object for each entry, by the template of MISP's own objects. Victims are left out. */
import { BITCOIN, coinOf } from "../coins.ts";
import { type ExportEntry, type ExportFormat, isAccusable, NAMESPACE, uuidOf } from "./exported.ts";

/** misp-objects, coin-address, version 7. */
const TEMPLATE = {
  name: "coin-address",
  "meta-category": "financial",
  template_uuid: "d0e6997e-78da-4815-a6a1-cfc1c1cb8a46",
  template_version: "7",
} as const;

export const mispExport: ExportFormat = {
  name: "misp",
  extension: ".json",
  *write({ entries, list, version, incident }, now) {
    const timestamp = String(Math.floor(now / 1000));
    const event = {
      uuid: uuidOf(`event/${list}`, NAMESPACE),
      info: incident.name,
      date: version.slice(0, 10),
      threat_level_id: "1",
      analysis: "1",
      timestamp,
      published: false,
      Orgc: { name: "heistwatch", uuid: uuidOf("org/heistwatch", NAMESPACE) },
    };
    yield `{"Event":${JSON.stringify(event).slice(0, -1)},"Object":[`;
    let separator = "\n";
    for (const entry of entries) {
      if (!isAccusable(entry)) continue;
      yield separator + JSON.stringify(objectOf(entry, list, timestamp));
      separator = ",\n";
    }
    yield "\n]}}\n";
  },
};

function objectOf(entry: ExportEntry, list: string, timestamp: string): object {
  const id = `${list}/${entry.chain}/${entry.address}`;
  const attribute = (relation: string, value: string, more: object = {}) => ({
    uuid: uuidOf(`${id}/${relation}`, NAMESPACE),
    object_relation: relation,
    type: "text",
    category: "Other",
    to_ids: false,
    value,
    ...more,
  });
  // Only Bitcoin has a type of its own in the template that others match on.
  const isBitcoin = entry.chain === BITCOIN;
  const found = { category: "Financial fraud", to_ids: entry.default === "on", comment: entry.label, ...tagOf(entry) };
  return {
    ...TEMPLATE,
    uuid: uuidOf(id, NAMESPACE),
    timestamp,
    Attribute: [
      attribute(isBitcoin ? "address" : "address-crypto", entry.address, {
        ...found,
        ...(isBitcoin ? { type: "btc" } : {}),
      }),
      attribute("symbol", coinOf(entry.chain)),
      ...(entry.note === null ? [] : [attribute("text", entry.note)]),
    ],
  };
}

function tagOf({ tlp }: ExportEntry): object {
  return tlp == null ? {} : { Tag: [{ name: `tlp:${tlp}` }] };
}
