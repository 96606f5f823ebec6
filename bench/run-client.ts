/** Runs the measured process to its end. */
import { fork } from "node:child_process";
import path from "node:path";
import type { ClientAnswer, ClientTask } from "./client.ts";

const TIMEOUT_MS = 10 * 60_000;

export interface RunOptions {
  readonly task: ClientTask;
  /** Called when the client follows heads. */
  readonly onReady?: () => Promise<void>;
}

/** The client's last answer. Throws when it ends without one. */
export async function runClient({ task, onReady }: RunOptions): Promise<ClientAnswer> {
  const child = fork(path.join(import.meta.dirname, "client.ts"), [JSON.stringify(task)], {
    stdio: ["ignore", "inherit", "pipe", "ipc"],
    timeout: TIMEOUT_MS,
  });
  let complaint = "";
  child.stderr?.on("data", (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    let last: ClientAnswer | null = null;
    child.on("message", (answer: ClientAnswer) => {
      if (answer.kind !== "ready") last = answer;
      else onReady?.().catch(reject);
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (last === null) reject(new Error(`${task.variant} ended (${code ?? signal ?? "?"}):\n${complaint}`));
      else resolve(last);
    });
  });
}
