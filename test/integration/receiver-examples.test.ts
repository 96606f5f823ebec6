/**
 * The receivers of docs/receivers.md, as they stand there, against real deliveries: what heistwatch signs is accepted by
 * v1 alone and by v1a alone, everything else is refused, a repeat is taken and not told again.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { newPrivateKey, newSecret, publicKeyOf } from "../../src/deliver/signing.ts";
import { createWebhookSink } from "../../src/deliver/sinks/webhook.ts";
import type { SinkMessage } from "../../src/types/sink.ts";
import { type ChildServer, startChildServer } from "../support/child-server.ts";
import { freePort } from "../support/free-port.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";

const folder = join(import.meta.dirname, "../../examples/receivers");
const build = createTempDir("receivers");
const SECRET = newSecret();
const KEY = newPrivateKey();

afterAll(() => build.remove());

interface Example {
  readonly language: string;
  /** Answers when everything it needs is there; compiles where that is needed. */
  readonly prepare: () => boolean;
  readonly command: readonly [string, ...string[]];
}

const runs = (command: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(command, args, { stdio: "pipe", env: { ...process.env, ...env } }).status === 0;
const goBinary = join(build.path, "receiver");

const EXAMPLES: readonly Example[] = [
  { language: "TypeScript", prepare: () => true, command: [process.execPath, join(folder, "receiver.ts")] },
  {
    language: "Python",
    prepare: () => runs("python3", ["-c", "import cryptography"]),
    command: ["python3", join(folder, "receiver.py")],
  },
  {
    language: "Go",
    prepare: () =>
      runs("go", ["build", "-o", goBinary, join(folder, "receiver.go")], {
        GOFLAGS: "-mod=mod",
        GOTOOLCHAIN: "local",
      }),
    command: [goBinary],
  },
];

const message = (over: Partial<SinkMessage> = {}): SinkMessage => ({
  webhookId: "msg_example",
  type: "alert.created",
  severity: "critical",
  body: JSON.stringify({ type: "alert.created", data: { summary: "Überweisung 💸" } }),
  timestamp: Math.floor(Date.now() / 1000),
  ...over,
});

async function deliver(port: number, secrets: readonly string[], over: Partial<SinkMessage> = {}) {
  const sink = createWebhookSink(
    {
      kind: "webhook",
      name: "example",
      url: `http://127.0.0.1:${port}/`,
      secrets,
      timeoutMs: 10_000,
      concurrency: 1,
      headers: {},
      allowNetworks: ["127.0.0.0/8"],
      allowHttp: true,
    },
    { version: "test", now: () => Date.now() },
  );
  try {
    return (await sink.send(message(over), new AbortController().signal)).status;
  } finally {
    await sink.close();
  }
}

describe.each(EXAMPLES)("the receiver in $language", ({ language, prepare, command }) => {
  let isReady = false;
  beforeAll(() => {
    isReady = prepare();
    // In CI the toolchain is there (.ci/run sees to it); a person without it is told, and the rest still runs.
    if (!isReady) console.error(`NOT TESTED: the receiver in ${language}, its toolchain is not on this machine`);
  }, 300_000);

  async function start(env: Record<string, string>): Promise<{ port: number; server: ChildServer }> {
    const port = await freePort();
    const [program, ...args] = command;
    const server = await startChildServer({
      name: language,
      command: program,
      args,
      spawn: { env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", PORT: String(port), ...env } },
      isReady: (output) => output.includes("receiver "),
      stopSignal: "SIGKILL",
    });
    return { port, server };
  }

  test("its toolchain is there wherever CI says so", () => {
    if (process.env["CI"] === "true") expect(isReady).toBe(true);
  });

  test.each([
    ["v1", { WEBHOOK_SECRET: SECRET }],
    ["v1a", { WEBHOOK_PUBLIC_KEY: publicKeyOf(KEY) }],
  ])("takes a real delivery by %s, and nothing else", async (_version, env) => {
    if (!isReady) return;
    const { port, server } = await start(env);
    try {
      await waitFor("the receiver", () => deliver(port, [SECRET, KEY]).then((status) => status === 204), {
        timeoutMs: 30_000,
      });
      expect(await deliver(port, [newSecret(), newPrivateKey(), SECRET, KEY])).toBe(204);
      expect(await deliver(port, [newSecret(), newPrivateKey()])).toBe(401);
      for (const seconds of [-400, 400])
        expect(await deliver(port, [SECRET, KEY], { timestamp: message().timestamp + seconds })).toBe(401);
      expect(await deliver(port, [SECRET, KEY], { webhookId: "msg_second" })).toBe(204);
      const unsigned = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "{}" });
      expect(unsigned.status).toBe(401);
      const told = server.output().match(/alert msg_\S+/g);
      expect(told).toEqual(["alert msg_example", "alert msg_second"]);
    } finally {
      await server.stop();
    }
  });
});
