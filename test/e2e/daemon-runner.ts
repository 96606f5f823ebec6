/**
 * heistwatch as operators run it: started again whenever it ends, here on purpose and at bad moments.
 * Unlike `startDaemon`, `start` does not wait for readiness, so that a kill can also fall into the start.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { WrittenConfig } from "../support/daemon.ts";
import { guard } from "../support/guardian.ts";
import { waitFor } from "../support/wait-for.ts";

export interface LogLine {
  readonly level: number;
  /** Unix milliseconds. */
  readonly time: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface DaemonRunner {
  readonly name: string;
  readonly httpPort: number;
  /** Starts the process if there is none; does not wait until it runs. */
  start(): void;
  isUp(): boolean;
  /** Waits until the present process says that it runs. */
  ready(timeoutMs?: number): Promise<void>;
  kill9(): Promise<void>;
  /** Graceful; returns the exit code. */
  stop(): Promise<number | null>;
  /** SIGSTOP: the process sleeps in the middle of whatever it does. */
  freeze(): void;
  wake(): void;
  /** Lines of all its processes so far. */
  log(): LogLine[];
  /** The end of the log without the routine of alerts and deliveries, for the report of a failed run. */
  lastWords(lines?: number): string;
  /** A metric's value by name and a piece of its labels; null when it is not there. */
  metric(name: string, labels?: string): Promise<number | null>;
  /** When its processes were started, unix milliseconds. */
  readonly starts: readonly number[];
  /** How long each process that led needed to lead, milliseconds. */
  leadAfterMs(): number[];
  /** Ends of the process that nobody here caused. */
  readonly surprises: readonly string[];
}

const ROOT = join(import.meta.dirname, "../..");
const STOP_TIMEOUT_MS = 30_000;

export function createDaemonRunner(name: string, at: WrittenConfig): DaemonRunner {
  const logPath = join(dirname(at.configPath), `${name}.log`);
  const surprises: string[] = [];
  const starts: number[] = [];
  let child: ChildProcess | null = null;
  let ended: Promise<number | null> = Promise.resolve(null);
  let wanted = false;
  let logFrom = 0;

  function start(): void {
    if (child !== null) return;
    const output = openSync(logPath, "a");
    logFrom = statSync(logPath).size;
    const started = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), "run", "--config", at.configPath], {
      cwd: dirname(at.configPath),
      env: { PATH: process.env["PATH"] ?? "", ...at.env },
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    if (started.pid === undefined) throw new Error(`${name} did not start`);
    const release = guard({ kind: "process", pid: started.pid, signal: "SIGKILL" });
    child = started;
    wanted = true;
    starts.push(Date.now());
    ended = new Promise((resolve) => {
      started.once("close", (code, signal) => {
        release();
        child = null;
        resolve(code);
        if (!wanted) return;
        surprises.push(`${name} ended by itself with ${signal ?? `exit code ${code}`}`);
        start();
      });
    });
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    wanted = false;
    const dying = child;
    dying?.kill(signal);
    const force = setTimeout(() => dying?.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const code = await ended;
    clearTimeout(force);
    return code;
  }

  const log = () => readLog(logPath, 0);

  return {
    name,
    httpPort: at.httpPort,
    surprises,
    starts,
    start,
    isUp: () => child !== null,
    async ready(timeoutMs = 60_000) {
      const starting = child;
      const runs = () => readLog(logPath, logFrom).some(({ msg }) => msg === "heistwatch runs");
      await waitFor(`${name} to run`, () => child !== starting || runs(), { timeoutMs, intervalMs: 50 });
    },
    async kill9() {
      await end("SIGKILL");
    },
    stop: () => end("SIGTERM"),
    freeze: () => void child?.kill("SIGSTOP"),
    wake: () => void child?.kill("SIGCONT"),
    log,
    leadAfterMs() {
      const leads = log().filter(({ msg }) => msg === "leading this chain");
      return starts.flatMap((startedAt, index) => {
        const before = starts[index + 1] ?? Number.POSITIVE_INFINITY;
        const first = leads.find(({ time }) => time >= startedAt && time < before);
        return first === undefined ? [] : [first.time - startedAt];
      });
    },
    lastWords: (lines = 30) =>
      log()
        .filter(({ level, msg }) => level !== 30 || (msg !== "alert" && msg !== "delivery attempted"))
        .slice(-lines)
        .map((line) => JSON.stringify(line))
        .join("\n"),
    metric: (metric, labels = "") => readMetric(at.httpPort, metric, labels),
  };
}

function readLog(path: string, from: number): LogLine[] {
  const lines: LogLine[] = [];
  for (const text of readFileSync(path).subarray(from).toString("utf8").split("\n")) {
    if (text === "") continue;
    try {
      lines.push(JSON.parse(text) as LogLine);
    } catch {
      // A crash report of Node, or a line cut by a kill: kept as a fact, so that a failing run shows it.
      lines.push({ level: 0, time: 0, msg: text });
    }
  }
  return lines;
}

async function readMetric(port: number, name: string, labels: string): Promise<number | null> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  const line = text.split("\n").find((one) => one.startsWith(`${name}{`) && one.includes(labels));
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(" ") + 1));
}
