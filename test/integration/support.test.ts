/**
 * Goal: the servers the integration tests stand on behave as promised, and nothing is left behind.
 * Method: start each one for real, use it, stop it, look for its process and its folder.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Client } from "pg";
import { Webhook } from "standardwebhooks";
import { AnvilRpcError, startAnvil } from "../support/anvil.ts";
import { startChildServer } from "../support/child-server.ts";
import { freePort } from "../support/free-port.ts";
import { startPostgres } from "../support/postgres.ts";
import { startReceiver } from "../support/receiver.ts";
import { startRedis } from "../support/redis.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function cleanUp<T extends { stop(): Promise<unknown> }>(server: T): T {
  cleanups.push(() => server.stop());
  return server;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { maxRetriesPerRequest: 3 });
  client.on("error", () => {});
  try {
    return await use(client);
  } finally {
    await client.quit();
  }
}

async function rowsOf(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function signedRequest(secret: string, webhookId: string, body: string) {
  const at = new Date();
  return {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "webhook-id": webhookId,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign(webhookId, at, body),
    },
  };
}

describe("anvil", () => {
  test("answers on the chain asked for, mines, and is gone after stop", async () => {
    const anvil = cleanUp(await startAnvil({ chainId: 56, noMining: true }));
    expect(await anvil.rpc("eth_chainId")).toBe("0x38");
    expect(await anvil.mine(3)).toBe(3);
    await expect(anvil.rpc("no_such_method")).rejects.toThrow(AnvilRpcError);
    await anvil.stop();
    expect(isAlive(anvil.pid)).toBe(false);
    expect(await isListening(anvil.port)).toBe(false);
  });

  test("goes on with the chain of before from its state file, also after a second stop", async () => {
    const temp = createTempDir("anvil-state");
    cleanups.push(() => temp.remove());
    const statePath = join(temp.path, "state.json");
    const first = cleanUp(await startAnvil({ statePath, timestamp: 1_700_000_000 }));
    await first.mine(2);
    const tip = await first.rpc<{ hash: string }>("eth_getBlockByNumber", ["latest", false]);
    await first.stop();
    await first.stop();
    const second = cleanUp(await startAnvil({ statePath, port: first.port }));
    expect(await second.rpc("eth_getBlockByNumber", ["latest", false])).toMatchObject({
      number: "0x2",
      hash: tip.hash,
    });
  });
});

describe("redis", () => {
  test("keeps its data over a restart and a kill -9, and never evicts", async () => {
    const redis = cleanUp(await startRedis({ password: "p@ss word" }));
    await withClient(redis.url, (client) => client.set("a", "1"));
    expect(await withClient(redis.url, (client) => client.config("GET", "requirepass"))).toContain("p@ss word");
    await redis.restart();
    expect(await withClient(redis.url, (client) => client.get("a"))).toBe("1");
    await redis.kill9();
    expect(await isListening(redis.port)).toBe(false);
    await redis.up();
    expect(await withClient(redis.url, (client) => client.get("a"))).toBe("1");
    expect(await withClient(redis.url, (client) => client.config("GET", "maxmemory-policy"))).toEqual([
      "maxmemory-policy",
      "noeviction",
    ]);
  });

  test("without appendonly it is empty after a restart, and the policy can be another", async () => {
    const redis = cleanUp(await startRedis({ appendonly: false, maxmemoryPolicy: "allkeys-lru" }));
    await withClient(redis.url, (client) => client.set("a", "1"));
    await redis.restart();
    expect(await withClient(redis.url, (client) => client.get("a"))).toBeNull();
    expect(await withClient(redis.url, (client) => client.config("GET", "maxmemory-policy"))).toContain("allkeys-lru");
  });
});

describe("postgres", () => {
  test("keeps its data over a restart, and databases are apart", async () => {
    const postgres = cleanUp(await startPostgres());
    const one = await postgres.createDatabase("one");
    const two = await postgres.createDatabase("two");
    await rowsOf(one, "CREATE TABLE t AS SELECT 7 AS n");
    await postgres.restart();
    expect(await rowsOf(one, "SELECT n FROM t")).toEqual([{ n: 7 }]);
    await expect(rowsOf(two, "SELECT n FROM t")).rejects.toThrow(/does not exist/);
    await postgres.stop();
    expect(await isListening(postgres.port)).toBe(false);
  });
});

describe("receiver", () => {
  test("keeps what it was sent and says which requests were signed with its secret", async () => {
    const receiver = cleanUp(await startReceiver());
    const good = signedRequest(receiver.secret, "msg_1", '{"a":1}');
    expect((await fetch(receiver.url, good)).status).toBe(204);
    await fetch(receiver.url, { ...good, body: '{"a":2}' });
    await fetch(receiver.url, { method: "POST", body: "not json" });
    expect(receiver.requests).toMatchObject([
      { webhookId: "msg_1", path: "/webhook", raw: '{"a":1}', body: { a: 1 }, verified: true, verifyError: null },
      { webhookId: "msg_1", body: { a: 2 }, verified: false, verifyError: "No matching signature found" },
      { webhookId: "", raw: "not json", verified: false, verifyError: "Missing required headers" },
    ]);
    expect(receiver.requests[2]?.body).toBeUndefined();
  });

  test("answers as told, counting the tries of one message", async () => {
    const receiver = cleanUp(await startReceiver());
    receiver.answerWith((_request, nth) =>
      nth === 1 ? { status: 503, headers: { "retry-after": "7" }, body: "later" } : { status: 200 },
    );
    const request = signedRequest(receiver.secret, "msg_1", "{}");
    const first = await fetch(receiver.url, request);
    expect([first.status, first.headers.get("retry-after"), await first.text()]).toEqual([503, "7", "later"]);
    expect((await fetch(receiver.url, request)).status).toBe(200);
    expect(receiver.requestsOf("msg_1")).toHaveLength(2);
    receiver.answerWith(() => ({ hangUp: true }));
    await expect(fetch(receiver.url, request)).rejects.toThrow("fetch failed");
  });

  test("stops while a request hangs", async () => {
    const receiver = cleanUp(await startReceiver({ answer: () => new Promise(() => {}) }));
    const pending = fetch(receiver.url, { method: "POST", body: "{}" }).catch(() => "cut");
    await waitFor("the request to arrive", () => receiver.requests.length);
    await receiver.stop();
    expect(await pending).toBe("cut");
  });
});

describe("waiting", () => {
  test("returns what became true, throws tell nothing yet", async () => {
    let calls = 0;
    const probe = () => {
      calls += 1;
      if (calls === 1) throw new Error("not yet");
      return calls > 2 ? { calls } : null;
    };
    expect(await waitFor("three calls", probe, { intervalMs: 1 })).toEqual({ calls: 3 });
  });

  test("the error of a wait that timed out shows what was seen last", async () => {
    const waiting = waitFor("the moon", () => [1, 2].find((n) => n > 5) ?? null, { timeoutMs: 20, intervalMs: 5 });
    await expect(waiting).rejects.toThrow("timed out after 20 ms waiting for the moon; last seen: null");
    const throwing = waitFor("a reply", () => Promise.reject(new Error("refused")), { timeoutMs: 20, intervalMs: 5 });
    await expect(throwing).rejects.toThrow(/waiting for a reply; last seen: threw Error: refused/);
  });
});

describe("nothing is left behind", () => {
  test("a server that does not come up is reported with its output and is gone", async () => {
    const broken = startChildServer({
      name: "broken",
      command: process.execPath,
      args: ["-e", "console.error('no luck'); process.exit(3)"],
      isReady: () => false,
      stopSignal: "SIGTERM",
    });
    await expect(broken).rejects.toThrow(/broken did not become ready.*no luck/s);
    const missing = startChildServer({
      name: "missing",
      command: "/no/such/program",
      args: [],
      isReady: () => true,
      stopSignal: "SIGTERM",
    });
    await expect(missing).rejects.toThrow("missing did not start");
  });

  test("two free ports differ and are below the range of outgoing connections", async () => {
    const ports = await Promise.all([freePort(), freePort()]);
    expect(new Set(ports).size).toBe(2);
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });

  test("a test process that is killed takes its servers and folders with it", async () => {
    const script = `
      import { startRedis } from "${join(import.meta.dirname, "../support/redis.ts")}";
      import { startPostgres } from "${join(import.meta.dirname, "../support/postgres.ts")}";
      import { createTempDir } from "${join(import.meta.dirname, "../support/temp-dir.ts")}";
      const temp = createTempDir("killed");
      const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
      console.log(JSON.stringify({ folder: temp.path, ports: [redis.port, postgres.port] }));
      setInterval(() => {}, 1000);
    `;
    const scratch = createTempDir("victim");
    cleanups.push(() => scratch.remove());
    // Its own temp folder, so that whatever it leaves there is seen.
    const tmp = join(scratch.path, "tmp");
    await mkdir(tmp);
    // Under root, Postgres runs as another user, who must get through.
    await chmod(scratch.path, 0o755);
    await writeFile(join(scratch.path, "victim.mts"), script);
    const victim = spawn(process.execPath, [join(scratch.path, "victim.mts")], {
      env: { ...process.env, TMPDIR: tmp },
      stdio: ["ignore", "pipe", "inherit"],
    });
    cleanups.push(async () => victim.kill("SIGKILL"));
    let printed = "";
    victim.stdout.setEncoding("utf8").on("data", (chunk: string) => (printed += chunk));
    await waitFor("the servers to be up", () => printed.endsWith("\n"), { timeoutMs: 30_000 });
    const { folder, ports } = JSON.parse(printed) as { folder: string; ports: number[] };
    expect([existsSync(folder), await Promise.all(ports.map(isListening))]).toEqual([true, [true, true]]);
    expect(readdirSync(tmp)).toHaveLength(3);

    victim.kill("SIGKILL");

    await waitFor("the servers to be gone", async () => !(await Promise.all(ports.map(isListening))).includes(true));
    await waitFor("the folders to be gone", () => readdirSync(tmp).length === 0);
  });
});
