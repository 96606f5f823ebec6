/** What a process and everything it started use, read from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

export interface TreeUsage {
  readonly cpuMs: number;
  /** Summed over the processes: a page that two of them share counts twice. */
  readonly rssMb: number;
}

interface ProcessUsage {
  readonly parent: number;
  /** Its own CPU and that of the children it has waited for. */
  readonly cpuMs: number;
}

// USER_HZ: what Linux counts CPU time in for every program, whatever the kernel's own tick.
const TICK_MS = 10;
const SAMPLE_EVERY_MS = 50;

/** The living processes under a root, the root included; nothing once it is gone. */
export function readTree(root: number): TreeUsage {
  const processes = readProcesses();
  let cpuMs = 0;
  let rssMb = 0;
  for (const [pid, usage] of processes) {
    if (!isUnder(root, pid, processes)) continue;
    cpuMs += usage.cpuMs;
    rssMb += rssMbOf(pid);
  }
  return { cpuMs, rssMb };
}

/** Their process ids. */
export function pidsOfTree(root: number): number[] {
  const processes = readProcesses();
  return [...processes.keys()].filter((pid) => isUnder(root, pid, processes));
}

/** CPU of all children of this process that have ended, with all that they waited for. */
export function endedChildrenCpuMs(): number {
  const fields = statFields("self");
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

export interface TreeWatch {
  /** The most that was seen of each. */
  peak(): TreeUsage;
  stop(): void;
}

export function watchTree(root: number): TreeWatch {
  let peak: TreeUsage = { cpuMs: 0, rssMb: 0 };
  const timer = setInterval(() => {
    const { cpuMs, rssMb } = readTree(root);
    peak = { cpuMs: Math.max(peak.cpuMs, cpuMs), rssMb: Math.max(peak.rssMb, rssMb) };
  }, SAMPLE_EVERY_MS);
  return { peak: () => peak, stop: () => clearInterval(timer) };
}

function readProcesses(): Map<number, ProcessUsage> {
  const processes = new Map<number, ProcessUsage>();
  for (const name of readdirSync("/proc")) {
    const usage = /^\d+$/.test(name) ? readUsage(name) : null;
    if (usage !== null) processes.set(Number(name), usage);
  }
  return processes;
}

function isUnder(root: number, pid: number, processes: ReadonlyMap<number, ProcessUsage>): boolean {
  let place = pid;
  while (place !== root) {
    const parent = processes.get(place)?.parent;
    if (parent === undefined) return false;
    place = parent;
  }
  return true;
}

function readUsage(pid: string): ProcessUsage | null {
  try {
    const fields = statFields(pid);
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), cpuMs: ticks * TICK_MS };
  } catch {
    // It ended meanwhile.
    return null;
  }
}

/** The fields of /proc/<pid>/stat after the name, which may itself hold spaces: state, parent, ..., utime at 11. */
function statFields(pid: string): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function rssMbOf(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    // It ended meanwhile.
    return 0;
  }
}
