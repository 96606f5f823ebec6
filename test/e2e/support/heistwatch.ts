/** heistwatch as a child process: every line it ever printed, its exit code, and its HTTP answers. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { WrittenConfig } from "../../support/daemon.ts";
import { guard } from "../../support/guardian.ts";
import { waitFor } from "../../support/wait-for.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");
// Two shared cores, and colleagues' tests beside ours: long enough that only a hang runs into it.
export const PATIENCE_MS = 45_000;

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly error?: string;
  readonly [key: string]: unknown;
}

export interface Heistwatch {
  readonly pid: number;
  /** Everything it printed, standard error included. */
  output(): string;
  logs(): LogLine[];
  exitCode(): number | null;
  /** The exit code; -1 when a signal ended it. */
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number>;
  get(path: string): Promise<{ status: number; text: string }>;
  /** Value of one sample of /metrics; null when there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number | null>;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `heistwatch run`; does not wait for anything. */
export function runDaemon(at: WrittenConfig, env: Record<string, string> = {}): Heistwatch {
  const child = launch(["run", "--config", at.configPath], { at, env });
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${at.httpPort}${path}`, { signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, text: await answer.text() };
  };
  const output = () => child.stdout() + child.stderr();
  return {
    pid: child.pid,
    output,
    logs: () => child.stdout().split("\n").flatMap(parseLine),
    exitCode: child.exitCode,
    exited: child.exited,
    kill: child.kill,
    async stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
    get,
    async metric(name, labels = {}) {
      return sampleOf((await get("/metrics")).text, name, labels);
    },
  };
}

export type Worker = Pick<Heistwatch, "pid" | "output" | "exitCode" | "exited" | "kill">;

/** `heistwatch worker`; does not wait for anything. */
export function runWorker(at: WrittenConfig): Worker {
  const child = launch(["worker", "--config", at.configPath], { at, env: {} });
  const output = () => child.stdout() + child.stderr();
  return { pid: child.pid, output, exitCode: child.exitCode, exited: child.exited, kill: child.kill };
}

/** Runs it and waits until it works; the error shows what it printed instead. */
export async function startHeistwatch(at: WrittenConfig, env: Record<string, string> = {}): Promise<Heistwatch> {
  const daemon = runDaemon(at, env);
  await until(daemon, "heistwatch runs");
  return daemon;
}

/** Waits for a text in what the daemon prints. */
export async function until(daemon: Worker, text: string | RegExp, timeoutMs = PATIENCE_MS): Promise<void> {
  const isThere = () => (typeof text === "string" ? daemon.output().includes(text) : text.test(daemon.output()));
  try {
    await waitFor(String(text), () => isThere() || daemon.exitCode() !== null, { timeoutMs });
  } catch (error) {
    throw new Error(`not seen: ${String(text)}\n${daemon.output().slice(-6_000)}`, { cause: error });
  }
  if (!isThere()) throw new Error(`heistwatch ended (${daemon.exitCode()}) before ${String(text)}\n${daemon.output()}`);
}

/** One command, to its end. */
export async function cli(
  args: readonly string[],
  at: Pick<WrittenConfig, "configPath" | "env">,
  env: Record<string, string> = {},
): Promise<CliResult> {
  const child = launch(args, { at, env });
  const code = await child.exited;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/** The same with `--config` and `--json`, parsed. */
export async function cliJson<T>(args: readonly string[], at: WrittenConfig): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, "--json", "--config", at.configPath], at);
  if (code !== 0) throw new Error(`heistwatch ${args.join(" ")} ended with ${code}\n${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

function launch(
  args: readonly string[],
  { at, env }: { at: Pick<WrittenConfig, "configPath" | "env">; env: Record<string, string> },
) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: join(at.configPath, ".."),
    env: { PATH: process.env["PATH"] ?? "", ...at.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => out.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => err.push(chunk));
  let code: number | null = null;
  const exited = new Promise<number>((resolve) => {
    child.once("close", (exitCode) => {
      code = exitCode ?? -1;
      resolve(code);
    });
  });
  const pid = child.pid ?? -1;
  const release = guard({ kind: "process", pid, signal: "SIGKILL" });
  void exited.then(release);
  return {
    pid,
    stdout: () => out.join(""),
    stderr: () => err.join(""),
    exitCode: () => code,
    exited,
    kill: (signal: NodeJS.Signals) => {
      if (code === null) child.kill(signal);
    },
  };
}

function parseLine(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    return [];
  }
}

function sampleOf(text: string, name: string, labels: Readonly<Record<string, string>>): number | null {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = text
    .split("\n")
    .find(
      (one) =>
        (one.startsWith(`${name} `) || one.startsWith(`${name}{`)) && wanted.every((label) => one.includes(label)),
    );
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(" ") + 1));
}
