/**
 * Goal: a severe alert whose sink is down reaches the fallback sink after its time, once, and the sink itself later; nobody
 * forgets a sink that was taken out; the command line shows and replays what was sent.
 * Method: heistwatch as a process, receivers of its own, retry waits shortened; one sink away at first.
 */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { StoredDelivery } from "../../src/store/delivery-store.ts";
import type { Anvil } from "../support/anvil.ts";
import { type WebhookRow, writeDaemonConfig } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { bodyOf, startEthereum, steal, STRANGER, SUSPECT, typesOf, WATCHING } from "./support/theft.ts";

// A fallback after 60 s becomes one after 0.6 s; waits of 0, 0.05, 0.3, 1.2, 6, 18 s are in our patience.
const RETRY_SCALE = 0.01;
const FALLBACK_MS = 60_000 * RETRY_SCALE;
const secrets = [TEST_WEBHOOK_SECRET];

let dir: TempDir;
let node: Anvil;
let pager: Receiver;
let operations: Receiver;
let desk: Receiver | null = null;
let daemon: Heistwatch | null = null;

beforeEach(async () => {
  dir = createTempDir("care");
  [node, pager, operations] = await Promise.all([startEthereum(), startReceiver(), startReceiver()]);
}, 60_000);

afterEach(async () => {
  await daemon?.stop();
  await Promise.all([desk?.stop(), pager.stop(), operations.stop(), node.stop()]);
  daemon = desk = null;
  await dir.remove();
}, 60_000);

const configOf = (webhooks: readonly WebhookRow[]) =>
  writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks,
    operations: [{ name: "on-call", url: operations.url, secrets }],
    retryScale: RETRY_SCALE,
    // The pager gets nothing by itself.
    extra: { routes: [{ to: ["pager"], incidents: ["nobodys-incident"] }] },
  });
const waitLong = { timeoutMs: PATIENCE_MS };
const alertsAt = ({ requests }: Receiver) => requests.filter((one) => typesOf([one])[0]?.startsWith("alert."));

test("a severe alert that its sink does not take goes to the fallback, once; a taken-out sink is not forgotten", async () => {
  const port = await freePort();
  const away: WebhookRow = {
    name: "desk",
    url: `http://127.0.0.1:${port}/webhook`,
    secrets,
    fallback: "pager",
  };
  const pagerRow: WebhookRow = { name: "pager", url: pager.url, secrets };
  let at = await configOf([away, pagerRow]);
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  await steal(node);
  // Not severe: it waits for its own sink.
  await steal(node, 1, { from: SUSPECT, to: STRANGER });

  await waitFor("the fallback", () => alertsAt(pager).length > 0, waitLong);
  const told = alertsAt(pager)[0] as Receiver["requests"][number];
  const body = bodyOf(told);
  expect(body).toMatchObject({ type: "alert.created", data: { severity: "critical" } });
  expect(told.at - Date.parse((told.body as { timestamp: string }).timestamp)).toBeGreaterThanOrEqual(FALLBACK_MS);
  const list = (sink: string) => cliJson<StoredDelivery[]>(["deliveries", "list", "--sink", sink], at);
  expect(await list("pager")).toMatchObject([{ state: "delivered", fallbackFor: "desk" }]);

  // Every attempt, with its answer.
  const waiting = (await list("desk")).find(({ alertId }) => alertId === body.data.alertId);
  expect(waiting?.state).toBe("pending");
  const shown = await cliJson<{ attempts: { result: string; error: string }[] }>(
    ["deliveries", "show", waiting?.deliveryId ?? ""],
    at,
  );
  expect(shown.attempts.length).toBeGreaterThan(0);
  for (const attempt of shown.attempts)
    expect(attempt).toMatchObject({ result: "retry", error: expect.stringContaining("connection refused") });
  const text = await cli(["deliveries", "show", waiting?.deliveryId ?? "", "--config", at.configPath], at);
  expect(text.stdout).toContain("connection refused");
  const nobody = await cli(["deliveries", "show", "dlv_nobody", "--config", at.configPath], at);
  expect([nobody.code, nobody.stderr]).toEqual([1, "heistwatch: there is no delivery dlv_nobody\n"]);

  // The sink is taken out while two deliveries wait for it.
  await daemon.stop();
  operations.clear();
  at = await configOf([pagerRow]);
  daemon = await startHeistwatch(at);
  const orphans = await waitFor(
    "the alarm",
    () => operations.requests.map(bodyOf).find(({ data }) => data.subject === "sink:desk") ?? null,
    waitLong,
  );
  expect(orphans).toMatchObject({ type: "endpoint.failing", data: { severity: "high" } });
  expect(orphans.data.summary).toContain("2 deliveries wait for the sink desk, which is not configured");

  // It is back, and so is its receiver: nothing was lost, and the fallback was told no more.
  await daemon.stop();
  desk = await startReceiver({ port });
  const back = desk;
  at = await configOf([away, pagerRow]);
  daemon = await startHeistwatch(at);
  await waitFor("both alerts at their sink", () => alertsAt(back).length >= 2, waitLong);
  expect(alertsAt(back).map(({ verified }) => verified)).toEqual([true, true]);
  expect(alertsAt(back).map(({ webhookId }) => webhookId)).toContain(told.webhookId);
  expect(alertsAt(pager)).toHaveLength(1);
}, 240_000);

test("a replay of the command line is marked, has an id of its own, and goes where it is sent", async () => {
  desk = await startReceiver();
  const at = await configOf([
    { name: "desk", url: desk.url, secrets },
    { name: "pager", url: pager.url, secrets },
  ]);
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  await steal(node);
  const first = desk;
  await waitFor("the alert", () => first.requests.length === 1, waitLong);
  const [sent] = first.requests;
  const { alertId = "" } = bodyOf(sent as Receiver["requests"][number]).data;
  const replay = (...args: string[]) =>
    cliJson<{ messages: number; deliveries: number }>(["deliveries", "replay", alertId, ...args], at);
  expect(await replay("--dry-run")).toEqual({ messages: 1, deliveries: 1 });
  expect(await replay("--sink", "pager")).toEqual({ messages: 1, deliveries: 1 });
  const again = await waitFor("the replay", () => alertsAt(pager)[0] ?? null, waitLong);
  expect(again.body).toEqual({ ...(sent?.body as object), replay: true });
  expect([again.verified, again.webhookId === sent?.webhookId]).toEqual([true, false]);
  expect(first.requests).toHaveLength(1);
  const none = await cli(["deliveries", "replay", "--config", at.configPath], at);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("say what to replay")]);
  const wrong = await cli(["deliveries", "replay", alertId, "--sink", "nobody", "--config", at.configPath], at);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("no sink of alerts is named nobody")]);
}, 240_000);
