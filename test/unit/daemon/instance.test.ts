/** One daemon in one data folder: real processes, real sockets. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import {
  AlreadyRunningError,
  callInstance,
  claimInstance,
  type Instance,
  socketPath,
} from "../../../src/daemon/instance.ts";
import { ConfigError, UnavailableError } from "../../../src/lib/errors.ts";
import { guard } from "../../support/guardian.ts";
import { createTempDir, type TempDir } from "../../support/temp-dir.ts";
import { waitFor } from "../../support/wait-for.ts";

const INSTANCE = path.join(import.meta.dirname, "../../../src/daemon/instance.ts");

/** Claims each folder it is told of on stdin and keeps it; says the folder and `won`, `lost` or the error. */
const CLAIMER = `
  const { claimInstance } = await import(${JSON.stringify(INSTANCE)});
  const { createInterface } = await import("node:readline");
  console.log("ready now");
  createInterface({ input: process.stdin }).on("line", (folder) => {
    claimInstance(folder).then(
      () => console.log(folder, "won"),
      (error) => console.log(folder, error.name === "AlreadyRunningError" ? "lost" : JSON.stringify(error.stack)),
    );
  });`;

interface Claimer {
  claim(folder: string): Promise<string>;
  kill9(): Promise<void>;
}

const claimers: Claimer[] = [];

async function startClaimer(): Promise<Claimer> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", CLAIMER], { stdio: ["pipe", "pipe", "inherit"] });
  const release = guard({ kind: "process", pid: child.pid as number, signal: "SIGKILL" });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
  /** What it said last about a folder, once it did. */
  const answerFor = async (about: string) => {
    const isAnswer = (line: string) => line.startsWith(`${about} `);
    await waitFor(`an answer for ${about}`, () => said.some(isAnswer), { intervalMs: 2 });
    return said.splice(said.findIndex(isAnswer), 1)[0]?.slice(about.length + 1) ?? "";
  };
  const claimer: Claimer = {
    claim(dir) {
      child.stdin.write(`${dir}\n`);
      return answerFor(dir);
    },
    async kill9() {
      if (child.exitCode === null && child.signalCode === null) {
        const over = once(child, "exit");
        child.kill("SIGKILL");
        await over;
      }
      release();
    },
  };
  claimers.push(claimer);
  await answerFor("ready");
  return claimer;
}

let folder: TempDir;
const instances: Instance[] = [];

async function claim(dir = folder.path): Promise<Instance> {
  const instance = await claimInstance(dir);
  instances.push(instance);
  return instance;
}

beforeEach(() => {
  folder = createTempDir("instance");
});

afterEach(async () => {
  for (const instance of instances.splice(0)) await instance.close();
  for (const claimer of claimers.splice(0)) await claimer.kill9();
  await folder.remove();
});

const locks = (dir = folder.path) => readdirSync(dir).filter((name) => name.includes(".lock"));

describe("one at a time", () => {
  test("a second claim is refused while the first runs, and given once it is closed", async () => {
    const first = await claim();
    await expect(claimInstance(folder.path)).rejects.toThrow(AlreadyRunningError);
    await expect(claimInstance(folder.path)).rejects.toThrow("another heistwatch runs in");
    expect(await callInstance(folder.path, "ping", {})).toBe("pong");
    await first.close();
    await claim();
    expect(locks()).toEqual([]);
  });

  test("another process is refused, and takes over when this one is closed", async () => {
    const first = await claim();
    const other = await startClaimer();
    expect(await other.claim(folder.path)).toBe("lost");
    await first.close();
    expect(await other.claim(folder.path)).toBe("won");
    await expect(claimInstance(folder.path)).rejects.toThrow(AlreadyRunningError);
  });

  test("after a kill -9 the next one takes over, with the same id", async () => {
    const other = await startClaimer();
    expect(await other.claim(folder.path)).toBe("won");
    const id = readFileSync(path.join(folder.path, "instance-id"), "utf8").trim();
    await other.kill9();
    expect(existsSync(socketPath(folder.path))).toBe(true);
    const instance = await claim();
    expect(instance.id).toBe(id);
    expect(locks()).toEqual([]);
  });

  test("a folder nobody runs in is told from one where somebody does", async () => {
    await expect(callInstance(folder.path, "ping", {})).rejects.toThrow(UnavailableError);
    await (await claim()).close();
    await expect(callInstance(folder.path, "ping", {})).rejects.toThrow(UnavailableError);
  });
});

/** What a killed daemon leaves: a socket file that nobody listens on. */
async function deadSocket(dir: string): Promise<void> {
  const socket = socketPath(dir);
  const server = createServer();
  await new Promise<void>((listening) => server.listen(socket, listening));
  // Closing removes the file of that name: meanwhile it has another.
  renameSync(socket, `${socket}.kept`);
  await new Promise((closed) => server.close(closed));
  renameSync(`${socket}.kept`, socket);
}

function lockOf(dir: string, text: string): void {
  writeFileSync(`${socketPath(dir)}.lock`, text);
}

