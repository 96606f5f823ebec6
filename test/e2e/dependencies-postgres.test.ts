/** Postgres missing at start, lost while running, frozen: waited for loudly, come back from without a restart. */
import { Client } from "pg";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, type Heistwatch, PATIENCE_MS, runDaemon, startHeistwatch, until } from "./support/heistwatch.ts";
import { bodyOf, byWebhookId, startEthereum, steal, WATCHING } from "./support/theft.ts";

let dir: TempDir;
let node: Anvil;
let desk: Receiver;
let operations: Receiver;
let postgres: PostgresServer;
let redis: RedisServer | null = null;
let daemon: Heistwatch | null = null;

beforeEach(async () => {
  dir = createTempDir("postgres-away");
  [node, desk, operations, postgres] = await Promise.all([
    startEthereum(),
    startReceiver(),
    startReceiver(),
    startPostgres(),
  ]);
}, 60_000);

afterEach(async () => {
  daemon?.kill("SIGKILL");
  await daemon?.exited;
  await Promise.all([desk.stop(), operations.stop(), node.stop(), postgres.stop(), redis?.stop()]);
  daemon = redis = null;
  await dir.remove();
}, 60_000);

test("Postgres missing at start is waited for, loudly, and the probes say so; once there, the daemon runs", async () => {
  const databaseUrl = await postgres.createDatabase("hw");
  await postgres.down();
  const at = await config({ databaseUrl });
  const waiting = runDaemon(at);
  daemon = waiting;
  await until(waiting, "waiting for the database, nothing is watched until it answers");
  expect(waiting.output()).toContain(`127.0.0.1:${postgres.port}`);
  expect((await waiting.get("/livez")).status).toBe(200);
  expect((await waiting.get("/startupz")).status).toBe(503);
  const ready = await waiting.get("/readyz");
  expect([ready.status, ready.text]).toEqual([503, expect.stringContaining("waiting for the database")]);
  expect(await waiting.metric("heistwatch_build_info")).toBe(1);
  const checked = await cli(["check", "--config", at.configPath], at);
  expect([checked.code, checked.stdout]).toEqual([75, expect.stringContaining("away  Postgres")]);

  await postgres.up();
  await until(waiting, "heistwatch runs");
  await until(waiting, "chain followed from here");
  expect((await waiting.get("/startupz")).status).toBe(200);
  await steal(node);
  await arrived(1);
}, 120_000);

test("SIGTERM while the daemon waits for Postgres ends it with code 0 and calls nothing a bug", async () => {
  const databaseUrl = await postgres.createDatabase("hw");
  await postgres.down();
  daemon = runDaemon(await config({ databaseUrl }));
  await until(daemon, "waiting for the database");
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toBe(0);
  expect(daemon.output()).not.toContain("a bug");
}, 60_000);

test.each(["Redis", "Postgres"])(
  "Postgres lost while running, with the queue in %s: unready, told, and all of it recovers by itself",
  async (queue) => {
    if (queue === "Redis") redis = await startRedis();
    const databaseUrl = await postgres.createDatabase("hw");
    daemon = await startHeistwatch(await config({ databaseUrl, ...(redis === null ? {} : { redisUrl: redis.url }) }));
    const running = daemon;
    await until(running, "chain followed from here");
    await steal(node);
    await arrived(1);

    await postgres.down();
    await steal(node);
    await until(running, "chain interrupted, trying again");
    const ready = await running.get("/readyz");
    expect([ready.status, ready.text]).toEqual([503, expect.stringContaining('"name":"store","ok":false')]);
    for (const path of ["/livez", "/metrics"]) expect((await running.get(path)).status).toBe(200);
    // Long enough for every part to have met the loss: workers, relay, sweep, lease, alarms.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect(running.exitCode()).toBeNull();
    const interruptions = running.logs().filter((line) => line.msg === "chain interrupted, trying again");
    expect(interruptions.length).toBeLessThan(6);

    await postgres.up();
    await arrived(2);
    await steal(node);
    await arrived(3);
    await waitFor("readiness", async () => (await running.get("/readyz")).status === 200, { timeoutMs: PATIENCE_MS });
    expect(new Set(desk.requests.map((request) => bodyOf(request).data.alertId)).size).toBe(3);
    expect(byWebhookId(desk.requests).size).toBe(3);
    expect(running.output()).not.toContain("a bug");
    expect(await running.stop()).toBe(0);
  },
  150_000,
);

test("SIGTERM while Postgres hangs (not gone: frozen) ends within 25 s", async () => {
  const databaseUrl = await postgres.createDatabase("hw");
  daemon = await startHeistwatch(await config({ databaseUrl }));
  await until(daemon, "chain followed from here");
  const pids = await postgresPids();
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    await steal(node);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await daemon.get("/readyz")).status).toBe(503);
    expect((await daemon.get("/metrics")).status).toBe(200);
    const asked = performance.now();
    daemon.kill("SIGTERM");
    const code = await daemon.exited;
    expect([0, 75]).toContain(code);
    expect(performance.now() - asked).toBeLessThan(25_000);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
}, 90_000);

function config(of: { databaseUrl: string; redisUrl?: string }): Promise<WrittenConfig> {
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [TEST_WEBHOOK_SECRET] }],
    operations: [{ name: "on-call", url: operations.url, secrets: [TEST_WEBHOOK_SECRET] }],
    ...of,
  });
}

async function arrived(alerts: number): Promise<void> {
  const running = daemon;
  await waitFor(`${alerts} alerts`, () => byWebhookId(desk.requests).size >= alerts, { timeoutMs: PATIENCE_MS }).catch(
    (error: unknown) => {
      throw new Error(running?.output().slice(-4_000), { cause: error });
    },
  );
}

/** The postmaster, which takes new connections, and a backend for each connection of the daemon. */
async function postgresPids(): Promise<number[]> {
  const client = new Client({ connectionString: postgres.urlOf("postgres") });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
     union all select split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int`,
  );
  await client.end();
  return rows.map((row) => row.pid);
}
