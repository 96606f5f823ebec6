/** A text as a file on disk, imported the way an operator would. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { normalizeAddress } from "../../src/chains/registry.ts";
import type { ImportFormat, ImportOptions } from "../../src/types/watchlist-format.ts";
import { importList, type ImportResult } from "../../src/watchlist/import-list.ts";

export const IMPORT_OPTIONS: Omit<ImportOptions, "file"> = {
  list: "example",
  incident: {
    id: "example-2026",
    name: "Example heist",
    kind: "theft",
    date: "2026-11-01",
    attribution: null,
    attributionBasis: null,
    disputed: false,
    lossUsd: null,
    references: [],
    note: null,
  },
  today: "2026-11-22",
  role: "laundering",
  basis: "researcher",
  confidence: "named_by_researcher",
  source: "https://example.org/list",
  sanctionsList: null,
};

export interface ImportTextOptions {
  readonly format: ImportFormat;
  /** Of the file; some formats read it. */
  readonly name?: string;
  readonly acceptValid?: boolean;
  readonly options?: Partial<ImportOptions>;
}

/** Calls `use` with a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "heistwatch-import-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function importText(content: string | Uint8Array, options: ImportTextOptions): Promise<ImportResult> {
  return withFolder((folder) => importTextIn(folder, content, options));
}

export async function importTextIn(
  folder: string,
  content: string | Uint8Array,
  { format, name = "list", acceptValid = false, options = {} }: ImportTextOptions,
): Promise<ImportResult> {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return importList(file, {
    format,
    options: { ...IMPORT_OPTIONS, file, ...options },
    normalizeAddress,
    acceptValid,
  });
}

/** `chain/address` of every entry, sorted. */
export function keysOf(result: ImportResult): readonly string[] {
  return (result.list?.entries ?? []).map(({ chain, address }) => `${chain}/${address}`).toSorted();
}
