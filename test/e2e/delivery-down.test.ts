/** A receiver that is down for 100 deliveries, then up: all of them arrive, and people are told of its start and end. */
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { bodyOf, byWebhookId, startEthereum, steal, typesOf, WATCHING } from "./support/theft.ts";

const DELIVERIES = 100;
// Waits of 0, 0.05, 0.3, 1.2, 6, 18 s: the fourth failure comes within two seconds, the last one still in our patience.
const RETRY_SCALE = 0.01;

let dir: TempDir;
let node: Anvil;
let operations: Receiver;
let daemon: Heistwatch | null = null;
let receiver: Receiver | null = null;
const servers: { postgres?: PostgresServer; redis?: RedisServer } = {};

beforeEach(async () => {
  dir = createTempDir("down");
  node = await startEthereum();
  operations = await startReceiver();
});

afterEach(async () => {
  await daemon?.stop();
  await receiver?.stop();
  await operations.stop();
  await node.stop();
  await servers.redis?.stop();
  await servers.postgres?.stop();
  daemon = receiver = null;
  delete servers.postgres;
  delete servers.redis;
  await dir.remove();
}, 60_000);

test("a receiver that is down for 100 deliveries gets all of them once it is up, from the embedded store", async () => {
  await downThenUp({});
}, 120_000);

test("a receiver that is down for 100 deliveries gets all of them once it is up, with Postgres and Redis", async () => {
  servers.postgres = await startPostgres();
  servers.redis = await startRedis();
  await downThenUp({ databaseUrl: await servers.postgres.createDatabase("hw"), redisUrl: servers.redis.url });
}, 120_000);

async function downThenUp(servedBy: { databaseUrl?: string; redisUrl?: string }): Promise<void> {
  const port = await freePort();
  const at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...servedBy,
    ...WATCHING,
    webhooks: [{ name: "desk", url: `http://127.0.0.1:${port}/webhook`, secrets: [TEST_WEBHOOK_SECRET] }],
    operations: [{ name: "on-call", url: operations.url, secrets: [TEST_WEBHOOK_SECRET] }],
    retryScale: RETRY_SCALE,
  });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  await steal(node, DELIVERIES);

  const failing = await waitFor("endpoint.failing", () => systemMessage("endpoint.failing"), {
    timeoutMs: PATIENCE_MS,
  });
  expect(failing.data.subject).toBe("sink:desk");
  expect(failing.data.summary).toContain("connection refused");
  // Three different deliveries, or one for the fourth time: whichever comes first.
  expect(failedDeliveries(daemon) >= 3 || fourthFailures(daemon) >= 1).toBe(true);
  const desk = { sink: "desk" };
  const down = daemon;
  // The breaker opens before the last of them is made.
  await waitFor("all to wait", async () => (await down.metric("heistwatch_deliveries_pending", desk)) === DELIVERIES, {
    timeoutMs: PATIENCE_MS,
  });
  expect(
    await daemon.metric("heistwatch_delivery_attempts_total", { ...desk, outcome: "retry" }),
  ).toBeGreaterThanOrEqual(3);
  expect(await daemon.metric("heistwatch_delivery_oldest_undelivered_seconds", desk)).toBeGreaterThan(0);

  receiver = await startReceiver({ port });
  const { requests } = receiver;
  await waitFor("all deliveries", () => byWebhookId(requests).size >= DELIVERIES, { timeoutMs: PATIENCE_MS });
  const recovered = await waitFor("endpoint.recovered", () => systemMessage("endpoint.recovered"), {
    timeoutMs: PATIENCE_MS,
  });
  expect(recovered.data.subject).toBe("sink:desk");

  expect(requests.every((request) => request.verified)).toBe(true);
  expect(new Set(requests.map((request) => bodyOf(request).data.alertId)).size).toBe(DELIVERIES);
  expect(new Set(typesOf(requests))).toEqual(new Set(["alert.created"]));
  // One id for the failed attempts in the log, the delivered one, and the request that arrived.
  expect([...idsByDelivery(daemon).values()].map((ids) => ids.size)).toEqual(Array(DELIVERIES).fill(1));
  await waitFor("nothing pending", async () => (await daemon?.metric("heistwatch_deliveries_pending", desk)) === null);
  expect(await daemon.metric("heistwatch_delivery_attempts_total", { ...desk, outcome: "delivered" })).toBe(DELIVERIES);
  const told = typesOf(operations.requests).filter((type) => type.startsWith("endpoint."));
  expect(told).toEqual(["endpoint.failing", "endpoint.recovered"]);
}

function systemMessage(type: string) {
  return operations.requests.map(bodyOf).find((body) => body.type === type) ?? null;
}

function attempts(of: Heistwatch) {
  return of.logs().filter((line) => line["sink"] === "desk" && line.msg === "delivery attempted");
}

function failedDeliveries(of: Heistwatch): number {
  return new Set(
    attempts(of)
      .filter((line) => line["outcome"] === "retry")
      .map((line) => line["webhookId"]),
  ).size;
}

function fourthFailures(of: Heistwatch): number {
  return attempts(of).filter((line) => line["attempt"] === 4 && line["outcome"] === "retry").length;
}

/** The ids each alert's attempts went out under; the alert is known from what arrived. */
function idsByDelivery(of: Heistwatch): Map<string, Set<string>> {
  const alertOf = new Map(receiver?.requests.map((request) => [request.webhookId, bodyOf(request).data.alertId]));
  const ids = new Map<string, Set<string>>();
  for (const line of attempts(of)) {
    const id = String(line["webhookId"]);
    const alert = alertOf.get(id) ?? `never arrived: ${id}`;
    ids.set(alert, (ids.get(alert) ?? new Set()).add(id));
  }
  return ids;
}
