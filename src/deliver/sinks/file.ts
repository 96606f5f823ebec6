/**
 * A file of JSON lines. Delivered means on disk: synced before the answer. The file is opened anew for each message, so
 * whoever rotates it only renames it.
 */
import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { FileSinkConfig } from "../../types/sink-config.ts";
import type { SendOutcome, Sink } from "../../types/sink.ts";
import { createInTurn } from "../../lib/in-turn.ts";
import { formatBody } from "../formats/format.ts";
import { withinTime } from "../send-clock.ts";

/** A disk that hangs (a network mount) must not hold a worker for ever. */
const TIMEOUT_MS = 15_000;
const NEWLINE = "\n".charCodeAt(0);
/** Alerts name customers: the owner writes, the group may read. */
const MODE = 0o640;

export interface FileSinkDeps {
  readonly version: string;
}

export function createFileSink(config: FileSinkConfig, { version }: FileSinkDeps): Sink {
  const inTurn = createInTurn();
  const closing = new AbortController();
  return {
    name: config.name,
    kind: config.kind,
    keepsState: false,
    describe: () => `file ${config.path}`,
    send: (message, signal) =>
      withinTime(
        { caller: AbortSignal.any([signal, closing.signal]), timeoutMs: TIMEOUT_MS },
        async (cut): Promise<SendOutcome> => {
          const { text } = formatBody(config.format, message, version);
          const written = inTurn("file", () => appendLine(config.path, text));
          written.catch(() => undefined);
          await Promise.race([written, cut.happened]);
          return { result: "delivered", status: null, excerpt: "" };
        },
      ),
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, "a+", MODE);
  try {
    const { size } = await file.stat();
    // A line that a full disk cut in half must not swallow the next one.
    const separator = size > 0 && !(await endsInNewline(file, size)) ? "\n" : "";
    await file.appendFile(`${separator}${line}\n`);
    await file.sync();
    if (size === 0) await syncFolder(dirname(path));
  } finally {
    await file.close();
  }
}

async function endsInNewline(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === NEWLINE;
}

/** A new file is found again after a crash only once its folder is synced too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
