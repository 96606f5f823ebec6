/** How deliveries end that are never taken, and what becomes of those in flight when the daemon stops. */
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import type { StoredDelivery } from "../../src/store/delivery-store.ts";
import { cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { bodyOf, byWebhookId, startEthereum, steal, WATCHING } from "./support/theft.ts";

const ATTEMPTS_MAX = 17;
const never = new Promise<never>(() => undefined);

let dir: TempDir;
let node: Anvil;
let receiver: Receiver;
let postgres: PostgresServer;
let redis: RedisServer;
const daemons: Heistwatch[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  redis = await startRedis();
}, 60_000);

afterAll(async () => {
  await redis?.stop();
  await postgres?.stop();
});

beforeEach(async () => {
  dir = createTempDir("end");
  node = await startEthereum();
  receiver = await startReceiver();
});

afterEach(async () => {
  for (const daemon of daemons.splice(0)) daemon.kill("SIGKILL");
  await receiver.stop();
  await node.stop();
  await dir.remove();
});

test("after 17 attempts a delivery is dead, kept, and re-driven under the same webhook-id, on Postgres itself", async () => {
  receiver.answerWith(() => ({ status: 503 }));
  const databaseUrl = await postgres.createDatabase("exhausted");
  const at = await config({ databaseUrl, redisUrl: redis.url, redisPrefix: "exhausted", retryScale: 0.000_01 });
  const daemon = await start(at);
  await steal(node);
  const dead = await waitFor("the dead letter", () => listed(at, "dead"), { timeoutMs: PATIENCE_MS, intervalMs: 500 });
  expect(dead).toEqual([expect.objectContaining({ state: "dead", deadReason: "exhausted", attempts: ATTEMPTS_MAX })]);
  expect(receiver.requests).toHaveLength(ATTEMPTS_MAX);
  const given = daemon.logs().find((line) => line.msg.startsWith("delivery given up"));
  expect(given).toMatchObject({ level: 50, attempt: ATTEMPTS_MAX, outcome: "retry", next: null });

  receiver.answerWith(() => ({ status: 204 }));
  expect(await cliJson(["deliveries", "retry", "--dead", "--sink", "desk"], at)).toEqual({ redriven: 1 });
  await waitFor("the re-driven delivery", () => listed(at, "delivered"), { timeoutMs: PATIENCE_MS, intervalMs: 500 });
  expect(receiver.requests).toHaveLength(ATTEMPTS_MAX + 1);
  expect(byWebhookId(receiver.requests).size).toBe(1);
  expect(await cliJson(["deliveries", "retry", "--dead"], at)).toEqual({ redriven: 0 });
}, 120_000);

test("SIGTERM with deliveries in flight against a hanging receiver ends within 25 s, with code 0, and loses nothing", async () => {
  receiver.answerWith(() => never);
  const at = await config({ timeoutMs: 60_000 });
  const first = await start(at);
  await steal(node, 6);
  await waitFor("requests in flight", () => receiver.requests.length === 4, { timeoutMs: PATIENCE_MS });

  const asked = performance.now();
  first.kill("SIGTERM");
  await until(first, "stopping, a second signal stops at once");
  expect((await first.get("/readyz")).status).toBe(503);
  expect((await first.get("/livez")).status).toBe(200);
  expect(await first.exited).toBe(0);
  expect(performance.now() - asked).toBeLessThan(25_000);

  receiver.answerWith(() => ({ status: 204 }));
  await start(at, "chain resumed");
  await waitFor("all deliveries", async () => (await listed(at, "delivered"))?.length === 6, {
    timeoutMs: PATIENCE_MS,
    intervalMs: 500,
  });
  expect(byWebhookId(receiver.requests).size).toBe(6);
  expect(new Set(receiver.requests.map((request) => bodyOf(request).data.alertId)).size).toBe(6);
}, 120_000);

test.each(["embedded", "Redis"])(
  "a second SIGTERM ends it at once, with code 75 (%s)",
  async (queue) => {
    receiver.answerWith(() => never);
    const at = await config({ timeoutMs: 60_000, ...(queue === "Redis" ? { redisUrl: redis.url } : {}) });
    const daemon = await start(at);
    await steal(node);
    await waitFor("a request in flight", () => receiver.requests.length === 1, { timeoutMs: PATIENCE_MS });
    daemon.kill("SIGTERM");
    await until(daemon, "stopping, a second signal stops at once");
    const asked = performance.now();
    daemon.kill("SIGTERM");
    expect(await daemon.exited).toBe(75);
    expect(performance.now() - asked).toBeLessThan(5_000);
  },
  120_000,
);

function config(of: {
  databaseUrl?: string;
  redisUrl?: string;
  redisPrefix?: string;
  retryScale?: number;
  timeoutMs?: number;
}): Promise<WrittenConfig> {
  const { timeoutMs = 5_000, ...rest } = of;
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks: [{ name: "desk", url: receiver.url, secrets: [TEST_WEBHOOK_SECRET], timeoutMs }],
    ...rest,
  });
}

async function start(at: WrittenConfig, follows = "chain followed from here"): Promise<Heistwatch> {
  const daemon = await startHeistwatch(at);
  daemons.push(daemon);
  await until(daemon, follows);
  return daemon;
}

async function listed(at: WrittenConfig, state: string): Promise<StoredDelivery[] | null> {
  const found = await cliJson<StoredDelivery[]>(["deliveries", "list", "--state", state], at);
  return found.length === 0 ? null : found;
}
