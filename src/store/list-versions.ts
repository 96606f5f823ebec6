/** The versions that lists had when they were last imported. What people change here since gives a list another one. */
import type { Kysely } from "kysely";
import type { Database } from "./schema.ts";

/** By list; without those that never were imported. */
export async function importedVersions(
  db: Kysely<Database>,
  lists: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (lists.length === 0) return new Map();
  const rows = await db
    .selectFrom("watch_version")
    .select(["list", "version"])
    .distinctOn("list")
    .where("list", "in", lists)
    .where("action", "=", "import")
    .orderBy("list")
    .orderBy("number", "desc")
    .execute();
  return new Map(rows.map(({ list, version }) => [list, ownVersion(version)]));
}

/** Without what the store put behind it to tell a second import of the same version apart. */
function ownVersion(version: string): string {
  return version.replace(/\+\d+$/, "");
}
