/**
 * Who this daemon is, and that there is only one in its data folder.
 *
 * The control socket in the data folder is also the lock: whoever listens on it owns the folder (PGlite has no lock of
 * its own, and two processes in one folder destroy it). A socket nobody answers on was left by a killed daemon.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import path from "node:path";
import { AppError, ConfigError, UnavailableError, describeError } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";

export type ControlCalls = Readonly<Record<string, (args: unknown) => Promise<unknown>>>;

export class AlreadyRunningError extends AppError {
  override readonly code = "already_running";
}

export interface Instance {
  /** Stays with the data folder: a restarted daemon takes its own chains back at once. */
  readonly id: string;
  /** Calls the command line may make; set once the store is open. */
  serve(calls: ControlCalls): void;
  close(): Promise<void>;
}

// sun_path holds 108 bytes on Linux and 104 on macOS, the final NUL included.
const SOCKET_PATH_MAX = 103;
/** As much as the largest watchlist file the daemon reads itself. */
const BODY_MAX = 16 * 1024 * 1024;

export function socketPath(dataDir: string): string {
  return path.join(dataDir, "control.sock");
}

export async function claimInstance(dataDir: string): Promise<Instance> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const socket = socketPath(dataDir);
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX) {
    throw new ConfigError(
      `dataDir is too long for a Unix socket (${socket}): at most ${SOCKET_PATH_MAX} bytes with the file name. Choose a shorter dataDir.`,
    );
  }
  let calls: ControlCalls | null = null;
  const server = createServer((incoming, outgoing) => {
    let body = "";
    // Decoded as a stream: a letter of several bytes may be cut by two chunks.
    incoming.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
      if (body.length > BODY_MAX) incoming.destroy();
    });
    incoming.on("end", () => {
      answer(calls, body).then(
        (text) => outgoing.end(text),
        (error: unknown) =>
          outgoing.end(
            JSON.stringify({ error: describeError(error), retryable: error instanceof AppError && error.retryable }),
          ),
      );
    });
  });
  await listenOrRefuse(server, socket);
  await chmod(socket, 0o600);
  return {
    id: await instanceId(dataDir),
    serve(given) {
      calls = given;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * One starter at a time: between another's bind and its listen nobody answers on its socket, and of two that find a
 * dead socket the second would remove the first one's new one.
 */
async function listenOrRefuse(server: Server, socket: string): Promise<void> {
  const unlock = await lockStart(`${socket}.lock`);
  try {
    if (await tryListen(server, socket)) return;
    if (await isAnswering(socket)) {
      throw new AlreadyRunningError(
        `another heistwatch runs in ${path.dirname(socket)}: stop it first, or give this one its own dataDir`,
      );
    }
    await rm(socket, { force: true });
    if (await tryListen(server, socket)) return;
    throw new AlreadyRunningError(`another heistwatch is starting in ${path.dirname(socket)}`);
  } finally {
    await unlock();
  }
}

/** False: something is at that path already. */
async function tryListen(server: Server, socket: string): Promise<boolean> {
  try {
    await listen(server, socket);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EADDRINUSE") return false;
    throw new ConfigError(`the control socket ${socket} cannot be made: ${describeError(error)}`, { cause: error });
  }
}

/** Lock files of this process: its own number in any other file is that of a process before it (in a container, always 1). */
const heldHere = new Set<string>();
// The file of a starter that was killed between making it and writing its number stays empty: wait this long for one.
const NUMBER_WAIT_MS = 1_000;

/**
 * A file with our process number, for the moment of the start. One left by a dead process is removed under a lock of
 * its own: removed without, it may be the new file of whoever was faster.
 */
async function lockStart(file: string): Promise<() => Promise<void>> {
  while (!(await makeLock(file))) {
    const holder = await holderOf(file);
    if (holder === "nobody") continue;
    if (isAlive(holder, file))
      throw new AlreadyRunningError(
        `process ${holder} is starting in ${path.dirname(file)}; if it is no heistwatch, remove ${file}`,
      );
    const unlock = await lockStart(`${file}.old`);
    try {
      const still = await holderOf(file);
      if (still !== "nobody" && !isAlive(still, file)) await rm(file, { force: true });
    } finally {
      await unlock();
    }
  }
  heldHere.add(file);
  return async () => {
    await rm(file, { force: true });
    heldHere.delete(file);
  };
}

async function makeLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EEXIST") return false;
    throw new ConfigError(`the lock ${file} cannot be made: ${describeError(error)}`, { cause: error });
  }
}

