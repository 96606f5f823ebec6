/**
 * A STIX 2.1 bundle: a wallet for each address (both dialects read it) and an indicator for each entry. STIX has no word
 * for the chain of a wallet: the receiver tells it by the form of the address. Victims are left out.
 */
import { TLP_MARKINGS } from "../formats/stix-tlp.ts";
import { type ExportEntry, type ExportFormat, isAccusable, NAMESPACE, uuidOf } from "./exported.ts";

/** STIX 2.1 section 2.9: the namespace of ids made from what they name. */
const SCO_NAMESPACE = "00abedb4-aa42-466c-9c01-fed23315a9b7";
/** Of stix2extensions: the wallet is a new kind of observable. */
const WALLET_EXTENSION = "extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7";

export const stixExport: ExportFormat = {
  name: "stix",
  extension: ".json",
  *write({ entries, list, version, incident }, now) {
    const moment = new Date(now).toISOString();
    yield `{"type":"bundle","id":"bundle--${uuidOf(`${list}/${version}/${moment}`, NAMESPACE)}","objects":[`;
    const written = new Set<string>();
    const around = { list, day: version.slice(0, 10), moment, incident: incident.name };
    let separator = "\n";
    for (const entry of entries) {
      if (!isAccusable(entry)) continue;
      if (!written.has(entry.address)) {
        yield separator + JSON.stringify(walletOf(entry));
        separator = ",\n";
      }
      written.add(entry.address);
      yield separator + JSON.stringify(indicatorOf(entry, around));
    }
    yield "\n]}\n";
  },
};

function walletOf({ address, tlp }: ExportEntry): object {
  return {
    type: "cryptocurrency-wallet",
    spec_version: "2.1",
    id: `cryptocurrency-wallet--${uuidOf(JSON.stringify({ value: address }), SCO_NAMESPACE)}`,
    value: address,
    ...markingOf(tlp),
    extensions: { [WALLET_EXTENSION]: { extension_type: "new-sco" } },
  };
}

interface Around {
  readonly list: string;
  readonly day: string;
  readonly moment: string;
  readonly incident: string;
}

function indicatorOf(entry: ExportEntry, { list, day, moment, incident }: Around): object {
  const confidence = /^\d{1,3}$/.test(entry.givenConfidence ?? "") ? Number(entry.givenConfidence) : null;
  return {
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--${uuidOf(`${list}/${entry.chain}/${entry.address}`, NAMESPACE)}`,
    created: `${day}T00:00:00.000Z`,
    modified: moment,
    name: entry.label,
    ...(entry.note === null ? {} : { description: entry.note }),
    indicator_types: ["malicious-activity"],
    pattern: `[cryptocurrency-wallet:value = '${entry.address}']`,
    pattern_type: "stix",
    valid_from: momentOf(entry.validFrom ?? day),
    ...(entry.validUntil == null ? {} : { valid_until: momentOf(entry.validUntil) }),
    ...(confidence === null || confidence > 100 ? {} : { confidence }),
    labels: [entry.role, entry.basis, incident],
    ...markingOf(entry.tlp),
    external_references: entry.sources.map(({ ref, label }) => ({
      source_name: label ?? "heistwatch",
      ...(/^https?:\/\//.test(ref) ? { url: ref } : { external_id: ref }),
    })),
  };
}

function momentOf(text: string): string {
  return new Date(text).toISOString();
}

function markingOf(tlp: ExportEntry["tlp"]): object {
  return tlp == null ? {} : { object_marking_refs: [TLP_MARKINGS[tlp]] };
}
