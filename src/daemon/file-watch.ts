/**
 * Notices that files changed. What the system tells of a folder is only a hint, and some file systems tell nothing: the
 * files themselves are looked at, soon after a hint and in any case now and then.
 */
import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** Names, sizes and times of the files, and of the files in the folders, as one text. */
export async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const given of paths) {
    const info = await stat(given).catch(() => null);
    const names = info?.isDirectory() === true ? (await readdir(given).catch((): string[] => [])).toSorted() : [];
    lines.push(lineOf(given, info));
    for (const name of names) {
      const file = path.join(given, name);
      lines.push(lineOf(file, await stat(file).catch(() => null)));
    }
  }
  return lines.join("\n");
}

function lineOf(
  file: string,
  info: { isDirectory(): boolean; size: number; mtimeMs: number; ino: number } | null,
): string {
  if (info === null) return `${file} is not there`;
  return info.isDirectory() ? `${file}/` : `${file} ${info.size} ${info.mtimeMs} ${info.ino}`;
}

/** Calls `onHint` when one of the paths may have changed, until the signal aborts. */
export function watchPaths(paths: readonly string[], onHint: () => void, signal: AbortSignal): void {
  for (const given of paths) {
    let watcher: FSWatcher;
    try {
      watcher = watch(given, { signal, persistent: false }, onHint);
    } catch {
      // Not there, or no watches left: looking now and then finds it all the same.
      continue;
    }
    watcher.on("error", () => watcher.close());
  }
}
