/**
 * One theft, seven receivers, each with its own way to fail: what each of them got, shown as a table at the end.
 * The daemon, the chain, the receivers and the command line are real; only the waits are shorter (retryScale).
 */
import { Webhook } from "standardwebhooks";
import type { Anvil } from "../support/anvil.ts";
import { type WrittenConfig, writeDaemonConfig } from "../support/daemon.ts";
import { type ReceivedRequest, type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import type { StoredDelivery } from "../../src/store/delivery-store.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { bodyOf, byWebhookId, startEthereum, steal, WATCHING } from "./support/theft.ts";

const OLD_SECRET = `whsec_${Buffer.from("the secret of before, 32 bytes!!").toString("base64")}`;
const SINKS = ["steady", "slow", "flaky", "busy", "moved", "gone", "rotating"] as const;
type SinkName = (typeof SINKS)[number];

// Waits of 0, 0.1, 0.6, 2.4, 12 s ...: every case is over within its first few attempts.
const RETRY_SCALE = 0.02;
const ASKED_WAIT_S = 4;

const dir = createTempDir("faults");
const table: Record<string, { answers: string; attempts: number; gaps: string; end: string }> = {};
let node: Anvil;
let at: WrittenConfig;
let daemon: Heistwatch;
let receivers: Record<SinkName, Receiver>;
let operations: Receiver;
let elsewhere: Receiver;

beforeAll(async () => {
  node = await startEthereum();
  elsewhere = await startReceiver();
  operations = await startReceiver();
  const started = await Promise.all(SINKS.map(() => startReceiver()));
  receivers = Object.fromEntries(SINKS.map((name, index) => [name, started[index]])) as Record<SinkName, Receiver>;
  const hang = new Promise<never>(() => undefined);
  receivers.slow.answerWith((_request, nth) => (nth <= 2 ? hang : { status: 204 }));
  receivers.flaky.answerWith((_request, nth) => ({ status: nth <= 3 ? 500 : 200 }));
  receivers.busy.answerWith((_request, nth) =>
    nth === 1 ? { status: 429, headers: { "retry-after": String(ASKED_WAIT_S) } } : { status: 204 },
  );
  receivers.moved.answerWith((_request, nth) =>
    nth <= 2 ? { status: 301, headers: { location: elsewhere.url } } : { status: 204 },
  );
  receivers.gone.answerWith(() => ({ status: 410 }));
  at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks: SINKS.map((name) => ({
      name,
      url: receivers[name].url,
      secrets: name === "rotating" ? [TEST_WEBHOOK_SECRET, OLD_SECRET] : [TEST_WEBHOOK_SECRET],
      timeoutMs: 1_000,
    })),
    operations: [{ name: "on-call", url: operations.url, secrets: [TEST_WEBHOOK_SECRET] }],
    retryScale: RETRY_SCALE,
  });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  await steal(node);
}, 120_000);

afterAll(async () => {
  console.log(tableText());
  await daemon?.stop();
  await Promise.all([...Object.values(receivers ?? {}), operations, elsewhere].map((one) => one?.stop()));
  await node?.stop();
  await dir.remove();
}, 60_000);

test("a receiver that answers 500 is tried again under the same webhook-id until it answers 200", async () => {
  const requests = await gotten("flaky", 4);
  expect(new Set(requests.map((request) => request.webhookId)).size).toBe(1);
  expect(new Set(requests.map((request) => request.raw)).size).toBe(1);
  expect(requests.every((request) => request.verified)).toBe(true);
  expect(await endOf("flaky")).toMatchObject({ state: "delivered", attempts: 4 });
  note("flaky", "500 three times, then 200");
});

test("a receiver that hangs is cut off at timeoutMs and tried again, and holds up no other sink", async () => {
  const [first] = await gotten("steady", 1);
  const requests = await gotten("slow", 3);
  expect(await endOf("slow")).toMatchObject({ state: "delivered", attempts: 3 });
  expect(requests[1]?.at).toBeGreaterThanOrEqual((requests[0]?.at ?? 0) + 1_000);
  // The steady sink had its alert while the slow one still held its first request.
  expect(first?.at).toBeLessThan(requests[1]?.at ?? 0);
  expect(lastErrors("slow")).toContain("timed out after 1000 ms");
  note("slow", "no answer (30 s and more), timeoutMs 1000");
  note("steady", "204");
});

test("429 with Retry-After is not tried again earlier than asked", async () => {
  const requests = await gotten("busy", 2);
  const waited = (requests[1]?.at ?? 0) - (requests[0]?.at ?? 0);
  // The receiver notes the arrival, we count from its answer: a few milliseconds of slack.
  expect(waited).toBeGreaterThanOrEqual(ASKED_WAIT_S * 1_000 - 50);
  expect(await endOf("busy")).toMatchObject({ state: "delivered", attempts: 2 });
  note("busy", `429 with Retry-After: ${ASKED_WAIT_S}, then 204`);
});

test("301 is not followed, is tried again, and the error says where it pointed", async () => {
  await gotten("moved", 3);
  expect(elsewhere.requests).toHaveLength(0);
  expect(await endOf("moved")).toMatchObject({ state: "delivered", attempts: 3 });
  const [error] = lastErrors("moved");
  expect(error).toContain("301");
  expect(error).toContain("redirects are never followed");
  expect(error).toContain(`127.0.0.1:${elsewhere.port}`);
  note("moved", "301 to another listener (which got nothing), then 204");
});

