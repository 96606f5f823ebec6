/**
 * Runs a peer's runner to its end and measures all of its processes.
 *
 * A runner gets `<http url> <first block> <last block> <file with a JSON list of addresses>`, prints the line `started`
 * when its program and its list are loaded and the first block is about to be asked for, and last of all one line of
 * JSON, `{"events":n}`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { endedChildrenCpuMs, pidsOfTree, readTree, type TreeWatch, watchTree } from "./process-tree.ts";

export interface PeerRun {
  readonly events: number;
  /** CPU until the first block is asked for: the program and its list. */
  readonly startCpuMs: number;
  readonly cpuMs: number;
  /** From the start of the process to its result. */
  readonly wallMs: number;
  readonly peakRssMb: number;
}

const TIMEOUT_MS = 5 * 60_000;
// Long enough for a database to shut down; a program that is busy never hears SIGTERM.
const KILL_AFTER_MS = 10_000;
const COMPLAINT_CHARS = 2_000;

/** Throws when the runner fails or takes more than five minutes. */
export async function runPeer(script: string, args: readonly string[]): Promise<PeerRun> {
  const work = mkdtempSync(path.join(tmpdir(), "heistwatch-peer-"));
  // Postgres does not run as root: another user's folder lies in this one.
  chmodSync(work, 0o711);
  const before = endedChildrenCpuMs();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    cwd: path.dirname(script),
    // A million addresses do not fit in V8's default heap.
    env: { ...process.env, NODE_OPTIONS: "--max-old-space-size=8192", TMPDIR: work },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const watch = watchTree(child.pid ?? 0);
  const timeout = setTimeout(() => void endTree(child.pid ?? 0), TIMEOUT_MS);
  try {
    const seen = await readRunner(child);
    return {
      events: seen.events,
      startCpuMs: seen.startCpuMs,
      wallMs: seen.atMs - startedAt,
      // A process nobody waited for is in the last sample only, what came after that sample in the parent's sum only.
      cpuMs: Math.max(endedChildrenCpuMs() - before, watch.peak().cpuMs),
      peakRssMb: watch.peak().rssMb,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason} ${usageUntilNow(watch, startedAt)}`, { cause: error });
  } finally {
    clearTimeout(timeout);
    watch.stop();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

function usageUntilNow(watch: TreeWatch, startedAt: number): string {
  const { cpuMs, rssMb } = watch.peak();
  const seconds = (ms: number) => (ms / 1000).toFixed(0);
  return `(after ${seconds(performance.now() - startedAt)} s, ${seconds(cpuMs)} s CPU, ${rssMb.toFixed(0)} MB)`;
}

interface Seen {
  readonly events: number;
  readonly startCpuMs: number;
  readonly atMs: number;
}

async function readRunner(child: ChildProcess): Promise<Seen> {
  if (child.stdout === null || child.stderr === null || child.pid === undefined) throw new Error("it did not start");
  const ended = once(child, "close");
  let complaint = "";
  child.stderr.on("data", (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-COMPLAINT_CHARS);
  });
  let startCpuMs: number | null = null;
  let result: { events: number; atMs: number } | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "started") startCpuMs = readTree(child.pid).cpuMs;
    if (line.startsWith("{")) result = { ...(JSON.parse(line) as { events: number }), atMs: performance.now() };
  }
  const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  if (startCpuMs === null) throw new Error(`it never started (${code ?? signal ?? "?"}) ${complaint}`);
  if (result === null || code !== 0) throw new Error(`it did not finish (${code ?? signal ?? "?"}) ${complaint}`);
  return { ...result, startCpuMs };
}

async function endTree(root: number): Promise<void> {
  // Listed once: children whose parent is gone are no longer under the root.
  const pids = pidsOfTree(root);
  sendTo(pids, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS));
  sendTo(pids, "SIGKILL");
}

function sendTo(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
}
