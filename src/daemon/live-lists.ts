/**
 * The lists blocks are matched with, replaced as a whole while the lines run. The store is the truth: a change there, by
 * whichever process, is read here within a second; the lines take their chains over again with what is new.
 */
import type { WatchStore } from "../store/watch-store.ts";
import type { Config } from "../types/config.ts";
import { type Lists, listsOfStore, type OwnFiles } from "./lists.ts";

export interface LiveLists {
  current(): Lists;
  /** Reads the store again if it changed, or own addresses and tokens did. */
  refresh(files?: OwnFiles): Promise<void>;
  onChange(listener: () => void, signal: AbortSignal): void;
}

export async function createLiveLists(
  config: Config,
  { store, files, onSwap }: { store: WatchStore; files: OwnFiles; onSwap: (lists: Lists) => void },
): Promise<LiveLists> {
  let own = files;
  let lists = listsOfStore(config, { stored: await store.read(), files: own });
  let refreshing: Promise<void> | null = null;
  const listeners = new Set<() => void>();

  async function read(): Promise<void> {
    const madeFrom = own;
    if (lists.revision === (await store.revision()) && !isOwnNew) return;
    const next = listsOfStore(config, { stored: await store.read(), files: madeFrom });
    isOwnNew = own !== madeFrom;
    lists = next;
    onSwap(lists);
    for (const listener of listeners) listener();
  }

  let isOwnNew = false;
  onSwap(lists);
  return {
    current: () => lists,

    async refresh(newer) {
      if (newer !== undefined) {
        own = newer;
        isOwnNew = true;
      }
      // Whoever asks while it is being read gets a reading that began after they asked.
      if (refreshing !== null) await refreshing.catch(() => undefined);
      refreshing ??= read().finally(() => {
        refreshing = null;
      });
      await refreshing;
    },

    onChange(listener, signal) {
      if (signal.aborted) return;
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };
}