const DEAD_PID = String(spawnSync(process.execPath, ["-e", ""]).pid);

describe("of three that start in the same moment exactly one wins", () => {
  const BEFORE: readonly [what: string, rounds: number, prepare: (dir: string) => void | Promise<void>][] = [
    ["in a new folder", 20, () => undefined],
    ["over a dead socket", 20, deadSocket],
    [
      "over a dead socket and the lock of a dead starter",
      20,
      (dir) => deadSocket(dir).then(() => lockOf(dir, DEAD_PID)),
    ],
    // Such a lock is waited for: a second each time.
    ["over a lock whose maker died before it wrote its number", 2, (dir) => lockOf(dir, "")],
  ];

  test.each(BEFORE)("%s, %i times", async (_what, rounds, prepare) => {
    const starters = await Promise.all([startClaimer(), startClaimer(), startClaimer()]);
    for (let round = 0; round < rounds; round += 1) {
      const dir = createTempDir("race");
      try {
        await prepare(dir.path);
        const results = await Promise.all(starters.map((starter) => starter.claim(dir.path)));
        expect(results.toSorted()).toEqual(["lost", "lost", "won"]);
        expect(await callInstance(dir.path, "ping", {})).toBe("pong");
        expect(locks(dir.path)).toEqual([]);
      } finally {
        await dir.remove();
      }
    }
  });

  test("also of two in one process", async () => {
    const results = await Promise.allSettled([claim(), claim(), claim()]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});

describe("what lies in the way", () => {
  test("a lock with our own number is that of the process before us: in a container it is always the same", async () => {
    await deadSocket(folder.path);
    lockOf(folder.path, String(process.pid));
    await claim();
  });

  test("a lock of a living process is respected, and the error says what to do", async () => {
    lockOf(folder.path, String(process.ppid));
    await expect(claimInstance(folder.path)).rejects.toThrow(AlreadyRunningError);
    await expect(claimInstance(folder.path)).rejects.toThrow(`process ${process.ppid} is starting`);
    expect(existsSync(socketPath(folder.path))).toBe(false);
  });

  test("a plain file where the socket should be is replaced", async () => {
    writeFileSync(socketPath(folder.path), "no socket");
    await claim();
    expect(await callInstance(folder.path, "ping", {})).toBe("pong");
  });

  test("a folder whose name is too long is the operator's to change", async () => {
    await expect(claimInstance(path.join(folder.path, "x".repeat(100)))).rejects.toThrow(ConfigError);
  });

  test("an instance id that is not one is made anew", async () => {
    writeFileSync(path.join(folder.path, "instance-id"), "nonsense\n");
    expect((await claim()).id).toMatch(/^[0-9a-f]{16}$/);
  });

  test("folder, socket and id belong to their owner alone", async () => {
    const dir = path.join(folder.path, "data");
    await claim(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(socketPath(dir)).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(dir, "instance-id")).mode & 0o777).toBe(0o600);
  });
});

describe("calls", () => {
  test("reach the daemon with their arguments and bring back its answer, letters of several bytes included", async () => {
    const instance = await claim();
    instance.serve({ echo: (args) => Promise.resolve({ args }) });
    const text = "盗é🙂".repeat(60_000);
    expect(await callInstance(folder.path, "echo", { text })).toEqual({ args: { text } });
  });

  test("a daemon that dies before it answers is no bug: the caller is told to look and ask again", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => server.listen(socketPath(folder.path), resolve));
    const error = await callInstance(folder.path, "watch.add", {}).catch((caught: unknown) => caught);
    server.close();
    expect(error).toMatchObject({ code: "cut_off", retryable: true });
    expect(error).not.toBeInstanceOf(UnavailableError);
  });

  test("before the store is open the caller is told to ask again; unknown calls, and ones that fail, are errors with a text", async () => {
    const instance = await claim();
    const asked = (name: string) => callInstance(folder.path, name, {}).catch((error: unknown) => error);
    expect(await asked("retry")).toMatchObject({ retryable: true, message: expect.stringContaining("is starting") });
    instance.serve({
      fail: () => Promise.reject(new Error("no such alert")),
      away: () => Promise.reject(new UnavailableError("the store is away")),
    });
    expect(await asked("fail")).toMatchObject({ retryable: false, message: "no such alert" });
    expect(await asked("away")).toMatchObject({ retryable: true, message: "the store is away" });
    expect(await asked("toString")).toMatchObject({
      retryable: false,
      message: expect.stringContaining("does not know"),
    });
  });

  test("a call that is too long is cut off, and the daemon goes on", async () => {
    await claim();
    const tooLong = "x".repeat(17 * 1024 * 1024);
    await expect(callInstance(folder.path, "ping", tooLong)).rejects.toThrow("at most 16 MB at once: split it");
    // Whoever sends it all the same.
    const sent = new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: socketPath(folder.path), method: "POST" }, resolve);
      outgoing.on("error", reject).end(tooLong);
    });
    await expect(sent).rejects.toThrow();
    expect(await callInstance(folder.path, "ping", {})).toBe("pong");
  });
});
