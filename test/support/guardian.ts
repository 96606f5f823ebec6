/**
 * Cleans up behind a test process that ends without cleaning up itself, SIGKILL included.
 * One helper process holds the list of children and folders; when its stdin closes, because we are gone, it kills and
 * removes what is left. (`process.on("exit")` cannot do this: jest hands tests a copy of `process` that never emits it.)
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

export type Charge =
  | { readonly kind: "process"; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly kind: "folder"; readonly path: string };

const SCRIPT = `
const { rmSync } = require("node:fs");
const { createInterface } = require("node:readline");
const charges = new Map();
const alive = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };
const send = (pid, signal) => { try { process.kill(pid, signal); } catch {} };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { id, charge } = JSON.parse(line);
    if (charge === null) charges.delete(id);
    else charges.set(id, charge);
  })
  .on("close", async () => {
    const left = [...charges.values()].reverse();
    const pids = left.filter((charge) => charge.kind === "process");
    for (const { pid, signal } of pids) send(pid, signal);
    for (let round = 0; round < 40 && pids.some(({ pid }) => alive(pid)); round += 1) await sleep(50);
    for (const { pid } of pids) if (alive(pid)) send(pid, "SIGKILL");
    for (const { kind, path } of left) if (kind === "folder") rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  });
`;

let helper: ChildProcess | null = null;
let lastId = 0;
const open = new Set<number>();

/** Returns the function to call when the test has cleaned up by itself. */
export function guard(charge: Charge): () => void {
  helper ??= startHelper();
  lastId += 1;
  const id = lastId;
  open.add(id);
  tell(helper, { id, charge });
  return () => release(id);
}

function release(id: number): void {
  if (!open.delete(id) || helper === null) return;
  tell(helper, { id, charge: null });
  if (open.size > 0) return;
  helper.stdin?.end();
  helper = null;
}

function tell(child: ChildProcess, message: { readonly id: number; readonly charge: Charge | null }): void {
  child.stdin?.write(`${JSON.stringify(message)}\n`);
}

function startHelper(): ChildProcess {
  // Detached: Ctrl-C goes to the process group of the terminal, and the helper must outlive us.
  const child = spawn(process.execPath, ["-e", SCRIPT], { detached: true, stdio: ["pipe", "ignore", "inherit"] });
  child.unref();
  // A piped stdin is a socket, whatever its type says; it must not keep a finished test process alive.
  (child.stdin as Socket).unref();
  return child;
}
