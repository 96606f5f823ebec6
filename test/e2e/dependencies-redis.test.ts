/** Redis missing at start, lost while running, back with nothing in it, or set up so that it would drop alerts. */
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, type Heistwatch, PATIENCE_MS, runDaemon, startHeistwatch, until } from "./support/heistwatch.ts";
import { createBullQueues } from "../../src/queue/bull-queues.ts";
import { bodyOf, byWebhookId, startEthereum, steal, STRANGER, SUSPECT, WATCHING } from "./support/theft.ts";

let dir: TempDir;
let node: Anvil;
let desk: Receiver;
let operations: Receiver;
let asleep: Receiver;
let redis: RedisServer | null = null;
let daemon: Heistwatch | null = null;

beforeEach(async () => {
  dir = createTempDir("redis-away");
  node = await startEthereum();
  desk = await startReceiver();
  operations = await startReceiver();
  asleep = await startReceiver({ answer: () => new Promise<never>(() => undefined) });
}, 60_000);

afterEach(async () => {
  daemon?.kill("SIGKILL");
  await daemon?.exited;
  await redis?.stop();
  daemon = redis = null;
  await Promise.all([desk.stop(), operations.stop(), asleep.stop(), node.stop()]);
  await dir.remove();
}, 60_000);

test("Redis missing at start: the chain is followed, severe alerts leave from the store, the rest once Redis appears", async () => {
  redis = await startRedis();
  await redis.down();
  daemon = await startHeistwatch(await config(redis.url));
  expect(daemon.output()).toContain("the queue is away: chains are followed, alerts wait in the store");
  expect(daemon.output()).toContain("ECONNREFUSED");
  await until(daemon, "chain followed from here");
  await isUnreadyBut200Live(daemon);

  await steal(node);
  await steal(node, 1, { from: SUSPECT, to: STRANGER });
  await told("system.degraded");
  await arrived(1);
  expect(bodyOf(desk.requests[0] as never).data.severity).toBe("critical");
  expect(await daemon.metric("heistwatch_queue_up")).toBe(0);

  await redis.up();
  await arrived(2);
  await told("system.recovered");
  await steal(node);
  await arrived(3);
  await eachOnce(3);
  const at = daemon;
  await waitFor("readiness", async () => (await at.get("/readyz")).status === 200, { timeoutMs: PATIENCE_MS });
  expect(await daemon.stop()).toBe(0);
}, 150_000);

test("Redis lost while running and back empty: told, gone around, queued again from the store, nothing lost", async () => {
  redis = await startRedis({ appendonly: false });
  daemon = await startHeistwatch(await config(redis.url));
  expect(daemon.output()).not.toContain("the queue is away");
  expect(daemon.output()).toContain("Redis runs without AOF (appendonly yes)");
  await until(daemon, "chain followed from here");
  await steal(node);
  await arrived(1);

  await redis.kill9();
  await steal(node, 2);
  await steal(node, 1, { from: SUSPECT, to: STRANGER });
  await until(daemon, "the queue is away");
  await isUnreadyBut200Live(daemon);
  const degraded = await told("system.degraded");
  expect(degraded.data.summary).toContain("Redis");
  await arrived(3);

  await redis.up();
  await arrived(4);
  await told("system.recovered");
  await until(daemon, "all pending work was queued again");
  await steal(node);
  await arrived(5);
  await eachOnce(5);
  expect(daemon.exitCode()).toBeNull();
}, 150_000);

test("SIGTERM while Redis is away ends within 25 s", async () => {
  redis = await startRedis();
  daemon = await startHeistwatch(await config(redis.url));
  await until(daemon, "chain followed from here");
  await steal(node);
  await arrived(1);
  await redis.kill9();
  await until(daemon, "the queue is away");
  const asked = performance.now();
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toBe(0);
  expect(performance.now() - asked).toBeLessThan(25_000);
}, 90_000);

test("a Redis that may evict is refused at start and by check, with the fix in the text", async () => {
  redis = await startRedis({ maxmemoryPolicy: "allkeys-lru" });
  const at = await config(redis.url);
  daemon = runDaemon(at);
  expect(await daemon.exited).toBe(1);
  for (const text of ["maxmemory-policy allkeys-lru", "CONFIG SET maxmemory-policy noeviction"])
    expect(daemon.output()).toContain(text);
  const checked = await cli(["check", "--config", at.configPath], at);
  expect(checked.code).toBe(1);
  expect(checked.stdout).toContain("CONFIG SET maxmemory-policy noeviction");
}, 60_000);

test("a queue that was first asked for while Redis was away takes work once Redis is there", async () => {
  redis = await startRedis();
  await redis.down();
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const queues = await createBullQueues({ redisUrl: redis.url, queuePool: null, prefix: "late", log: quiet });
  try {
    const add = () => queues.add("deliveries-desk", [{ id: "dlv_1-0", data: {}, delayMs: 0, lane: 1 }]);
    await expect(add()).rejects.toThrow();
    await redis.up();
    await waitFor("the queue to take work", () => add().then(() => true), { timeoutMs: PATIENCE_MS, intervalMs: 200 });
  } finally {
    await queues.close(0);
  }
}, 60_000);

function config(redisUrl: string): Promise<WrittenConfig> {
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    redisUrl,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [TEST_WEBHOOK_SECRET] }],
    operations: [
      { name: "on-call", url: operations.url, secrets: [TEST_WEBHOOK_SECRET] },
      // A receiver of alarms that hangs: on the way around the queue it must hold up nobody.
      { name: "asleep", url: asleep.url, secrets: [TEST_WEBHOOK_SECRET], timeoutMs: 60_000 },
    ],
  });
}

async function arrived(alerts: number): Promise<void> {
  await waitFor(`${alerts} alerts`, () => byWebhookId(desk.requests).size >= alerts, { timeoutMs: PATIENCE_MS });
}

/** The operational message about the queue. */
async function told(type: string): Promise<ReturnType<typeof bodyOf>> {
  const isIt = (body: ReturnType<typeof bodyOf>) => body.type === type && body.data.subject === "queue";
  return waitFor(type, () => operations.requests.map(bodyOf).find(isIt), { timeoutMs: PATIENCE_MS });
}

/** One webhook-id and one message per alert: a repeated delivery of the same message is allowed, a second one is not. */
async function eachOnce(alerts: number): Promise<void> {
  expect(byWebhookId(desk.requests).size).toBe(alerts);
  expect(new Set(desk.requests.map((request) => bodyOf(request).data.alertId)).size).toBe(alerts);
}

async function isUnreadyBut200Live(of: Heistwatch): Promise<void> {
  const ready = await of.get("/readyz");
  expect(ready.status).toBe(503);
  const { checks } = JSON.parse(ready.text) as { checks: { name: string; ok: boolean }[] };
  const states = Object.fromEntries(checks.map(({ name, ok }) => [name, ok]));
  expect(states).toMatchObject({ queue: false, store: true });
  for (const path of ["/livez", "/startupz", "/metrics"]) expect((await of.get(path)).status).toBe(200);
}