/** The number in a lock file; 0 when it stays empty or holds none. */
async function holderOf(file: string): Promise<number | "nobody"> {
  const until = performance.now() + NUMBER_WAIT_MS;
  for (;;) {
    const text = await readFile(file, "utf8").catch(() => null);
    if (text === null) return "nobody";
    if (text !== "" || performance.now() >= until) return Number(text);
    await sleep(20);
  }
}

function isAlive(pid: number, file: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return heldHere.has(file);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function isAnswering(socket: string): Promise<boolean> {
  try {
    await callInstance(path.dirname(socket), "ping", {});
    return true;
  } catch (error) {
    return !(error instanceof UnavailableError);
  }
}

async function answer(calls: ControlCalls | null, body: string): Promise<string> {
  const { name, args } = JSON.parse(body) as { name?: unknown; args?: unknown };
  if (name === "ping") return JSON.stringify({ result: "pong" });
  if (calls === null) throw new NotNowError("the daemon is starting: ask again in a moment");
  const call = typeof name === "string" && Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (call === undefined) throw new AppError(`the daemon does not know ${JSON.stringify(name)}`);
  return JSON.stringify({ result: await call(args) });
}

/** The daemon is there, but cannot do it yet or just now: nothing was done. */
export class NotNowError extends AppError {
  override readonly code = "not_now";
  override readonly retryable = true;
}

/** The daemon went away before it answered: what was asked may be done. */
export class CutOffError extends AppError {
  override readonly code = "cut_off";
  override readonly retryable = true;
}

function asOperatingError(cause: NodeJS.ErrnoException): Error {
  if (cause.code === "ENOENT" || cause.code === "ECONNREFUSED")
    return new UnavailableError("no heistwatch runs in this data folder", { cause });
  if (cause.code === "ECONNRESET" || cause.code === "EPIPE")
    return new CutOffError("heistwatch ended before it answered: look whether it was done, then ask again", { cause });
  return cause;
}

/**
 * Asks the daemon that runs in a data folder. Throws UnavailableError when none does, CutOffError when it dies meanwhile,
 * NotNowError where asking again may help.
 */
export async function callInstance(dataDir: string, name: string, args: unknown): Promise<unknown> {
  const message = JSON.stringify({ name, args });
  if (message.length > BODY_MAX)
    throw new AppError(
      `this is ${(message.length / 1024 / 1024).toFixed(1)} MB; a running heistwatch takes at most ${BODY_MAX / 1024 / 1024} MB at once: split it`,
    );
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request(
      { socketPath: socketPath(dataDir), method: "POST", path: "/", timeout: 60_000 },
      (incoming) => {
        let body = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        incoming.on("end", () => resolve(body));
        incoming.on("error", (error) => reject(asOperatingError(error)));
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("timed out")));
    outgoing.on("error", (error) => reject(asOperatingError(error)));
    outgoing.end(message);
  });
  const { result, error, retryable } = JSON.parse(text) as { result?: unknown; error?: string; retryable?: boolean };
  if (error !== undefined) throw retryable === true ? new NotNowError(error) : new AppError(error);
  return result;
}

async function instanceId(dataDir: string): Promise<string> {
  const file = path.join(dataDir, "instance-id");
  try {
    const id = (await readFile(file, "utf8")).trim();
    if (/^[0-9a-f]{16}$/.test(id)) return id;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
  const id = randomBytes(8).toString("hex");
  await writeFile(file, `${id}\n`, { mode: 0o600 });
  return id;
}
