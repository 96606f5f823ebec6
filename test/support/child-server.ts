/** A server program as a child of the test: started until ready, its output kept, its end awaited. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { guard } from "./guardian.ts";
import { waitFor } from "./wait-for.ts";

export interface ChildServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly spawn?: Pick<SpawnOptions, "cwd" | "env" | "uid" | "gid">;
  /** Truthy once the server answers; called again and again, it may throw. */
  readonly isReady: (output: string) => unknown;
  /** The signal that makes this program end in good order. */
  readonly stopSignal: NodeJS.Signals;
}

export interface ChildServer {
  readonly pid: number;
  /** The last part of what it printed. */
  output(): string;
  /** Ends it in good order, by force after 10 s. Returns when the process is gone; twice is fine. */
  stop(): Promise<void>;
  /** What a crash or the OOM killer does. */
  kill9(): Promise<void>;
}

const OUTPUT_CHARS_MAX = 100_000;
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

export async function startChildServer(options: ChildServerOptions): Promise<ChildServer> {
  const child = spawn(options.command, options.args, { ...options.spawn, stdio: ["ignore", "pipe", "pipe"] });
  const output = collectOutput(child);
  const exit = exitOf(child);
  if (child.pid === undefined) throw new Error(`${options.name} did not start`, { cause: await exit.reason });
  const pid = child.pid;
  const release = guard({ kind: "process", pid, signal: options.stopSignal });
  // A server that a test forgot must not keep the test process from ending; the guardian ends the server then.
  for (const handle of [child, child.stdout as Socket, child.stderr as Socket]) handle.unref();
  void exit.reason.then(release);

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (exit.isOver()) return;
    child.kill(signal);
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exit.reason;
    clearTimeout(force);
  };

  try {
    const ready = () => exit.isOver() || options.isReady(output());
    await waitFor(`${options.name} to be ready`, ready, { timeoutMs: READY_TIMEOUT_MS });
    if (exit.isOver()) throw new Error(`${options.name} ended (${String(await exit.reason)})`);
  } catch (error) {
    await end("SIGKILL");
    throw new Error(`${options.name} did not become ready, its output:\n${output()}`, { cause: error });
  }
  return { pid, output, stop: () => end(options.stopSignal), kill9: () => end("SIGKILL") };
}

function collectOutput(child: ChildProcess): () => string {
  let text = "";
  const keep = (chunk: string) => {
    text = (text + chunk).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  return () => text;
}

/** `close`, not `exit`: then the output is complete as well. A program that does not exist only emits `error`. */
function exitOf(child: ChildProcess): { reason: Promise<unknown>; isOver: () => boolean } {
  let over = false;
  const reason = new Promise<unknown>((resolve) => {
    child.once("error", resolve);
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  child.once("exit", () => (over = true));
  child.once("error", () => (over = child.exitCode !== null || child.signalCode !== null || child.pid === undefined));
  return { reason, isOver: () => over };
}
