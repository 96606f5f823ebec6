/** `.env`: variables for a developer's machine. The real environment wins. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import dotenv from "dotenv";
import { ConfigError } from "../lib/errors.ts";
import { errorCode } from "./error-code.ts";
import type { Env } from "./secrets.ts";

/**
 * The environment with the variables of `<dir>/.env` added beneath it; without that file, the environment as it is.
 * Returned, not written to `process.env`: a child process or a crash report must not inherit the secrets.
 */
export function loadEnv(dir: string, env: Env = process.env): Env {
  let text: string;
  try {
    text = readFileSync(join(dir, ".env"), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return env;
    throw new ConfigError("the file .env cannot be read", { cause: error, details: { dir } });
  }
  return { ...dotenv.parse(text), ...env };
}
