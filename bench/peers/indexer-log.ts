/** Indexers are programs that log: their runners wait for what they say. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** The lines a program writes to stdout, until one contains `last`. Throws when the program ends before. */
export async function* logLinesUntil(last: string, { stdout }: ChildProcess): AsyncGenerator<string> {
  if (stdout === null) throw new Error("the program's stdout is not a pipe");
  let tail = "";
  for await (const line of createInterface({ input: stdout })) {
    if (line !== "") tail = line;
    yield line;
    if (line.includes(last)) return;
  }
  throw new Error(`the program ended without "${last}"; its last line: ${tail}`);
}
