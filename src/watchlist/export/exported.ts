/** What leaves the house in any format: one list, its entries, and how the pieces of a file are named. */
import { createHash } from "node:crypto";
import type { ListHead, SourceInput, WatchEntryInput } from "../../types/watchlist-format.ts";

type FileOnly = "line" | "firstSeenTx" | "accountType" | "owner" | "sources";

/** An entry as it is kept; what only a file's row knows may be missing. */
export interface ExportEntry
  extends Omit<WatchEntryInput, FileOnly>,
    Partial<Pick<WatchEntryInput, "firstSeenTx" | "accountType" | "owner">> {
  readonly sources: readonly (Pick<SourceInput, "ref" | "label"> & { readonly quoted?: string | null })[];
}

export interface ExportList extends ListHead {
  readonly entries: Iterable<ExportEntry>;
}

export interface ExportFormat {
  /** What `--format` takes. */
  readonly name: string;
  /** With the dot. */
  readonly extension: string;
  /** The file in pieces. `now`: Unix milliseconds. */
  readonly write: (list: ExportList, now: number) => Generator<string>;
}

/**
 * False for victims and seized holdings: a format that can only say "malicious" must not name them. CSV and JSON lines
 * carry them with their role.
 */
export function isAccusable(entry: ExportEntry): boolean {
  return entry.default !== "never";
}

/** UUID of version 5 (RFC 9562): the same name, the same id, on every machine. */
export function uuidOf(name: string, namespace: string): string {
  const digest = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Ours: made once, at random. Changing it renames everything that was ever exported. */
export const NAMESPACE = "8b9d5c0e-6f0b-4d5e-9a53-2f6c1e7a4b10";
