/** The lists as they are matched, for commands that read them. */
import { existsSync } from "node:fs";
import path from "node:path";
import { type LoadedLists, listsOfStore, loadLists, readFiles } from "../daemon/lists.ts";
import type { StoredWatch } from "../store/watch-store.ts";
import type { Config } from "../types/config.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

/** As the store has them; before the first start, as the files would bring them there. */
export async function storedLists(config: Config, options: PersonOptions): Promise<LoadedLists> {
  const hasStore = config.databaseUrl !== null || existsSync(path.join(config.dataDir, "pglite"));
  if (!hasStore) return loadLists(config);
  const stored = await askWatch<StoredWatch>(config, { name: "watch.list", args: {}, options });
  return listsOfStore(config, { stored, files: await readFiles(config) });
}
