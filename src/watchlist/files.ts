/** Paths to texts. Whatever is wrong with a path or a file's bytes is a problem, never a crash. */
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { describeError } from "../lib/errors.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { escapeInvisible } from "./problems.ts";

/** About a millisecond of parsing. */
const CHUNK_BYTES = 64 * 1024;

export interface FileSearch {
  readonly paths: readonly string[];
  /** Folders are read for these, not recursively; with the dot. */
  readonly extensions: readonly string[];
}

/** Files in the order of `paths`, within a folder by name; each file once. */
export async function findFiles(search: FileSearch): Promise<{ files: string[]; problems: FileProblem[] }> {
  const files = new Map<string, string>();
  const problems: FileProblem[] = [];
  for (const given of search.paths) {
    try {
      const isFolder = (await stat(given)).isDirectory();
      const found = isFolder ? await filesIn(given, search.extensions) : [given];
      for (const file of found) {
        const key = path.resolve(file);
        if (!files.has(key)) files.set(key, file);
      }
    } catch (error) {
      problems.push(wholeFile(given, escapeInvisible(describeError(error)), "a readable file or folder"));
    }
  }
  return { files: [...files.values()], problems };
}

async function filesIn(folder: string, extensions: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const isWanted = (name: string) =>
    !name.startsWith(".") && extensions.some((extension) => name.toLowerCase().endsWith(extension));
  const names = entries.filter((entry) => !entry.isDirectory() && isWanted(entry.name)).map((entry) => entry.name);
  return names.toSorted().map((name) => path.join(folder, name));
}

/** The text of a file, or the problem that keeps it from being one. */
export async function readText(
  file: string,
  bytesMax: number,
): Promise<{ text: string; bytes: Uint8Array } | { problem: FileProblem }> {
  let bytes: Uint8Array;
  try {
    // Asked before reading, and only regular files: /dev/zero and pipes have no end.
    const info = await stat(file);
    if (!info.isFile()) return { problem: wholeFile(file, "something that is not a regular file", "a regular file") };
    if (info.size > bytesMax) return { problem: tooLarge(file, bytesMax) };
    const handle = await open(file, "r");
    try {
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { problem: wholeFile(file, escapeInvisible(describeError(error)), "a readable file") };
  }
  // Asked again: the file may have grown between the two calls.
  if (bytes.byteLength > bytesMax) return { problem: tooLarge(file, bytesMax) };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bytes };
  } catch {
    return { problem: wholeFile(file, "bytes that are not UTF-8", "UTF-8 text") };
  }
}

/** Opened for each pass, read in chunks; the buffer is used again for the next one. */
export async function* chunksOf(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function tooLarge(file: string, bytesMax: number): FileProblem {
  return wholeFile(file, "a larger file", `at most ${bytesMax} bytes`);
}

export function wholeFile(file: string, found: string, allowed: string): FileProblem {
  return { file, line: 0, field: "", found, allowed };
}
