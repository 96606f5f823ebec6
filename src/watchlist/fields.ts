/**
 * The fields our files share, as zod schemas whose error message is the sentence "what is allowed here", and the one
 * function that turns what zod finds into numbered problems.
 */
import { z } from "zod";
import type { LocatedYaml } from "./located-yaml.ts";
import { hasInvisible, type Problems, showFound } from "./problems.ts";

export const CHAIN_ALLOWED = "a CAIP-2 chain id such as eip155:1";
export const ADDRESS_ALLOWED = "an address: 1 to 128 visible ASCII characters without spaces";

function patternField(pattern: RegExp, allowed: string) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

/** Text a person will read in an alert. */
export function textField(lengthMax: number) {
  const allowed = `text of 1 to ${lengthMax} characters without control, zero-width or text-direction characters`;
  const isText = (text: string) => text.trim() !== "" && text.length <= lengthMax && !hasInvisible(text);
  return z.string({ error: allowed }).refine(isText, { error: allowed });
}

export const chainField = patternField(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/, CHAIN_ALLOWED);
export const addressField = patternField(/^[!-~]{1,128}$/, ADDRESS_ALLOWED);
export const slugField = patternField(/^[a-z0-9][a-z0-9-]{0,63}$/, "1 to 64 of a-z, 0-9 and -, such as wazirx-2024");
export const versionField = patternField(
  /^\d{4}-\d{2}-\d{2}(\.\d{1,4})?$/,
  "a date and a number, such as 2026-11-22.1",
);
export const dateField = patternField(
  /^\d{4}-\d{2}(-\d{2})?$/,
  "a UTC date: YYYY-MM-DD, or YYYY-MM when the day is not known",
);
export const momentField = patternField(
  /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?Z)?$/,
  "a UTC date or moment: YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ",
);
export const refField = patternField(
  /^[ -~]{1,400}$/,
  "a source key of this file, or a reference of 1 to 400 ASCII characters with a colon",
);
export const hashField = patternField(/^[!-~]{1,128}$/, "a transaction id without spaces");

export function choiceField<const T extends readonly string[]>(choices: T) {
  return z.enum(choices, { error: `one of ${choices.join(", ")}` });
}

export function booleanField() {
  return z.boolean({ error: "true or false" });
}

/** YAML and CSV hand numbers over as text. */
export function integerField(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  const inRange = (value: number) => value >= min && value <= max;
  return patternField(/^(0|[1-9]\d{0,15})$/, allowed)
    .transform(Number)
    .refine(inRange, { error: allowed });
}

/** Absent and null are the same: "not known". */
export function optional<T extends z.ZodType>(field: T) {
  return field.nullish().transform((value): z.output<T> | null => value ?? null);
}

/** A mapping without unknown keys; the message names the known ones. */
export function mapping<T extends z.ZodRawShape>(shape: T) {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `only the keys ${keys}` : `a mapping with the keys ${keys}`,
  });
}

/** The part of a file a schema is applied to, and where it stands. */
export interface CheckedPart {
  readonly value: unknown;
  readonly path: readonly PropertyKey[];
  readonly lineOf: LocatedYaml["lineOf"];
}

/** The schema's output, or null after adding one problem for each thing that is wrong. */
export function check<T extends z.ZodType>(schema: T, part: CheckedPart, problems: Problems): z.output<T> | null {
  const result = schema.safeParse(part.value);
  if (result.success) return result.data;
  const told = new Set<string>();
  for (const issue of result.error.issues) {
    const paths = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of paths) {
      const field = fieldName([...part.path, ...path]);
      if (told.has(field)) continue;
      told.add(field);
      const found = issue.code === "unrecognized_keys" ? "an unknown key" : showFound(valueAt(part.value, path));
      problems.add({ line: part.lineOf([...part.path, ...path]), field, found, allowed: issue.message });
    }
  }
  return null;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

export function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${fieldPart(step)}`))
    .join("");
}

/** A key of a hostile file is printed too: quoted unless it is an ordinary name. */
function fieldPart(step: PropertyKey): string {
  const text = String(step);
  return /^[\w-]{1,40}$/.test(text) ? text : showFound(text);
}
