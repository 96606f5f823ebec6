/**
 * The building blocks of the schema. The error text of every block says what is allowed there, so a problem can print
 * it as it is; what was found is told by `issues.ts`.
 */
import { z } from "zod";
import type { Check } from "./checks.ts";
import type { Path, Refusal } from "./problems.ts";
import type { ReadEnv } from "./secrets.ts";

/** Keys are joined with this, and split again to find the nearest spelling of an unknown one. */
export const KEY_SEPARATOR = ", ";

/** A mapping with these keys and no others. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(KEY_SEPARATOR);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? keys : `a mapping of ${keys}`),
  });
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.join(", ")}` });
}

export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function text(pattern: RegExp, error: string) {
  return z.string({ error }).regex(pattern, { error });
}

export function list<Item extends z.ZodType>(item: Item, error: string) {
  return z.array(item, { error });
}

/** Short names become file names, metric labels and keys. */
export function shortName() {
  return text(/^[a-z0-9][a-z0-9-]{0,31}$/, "a short name: lower-case letters, digits and hyphens, at most 32");
}

export function filePath() {
  return text(/^[^\0]{1,4096}$/, "a path; a relative one starts from the folder of this file");
}

// Upper case only: a secret pasted in place of the name does not look like this, so it is refused without being shown.
const ENV_NAME = /^[A-Z][A-Z0-9_]{0,63}$(?<!_FILE)/;
const envName = () =>
  text(
    ENV_NAME,
    "the name of an environment variable in capitals, such as DATABASE_URL, without _FILE at the end",
  ).describe(
    "Name of the environment variable with the value. NAME_FILE, the path of a file that holds it, works too.",
  );

interface ReferenceOptions {
  readonly readEnv: ReadEnv;
  /** What the value may be, wherever it comes from. */
  readonly allowed: string;
  readonly check: Check;
  /** What may moreover be written in the file itself. */
  readonly checkWritten?: Check;
}

/** A value, or `{ env: NAME }`, or `{ env: NAME, default: value }`. */
export function value(options: ReferenceOptions) {
  const error = `${options.allowed}, or { env: NAME } or { env: NAME, default: … }`;
  const reference = section({
    env: envName(),
    default: z.string({ error: options.allowed }).describe("Used while the variable is not set.").optional(),
  });
  return z.union([z.string({ error }), reference], { error }).transform((input, context) => {
    return resolve(input, options, context) ?? z.NEVER;
  });
}

/** As `value`, and `default: null` says that it may be missing. */
export function optionalValue(options: ReferenceOptions) {
  const error = `${options.allowed}, or { env: NAME } or { env: NAME, default: null }`;
  const fallback = z.string({ error: `${options.allowed}, or null` }).nullable();
  const reference = section({
    env: envName(),
    default: fallback.describe("Used while the variable is not set; null: none.").optional(),
  });
  return z
    .union([z.string({ error }), reference], { error })
    .transform((input, context): string | null => resolve(input, options, context))
    .nullable();
}

const secretError = (issue: { code?: string }) =>
  issue.code === "unrecognized_keys" ? "env" : "{ env: NAME }: a secret does not stand in this file";

/** Only `{ env: NAME }`: what stands in a file ends up in a repository. */
export function secret(options: ReferenceOptions) {
  return z.strictObject({ env: envName() }, { error: secretError }).transform((input, context) => {
    return resolve(input, options, context) ?? z.NEVER;
  });
}

const secretUntilError = (issue: { code?: string }) =>
  issue.code === "unrecognized_keys" ? "env, until" : "{ env: NAME, until: 2026-12-01T12:00:00Z }";

/** `{ env: NAME, until: date }`: a secret with an end. */
export function secretUntil(options: ReferenceOptions, until: z.ZodType<number, string>) {
  return z.strictObject({ env: envName(), until }, { error: secretUntilError }).transform((input, context) => ({
    secret: resolve({ env: input.env }, options, context) ?? z.NEVER,
    until: input.until,
  }));
}

type Input = string | { readonly env: string; readonly default?: string | null | undefined };

/** Null means refused, or "none" where the default is null. */
function resolve(input: Input, options: ReferenceOptions, context: z.core.$RefinementCtx): string | null {
  const { check, checkWritten = () => null } = options;
  // A misspelled `default` is one problem, not also a variable that is not set.
  if (context.issues.length > 0) return null;
  const refuse = (refusal: Refusal, path: Path = []): null => {
    addRefusal(context, refusal, path);
    return null;
  };
  const written = typeof input === "string" ? input : input.default;
  if (typeof written === "string") {
    const refusal = check(written) ?? checkWritten(written);
    if (refusal !== null) return refuse(refusal, typeof input === "string" ? [] : ["default"]);
  }
  if (typeof input === "string") return input;
  const read = options.readEnv(input.env);
  if (read.kind === "set") {
    const refusal = check(read.value);
    if (refusal === null) return read.value;
    return refuse({ ...refusal, found: `${refusal.found}, from ${input.env} or ${input.env}_FILE` });
  }
  if (read.kind === "unset" && input.default !== undefined) return input.default;
  return refuse(read.refusal);
}

/** A problem of ours inside the schema: `issues.ts` takes `found` and `suggestion` from the params. */
export function addRefusal(context: z.core.$RefinementCtx, refusal: Refusal, path: Path): void {
  const params = { found: refusal.found, suggestion: refusal.suggestion ?? null };
  context.addIssue({ code: "custom", message: refusal.allowed, params, path: [...path] });
}
