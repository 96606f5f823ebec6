/**
 * Values that come from outside the file: `{ env: NAME }` is the variable NAME, or the content of the file that
 * NAME_FILE names, never both. Nothing here puts a value, or the name of a secret file, into a text: someone will set
 * NAME_FILE to the secret itself.
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { errorCode } from "./error-code.ts";
import type { Refusal } from "./problems.ts";
import { nearest } from "./suggest.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** `unset` is not an error by itself: whether a value is needed is the option's decision. */
export type EnvRead =
  | { readonly kind: "set"; readonly value: string }
  | { readonly kind: "unset"; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export type ReadEnv = (name: string) => EnvRead;

const FILE_BYTES_MAX = 64_000; // A secret or a URL is one line; anything larger is the wrong file.
const READABLE_BY_OTHERS = 0o004;

/** An empty variable counts as unset: compose files pass `${NAME:-}` for "not given". */
export function createReadEnv(options: { env: Env; baseDir: string }): ReadEnv {
  const { env, baseDir } = options;
  return (name) => {
    const value = env[name]?.trim() ?? "";
    const file = env[`${name}_FILE`]?.trim() ?? "";
    if (value !== "" && file !== "") {
      return {
        kind: "refused",
        refusal: { found: `both ${name} and ${name}_FILE are set`, allowed: `${name} or ${name}_FILE, one of them` },
      };
    }
    if (value !== "") return { kind: "set", value };
    if (file !== "") return readSecretFile(name, resolve(baseDir, file));
    return { kind: "unset", refusal: unsetRefusal(name, env) };
  };
}

/** For the JSON Schema, which needs the shape of the options and no values. */
export const readNoEnv: ReadEnv = (name) => ({ kind: "unset", refusal: unsetRefusal(name, {}) });

function unsetRefusal(name: string, env: Env): Refusal {
  const others = Object.keys(env).filter((key) => env[key] !== "" && key !== name);
  return {
    found: `neither ${name} nor ${name}_FILE is set in the environment or .env`,
    allowed: `${name} with the value, or ${name}_FILE with the path of a file that holds it`,
    suggestion: nearest(name, others),
  };
}

function refused(found: string, allowed: string): EnvRead {
  return { kind: "refused", refusal: { found, allowed } };
}

function readSecretFile(name: string, file: string): EnvRead {
  const readable = `${name}_FILE with the path of a readable file of one line`;
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > FILE_BYTES_MAX)
      return refused(`${name}_FILE names something that is not a small file`, readable);
    // Windows reports no such bits; there the folder's access list is what protects the file.
    if (process.platform !== "win32" && (stat.mode & READABLE_BY_OTHERS) !== 0) {
      return refused(
        `the file named by ${name}_FILE can be read by every user of this machine`,
        "a file that only its owner and group can read (chmod 640; in Kubernetes defaultMode: 0440)",
      );
    }
    const value = readFileSync(file, "utf8").trim();
    return value === "" ? refused(`the file named by ${name}_FILE is empty`, readable) : { kind: "set", value };
  } catch (error) {
    return refused(`the file named by ${name}_FILE cannot be read (${errorCode(error)})`, readable);
  }
}
