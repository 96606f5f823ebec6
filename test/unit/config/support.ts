/** Configurations in a folder of their own, removed when the test file is done. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "../../../src/config/load.ts";
import type { Env } from "../../../src/config/secrets.ts";
import { ConfigError } from "../../../src/lib/errors.ts";

/** 32 bytes; long enough that a test can look for any part of it. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** The smallest configuration that is right. */
export const CHAINS = ["chains:", "  ethereum:", "    nodes: [{ name: own-a, http: http://127.0.0.1:8545 }]"].join(
  "\n",
);

const folders: string[] = [];

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

export function makeFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "heistwatch-config-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o600 });
  }
  return folder;
}

/** `files` holds heistwatch.yaml and whatever stands beside it. */
export function load(files: Readonly<Record<string, string>>, env: Env = {}) {
  const folder = makeFolder(files);
  return loadConfig({ configPath: join(folder, "heistwatch.yaml"), env });
}

/** The text of the ConfigError, with the folder cut from the file names. Empty when nothing is wrong. */
export function problemText(files: Readonly<Record<string, string>>, env: Env = {}): string {
  const folder = makeFolder(files);
  try {
    loadConfig({ configPath: join(folder, "heistwatch.yaml"), env });
    return "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(`${folder}/`, "");
  }
}
