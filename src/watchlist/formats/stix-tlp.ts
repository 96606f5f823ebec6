/** Traffic Light Protocol in STIX: fixed marking ids of TLP 1.0 and 2.0, and marking objects that say it in words. */
import { TLP_LEVELS, type Tlp } from "../../types/watch.ts";
import type { YamlMapping } from "../located-yaml.ts";

/** The marking we put on what we export: TLP 2.0. */
export const TLP_MARKINGS: Readonly<Record<Tlp, string>> = {
  clear: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
  green: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
  amber: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
  "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
  red: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
};

/** STIX 2.1 section 7.2.1.4 (TLP 1.0) and the OASIS extension for TLP 2.0. */
const FIXED: ReadonlyMap<string, Tlp> = new Map([
  ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "clear"],
  ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "green"],
  ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "amber"],
  ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red"],
  ...TLP_LEVELS.map((tlp): [string, Tlp] => [TLP_MARKINGS[tlp], tlp]),
]);
export const UNKNOWN_MARKING = "a marking of this bundle or of TLP; treated as TLP:RED";

/** By id; null: a marking about something else, such as a copyright. */
export type Markings = ReadonlyMap<string, Tlp | null>;

export function readMarkings(definitions: readonly YamlMapping[]): Markings {
  const markings = new Map<string, Tlp | null>(FIXED);
  for (const value of definitions) {
    const id = typeof value["id"] === "string" ? value["id"] : "";
    // The fixed ids mean what the standard says, whatever a bundle claims.
    if (!FIXED.has(id)) markings.set(id, tlpOf(value));
  }
  return markings;
}

function tlpOf(value: YamlMapping): Tlp | null {
  const definition = value["definition"];
  const inside =
    typeof definition === "object" && definition !== null && !Array.isArray(definition) ? definition["tlp"] : null;
  const word = [inside, value["name"]].find((one) => typeof one === "string");
  const text = typeof word === "string" ? word.toLowerCase().replace(/^tlp:/, "") : "";
  if (text === "white") return "clear";
  const known = TLP_LEVELS.find((one) => one === text);
  return known ?? (value["definition_type"] === "tlp" ? "red" : null);
}

/** The most restrictive marking of all objects; a marking that cannot be looked up may be the strictest. */
export function markingOf(
  objects: readonly (YamlMapping | null)[],
  markings: Markings,
): { readonly tlp: Tlp | null; readonly unknown: string | null } {
  let tlp: Tlp | null = null;
  let unknown: string | null = null;
  for (const ref of objects.flatMap((object) => refsOf(object))) {
    const marking = markings.get(ref);
    if (marking === undefined) unknown = ref;
    const one = marking === undefined ? "red" : marking;
    if (one !== null && (tlp === null || TLP_LEVELS.indexOf(one) > TLP_LEVELS.indexOf(tlp))) tlp = one;
  }
  return { tlp, unknown };
}

function refsOf(object: YamlMapping | null): string[] {
  const refs = object?.["object_marking_refs"];
  return Array.isArray(refs) ? refs.filter((ref) => typeof ref === "string") : [];
}
