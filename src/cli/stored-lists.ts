/** The lists as they are matched, for commands that read them. */
import { existsSync } from "node:fs";
import path from "node:path";
import { callInstance } from "../daemon/instance.ts";
import { borrowFolder } from "./context.ts";
import { type LoadedLists, listsOfStore, loadLists, readFiles } from "../daemon/lists.ts";
import { watchPorts } from "../daemon/watch-ports.ts";
import { describeError, UnavailableError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { openStore } from "../store/database.ts";
import { createWatchStore, type StoredWatch } from "../store/watch-store.ts";
import type { Config } from "../types/config.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

/** As the store has them; before the first start, as the files would bring them there. */
export async function storedLists(config: Config, options: PersonOptions): Promise<LoadedLists> {
  if (!hasStore(config)) return loadLists(config);
  const stored = await askWatch<StoredWatch>(config, { name: "watch.list", args: {}, options });
  return listsOfStore(config, { stored, files: await readFiles(config) });
}

/** Lists, and where they were read from: a person must not take the files for what is watched. */
export interface ListsInUse {
  readonly lists: LoadedLists;
  readonly from: "store" | "files";
  /** Why not from the store; null: they are. */
  readonly why: string | null;
}

/**
 * What a daemon here matches with. For commands that only look: nothing is brought up to date for it, and a store that
 * cannot be read is said, not an error. Throws ConfigError where the files cannot be used.
 */
export async function listsInUse(config: Config): Promise<ListsInUse> {
  const files = await loadLists(config);
  const fromFiles = (why: string): ListsInUse => ({ lists: files, from: "files", why });
  if (!hasStore(config)) return fromFiles("there is no store yet");
  try {
    const stored = await readStore(config);
    if (stored.revision === 0) return fromFiles("the store holds no lists yet");
    return { lists: listsOfStore(config, { stored, files }), from: "store", why: null };
  } catch (error) {
    return fromFiles(`the store cannot be read (${redactText(describeError(error))})`);
  }
}

export function describeListsInUse({ lists, from, why }: ListsInUse): string {
  return from === "store"
    ? `as the store has them, revision ${lists.revision}`
    : `from the files alone: ${why}. What people added or removed is not in it`;
}

function hasStore({ databaseUrl, dataDir }: Config): boolean {
  return databaseUrl !== null || existsSync(path.join(dataDir, "pglite"));
}

async function readStore(config: Config): Promise<StoredWatch> {
  try {
    return (await callInstance(config.dataDir, "watch.list", {})) as StoredWatch;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
  }
  // An embedded store is one process's at a time.
  const instance = config.databaseUrl === null ? await borrowFolder(config.dataDir) : null;
  try {
    const store = await openStore(config);
    try {
      return await createWatchStore(store.db, watchPorts(config)).read();
    } finally {
      await store.close();
    }
  } finally {
    await instance?.close();
  }
}