test("410 is not tried again, is kept as a dead letter and told at once, and can be re-driven while the daemon runs", async () => {
  await gotten("gone", 1);
  const dead = await waitFor(
    "the dead letter",
    async () => {
      const listed = await cliJson<StoredDelivery[]>(["deliveries", "list", "--state", "dead"], at);
      return listed.length > 0 ? listed : null;
    },
    { timeoutMs: PATIENCE_MS, intervalMs: 500 },
  );
  expect(dead).toEqual([
    expect.objectContaining({ sink: "gone", state: "dead", deadReason: "rejected", attempts: 1, nextAttemptAt: null }),
  ]);
  expect(dead[0]?.lastError).toContain("410");
  expect(await daemon.metric("heistwatch_delivery_dead_letters", { sink: "gone" })).toBe(1);
  await waitFor("the alarm about the gone receiver", () => alarms("endpoint.failing").some(isAbout("gone")), {
    timeoutMs: PATIENCE_MS,
  });

  receivers.gone.answerWith(() => ({ status: 204 }));
  const id = dead[0]?.deliveryId ?? "";
  expect(await cliJson(["deliveries", "retry", id], at)).toEqual({ redriven: 1 });
  const requests = await gotten("gone", 2);
  expect(requests[1]?.webhookId).toBe(requests[0]?.webhookId);
  expect(await endOf("gone")).toMatchObject({ state: "delivered", attempts: 2, deadReason: null });
  await waitFor("the end of the alarm", () => alarms("endpoint.recovered").some(isAbout("gone")), {
    timeoutMs: PATIENCE_MS,
  });
  note("gone", "410: dead (rejected); after `deliveries retry` 204");
});

test("re-driving a delivery that does not exist, or was delivered, is an error and not a silent zero", async () => {
  const [delivered] = await cliJson<StoredDelivery[]>(["deliveries", "list", "--sink", "steady"], at);
  for (const id of ["dlv_00000000000000000000000000", delivered?.deliveryId ?? ""]) {
    const { code, stderr } = await cli(["deliveries", "retry", id, "--config", at.configPath], at);
    expect([code, stderr]).toEqual([1, expect.stringContaining(id)]);
  }
});

test("during a rotation both secrets sign, in one header, and each verifies alone", async () => {
  const [request] = await gotten("rotating", 1);
  const { raw, headers } = request as ReceivedRequest;
  expect(headers["webhook-signature"]?.split(" ")).toHaveLength(2);
  for (const secret of [TEST_WEBHOOK_SECRET, OLD_SECRET])
    expect(() => new Webhook(secret).verify(raw, { ...headers })).not.toThrow();
  note("rotating", "204; two secrets");
});

test("attempts are counted by sink and outcome, and what is pending or dead is a gauge", async () => {
  const attempts = (sink: SinkName, outcome: string) =>
    daemon.metric("heistwatch_delivery_attempts_total", { sink, outcome });
  expect(await attempts("flaky", "retry")).toBe(3);
  expect(await attempts("flaky", "delivered")).toBe(1);
  expect(await attempts("gone", "rejected")).toBe(1);
  expect(await attempts("busy", "retry")).toBe(1);
  expect(await daemon.metric("heistwatch_delivery_dead_letters", { sink: "gone" })).toBeNull();
});

/** Requests of one sink; all are the one alert, so the count is the number of attempts. */
async function gotten(sink: SinkName, count: number): Promise<readonly ReceivedRequest[]> {
  const { requests } = receivers[sink];
  await waitFor(`${count} requests at ${sink}`, () => requests.length >= count, { timeoutMs: PATIENCE_MS });
  expect(byWebhookId(requests).size).toBe(1);
  return requests;
}

/** The delivery once nothing more is to come. */
async function endOf(sink: SinkName): Promise<StoredDelivery> {
  return waitFor(
    `the end of ${sink}`,
    async () => {
      const [delivery] = await cliJson<StoredDelivery[]>(["deliveries", "list", "--sink", sink], at);
      return delivery !== undefined && delivery.state !== "pending" ? delivery : null;
    },
    { timeoutMs: PATIENCE_MS, intervalMs: 500 },
  );
}

function lastErrors(sink: SinkName): string[] {
  return daemon
    .logs()
    .filter((line) => line["sink"] === sink && typeof line.error === "string")
    .map((line) => String(line.error));
}

function alarms(type: string) {
  return operations.requests.map(bodyOf).filter((body) => body.type === type);
}

function isAbout(sink: SinkName) {
  return (body: ReturnType<typeof bodyOf>) => body.data.subject === `sink:${sink}`;
}

function note(sink: SinkName, answers: string): void {
  const { requests } = receivers[sink];
  const gaps = requests
    .slice(1)
    .map((request, index) => ((request.at - (requests[index]?.at ?? 0)) / 1_000).toFixed(1));
  const outcome = daemon.logs().findLast((line) => line["sink"] === sink)?.["outcome"];
  table[sink] = {
    answers,
    attempts: requests.length,
    gaps: gaps.length === 0 ? "-" : `${gaps.join(", ")} s`,
    end: typeof outcome === "string" ? outcome : "?",
  };
}

function tableText(): string {
  const rows = Object.entries(table).map(([sink, { answers, attempts, gaps, end }]) =>
    [sink.padEnd(9), String(attempts).padStart(8), gaps.padEnd(20), end.padEnd(10), answers].join("  "),
  );
  const header = ["receiver".padEnd(9), "requests", "waits between".padEnd(20), "end".padEnd(10), "it answered"].join(
    "  ",
  );
  return [`What each receiver got (retryScale ${RETRY_SCALE}):`, header, ...rows].join("\n");
}
