/** Looks into values of somebody else's file, of whose shape nothing is known. */
import type { YamlMapping, YamlValue } from "./located-yaml.ts";

export function isMapping(value: YamlValue | undefined): value is YamlMapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(value: YamlValue | undefined): readonly YamlValue[] {
  return Array.isArray(value) ? value : [];
}

export function textsOf(value: YamlValue | undefined): readonly string[] {
  return listOf(value).filter((one) => typeof one === "string");
}

/** Null for a blank text too. */
export function textOf(value: YamlValue | undefined): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** The UTC day a date or moment begins with. */
export function dayOf(value: YamlValue | undefined): string | null {
  return /^\d{4}-\d{2}-\d{2}/.exec(textOf(value) ?? "")?.[0] ?? null;
}

/** In UTC, cut to milliseconds, so that moments compare as text; null where it is no moment. */
export function momentOf(value: YamlValue | undefined): string | null {
  const time = Date.parse(textOf(value) ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
