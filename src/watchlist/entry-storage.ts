/**
 * Where the bytes of an entry index are: in a file, or in memory when it is small. Written once from front to back, then
 * only read. A file is closed when it is told to, or when nothing refers to it any more: who asks a replaced list last is
 * nobody's to know.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { assert } from "../lib/assert.ts";
import { ConfigError } from "../lib/errors.ts";

export interface ReadableStorage {
  /** Bytes in it. */
  readonly size: number;
  /** Fills `into` from `at` on. Throws ConfigError when so much is not there: what cannot be read is not "no". */
  read(into: Uint8Array, at: number): void;
  /** The error to throw when the content is not as it was written. */
  unfit(why: string, cause?: unknown): ConfigError;
  /** Nothing is read any more; what was not published is gone. */
  close(): void;
}

export interface EntryStorage extends ReadableStorage {
  append(bytes: Uint8Array): void;
  /** Over what is there already. */
  overwrite(bytes: Uint8Array, at: number): void;
  /** Everything is written: from now on it is found under its name. */
  publish(): void;
}

/** For lists that fit, and for processes without a folder of their own. */
export function createMemoryStorage(): EntryStorage {
  let bytes = Buffer.alloc(4096);
  let size = 0;
  return {
    get size() {
      return size;
    },
    append(more) {
      if (size + more.length > bytes.length) {
        const larger = Buffer.alloc(2 * (size + more.length));
        bytes.copy(larger, 0, 0, size);
        bytes = larger;
      }
      bytes.set(more, size);
      size += more.length;
    },
    overwrite: (part, at) => bytes.set(part, at),
    publish() {
      bytes = Buffer.from(bytes.subarray(0, size));
    },
    read(into, at) {
      assert(at + into.length <= size, "what is read was written");
      bytes.copy(into, 0, at, at + into.length);
    },
    unfit: (why, cause) => new ConfigError(`the watchlist in memory is damaged: ${why}`, { cause }),
    close: () => {},
  };
}

const unreferenced = new FinalizationRegistry((file: number) => closeSync(file));

/** To be called once. */
function closeOnce(storage: object, file: number): void {
  unreferenced.unregister(storage);
  closeSync(file);
}

/**
 * A new file beside `path`, which takes its place when it is published. Whoever has the old one open goes on reading it;
 * the system frees its space when the last of them closes it.
 *
 * Nothing is synced: after a loss of power the file may be damaged, which is seen when it is opened. It can be built again.
 */
export function createFileStorage(path: string): EntryStorage {
  const part = unpublished(path);
  const file = openSync(part, "w+", 0o600);
  let size = 0;
  let isPublished = false;
  const write = (bytes: Uint8Array, at: number) => {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
  };
  const storage: EntryStorage = {
    ...readerOf(path, file),
    get size() {
      return size;
    },
    append(bytes) {
      write(bytes, size);
      size += bytes.length;
    },
    overwrite: write,
    publish() {
      renameSync(part, path);
      isPublished = true;
    },
    close() {
      closeOnce(storage, file);
      if (!isPublished) rmSync(part, { force: true });
    },
  };
  unreferenced.register(storage, file, storage);
  return storage;
}

function unpublished(path: string): string {
  return `${path}.part`;
}

/** What a process that was killed had not published. */
export function removeUnpublished(path: string): void {
  rmSync(unpublished(path), { force: true });
}

/** Throws ConfigError when there is no such file. */
export function openFileStorage(path: string): ReadableStorage {
  const file = openRegular(path);
  const storage = { ...readerOf(path, file), size: fstatSync(file).size, close: () => closeOnce(storage, file) };
  unreferenced.register(storage, file, storage);
  return storage;
}

function openRegular(path: string): number {
  try {
    // Asked before opening: to open a pipe is to wait for its writer.
    if (statSync(path).isFile()) return openSync(path, "r");
  } catch (error) {
    throw unfit(path, "it cannot be opened", error);
  }
  throw unfit(path, "it is not a regular file");
}

function readerOf(path: string, file: number): Pick<ReadableStorage, "read" | "unfit"> {
  return {
    read(into, at) {
      for (let done = 0; done < into.length; ) {
        const read = readSync(file, into, done, into.length - done, at + done);
        if (read === 0) throw unfit(path, `it ends at byte ${at + done}`);
        done += read;
      }
    },
    unfit: (why, cause) => unfit(path, why, cause),
  };
}

function unfit(path: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`${path} is not a whole entry file: ${why}`, { cause });
}
