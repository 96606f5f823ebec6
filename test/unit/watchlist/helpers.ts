/** Small lists as text, in a folder that is gone after the test. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { getAddress, isAddress } from "ethers";
import type { NormalizeAddress } from "../../../src/watchlist/addresses.ts";
import { type LoadResult, loadWatchlists } from "../../../src/watchlist/load.ts";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** What the daemon does with an EVM adapter and no other. */
export const normalizeAddress: NormalizeAddress = (chain, text) => {
  if (!chain.startsWith("eip155:")) return "noAdapter";
  return text.startsWith("0x") && isAddress(text) ? getAddress(text) : null;
};

export const A1 = getAddress(`0x${"a1".repeat(20)}`);
export const B2 = getAddress(`0x${"b2".repeat(20)}`);
export const C3 = getAddress(`0x${"c3".repeat(20)}`);
export const D4 = getAddress(`0x${"d4".repeat(20)}`);
export const E5 = getAddress(`0x${"e5".repeat(20)}`);

export async function inFolder<T>(
  files: Record<string, string | Uint8Array>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "heistwatch-watchlist-"));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function load(files: Record<string, string | Uint8Array>): Promise<LoadResult> {
  return inFolder(files, (folder) => loadWatchlists({ paths: [folder], normalizeAddress }));
}

export interface RowOptions {
  readonly chain?: string;
  readonly address?: string;
  readonly role?: string;
  readonly default?: string;
  readonly extra?: string;
}

/** Nine lines, ten with `extra`. */
export function row(options: RowOptions = {}): string {
  return [
    `  - chain: ${options.chain ?? "eip155:1"}`,
    `    address: "${options.address ?? A1}"`,
    `    role: ${options.role ?? "theft"}`,
    `    label: "example thief"`,
    `    basis: researcher`,
    `    confidence: named_by_researcher`,
    `    independentSources: 1`,
    `    default: ${options.default ?? "on"}`,
    ...(options.extra === undefined ? [] : [`    ${options.extra}`]),
    `    sources: [{ ref: s1, label: "example" }]`,
    "",
  ].join("\n");
}

/** The first row starts on line 12. */
export function list(id: string, rows: readonly string[]): string {
  return `format: heistwatch/1
list: ${id}
version: "2026-11-22.1"
incident:
  id: ${id}
  name: Example
  kind: theft
  disputed: false
sources:
  s1: "https://example.org/report"
entries:
${rows.join("")}`;
}
