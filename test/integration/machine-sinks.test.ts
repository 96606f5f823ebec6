/** PagerDuty, Splunk, formats of a webhook, files and standard output. */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { BODY_FORMATS, type SplunkSinkConfig } from "../../src/types/sink-config.ts";
import { PAGERDUTY_KEY, startPagerduty } from "../support/services/pagerduty.ts";
import { code, SPLUNK_TOKEN, startSplunk } from "../support/services/splunk.ts";
import { startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { schemaOf } from "../unit/deliver/body-schemas.ts";
import {
  alarmMessage,
  alertMessages,
  during,
  largestMessage,
  LOCAL,
  LOCAL_HTTP,
  openSink,
  send,
} from "./sink-messages.ts";

describe("pagerduty", () => {
  async function open() {
    const service = await during(startPagerduty());
    const config = { routingKey: PAGERDUTY_KEY, apiUrl: service.origin, ...LOCAL_HTTP };
    return { service, sink: openSink({ kind: "pagerduty", name: "pager", ...config }) };
  }

  test("an alert is one incident: a retraction resolves it, being told again opens it", async () => {
    const { service, sink } = await open();
    expect(sink.keepsState).toBe(true);
    const [created, retracted, again] = alertMessages();
    const { alertId } = (JSON.parse(created.body) as { data: { alertId: string } }).data;
    const states: (string | undefined)[] = [];
    for (const message of [created, retracted, again]) {
      expect(await send(sink, message)).toMatchObject({ result: "delivered", status: 202 });
      states.push(service.incidents.get(alertId));
    }
    expect(states).toEqual(["triggered", "resolved", "triggered"]);
    expect([...service.incidents.keys()]).toEqual([alertId]);
    expect(service.requests[0]?.raw).not.toContain("deposit-88121");
  });

  test("what recovers or is withdrawn resolves what was told before, and nothing else", async () => {
    const { service, sink } = await open();
    const all = [
      alarmMessage("system.degraded", "chain:ethereum"),
      alarmMessage("system.degraded", "chain:base"),
      alarmMessage("system.recovered", "chain:ethereum"),
      alarmMessage("payments.summed", "payments:one"),
      alarmMessage("payments.summed", "payments:other"),
      alarmMessage("payments.withdrawn", "payments:one"),
    ];
    for (const message of all) expect(await send(sink, message)).toMatchObject({ result: "delivered" });
    expect([...service.incidents.values()]).toEqual(["resolved", "triggered", "resolved", "triggered"]);
  });

  test("the largest alert is taken", async () => {
    const { sink } = await open();
    expect(await send(sink, largestMessage())).toMatchObject({ result: "delivered" });
  });

  test("400 is final and says why without the key; 429 and 500 are tried again", async () => {
    const { service, sink } = await open();
    const errors = [`routing_key ${PAGERDUTY_KEY} is unknown`, "summary is blank"];
    service.answerNext(
      { status: 400, body: { status: "invalid event", message: "Event object is invalid", errors } },
      { status: 429, headers: { "retry-after": "60" } },
      { status: 500 },
    );
    const [created] = alertMessages();
    expect(await send(sink, created)).toMatchObject({
      result: "rejected",
      error: "answered 400: Event object is invalid, routing_key … is unknown, summary is blank",
    });
    expect(await send(sink, created)).toMatchObject({ result: "retry", status: 429, afterMs: 60_000 });
    expect(await send(sink, created)).toMatchObject({ result: "retry", status: 500 });
  });
});

describe("splunk", () => {
  async function open(over: Partial<SplunkSinkConfig> = {}) {
    const service = await during(startSplunk());
    const config: SplunkSinkConfig = {
      kind: "splunk",
      name: "siem",
      url: service.origin,
      token: SPLUNK_TOKEN,
      format: "native",
      concurrency: 4,
      index: null,
      sourcetype: "_json",
      acknowledge: true,
      ...LOCAL,
      allowHttp: true,
      ...over,
    };
    return { service, sink: openSink(config) };
  }

  test("delivered means that the indexers have it", async () => {
    const { service, sink } = await open();
    service.indexAfter(3);
    const [created] = alertMessages();
    expect(await send(sink, created)).toMatchObject({ result: "delivered", status: 200 });
    expect(service.indexed).toEqual([
      expect.objectContaining({
        event: JSON.parse(created.body) as object,
        sourcetype: "_json",
        fields: { webhook_id: created.webhookId },
      }),
    ]);
    expect(service.requests.map(({ path }) => path.split("/").at(-1))).toEqual(["event", "ack", "ack", "ack"]);
    const channels = new Set(service.requests.map(({ headers }) => headers["x-splunk-request-channel"]));
    expect(channels.size).toBe(1);
  });

  test("taken and never acknowledged is not delivered", async () => {
    const { service, sink } = await open({ timeoutMs: 700 });
    service.indexAfter(Infinity);
    const outcome = await send(sink, alertMessages()[0]);
    expect(outcome).toMatchObject({ result: "retry", error: expect.stringMatching(/^timed out after 700 ms/) });
    expect(service.indexed).toEqual([]);
  });

  test("a token without acknowledgement is told as such, and works where that is configured", async () => {
    const { service, sink } = await open();
    service.withoutAcknowledgement();
    expect(await send(sink, alertMessages()[0])).toMatchObject({
      result: "rejected",
      error: expect.stringContaining("set acknowledge: false"),
    });
    const plain = await open({ acknowledge: false });
    plain.service.withoutAcknowledgement();
    expect(await send(plain.sink, alertMessages()[0])).toMatchObject({ result: "delivered" });
    expect(plain.service.requests).toHaveLength(1);
  });

  test.each([
    [503, 9, "Server is busy", "retry"],
    [503, 18, "HEC is unhealthy, queues are full", "retry"],
    [500, 8, "Internal server error", "retry"],
    [403, 4, "Invalid token", "retry"],
    [400, 7, "Incorrect index", "rejected"],
    [400, 6, "Invalid data format", "rejected"],
  ])("%i, code %i (%s): %s", async (status, number, text, result) => {
    const { service, sink } = await open();
    service.answerNext(code(status, number, text));
    const error = `answered ${status}: ${text} (code ${number})`;
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result, status, error });
  });

  test("busy while acknowledgements are asked for is tried again", async () => {
    const { service, sink } = await open();
    service.answerNext({ status: 200, body: { text: "Success", code: 0, ackId: 3 } }, code(503, 9, "Server is busy"));
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry", status: 503 });
  });

  test.each(BODY_FORMATS)("events as %s are valid", async (format) => {
    const { service, sink } = await open({ format });
    expect(await send(sink, largestMessage())).toMatchObject({ result: "delivered" });
    const validate = schemaOf(format);
    validate((service.indexed[0] as { event: object }).event);
    expect(validate.errors ?? []).toEqual([]);
  });
});

test.each(BODY_FORMATS)("a webhook as %s is signed over the bytes that are sent, and valid", async (format) => {
  const receiver = await during(startReceiver());
  const config = { url: receiver.url, secrets: [TEST_WEBHOOK_SECRET], concurrency: 1, headers: {}, allowHttp: true };
  const sink = openSink({ kind: "webhook", name: "desk", format, ...LOCAL, ...config });
  for (const message of [...alertMessages(), alarmMessage("system.degraded")]) {
    const fresh = { ...message, timestamp: Math.floor(Date.now() / 1_000) };
    expect(await send(sink, fresh)).toMatchObject({ result: "delivered" });
  }
  const validate = schemaOf(format);
  expect(receiver.requests).toHaveLength(4);
  for (const { body, verifyError, headers } of receiver.requests) {
    expect(verifyError).toBeNull();
    expect(headers["content-type"]).toBe(
      format === "cloudevents" ? "application/cloudevents+json" : "application/json",
    );
    validate(body);
    expect(validate.errors ?? []).toEqual([]);
  }
});

describe("a file of JSON lines", () => {
  const open = () => {
    const folder = createTempDir("file-sink");
    const path = join(folder.path, "alerts.jsonl");
    const sink = openSink({ kind: "file", name: "lines", path, format: "native" });
    return { folder, path, sink, lines: (file = path) => readFileSync(file, "utf8").split("\n").slice(0, -1) };
  };

  test("holds every message as a line of its own, also those sent at once", async () => {
    const { folder, path, sink, lines } = open();
    const messages = [...alertMessages(), alarmMessage("system.degraded"), largestMessage()];
    const outcomes = await Promise.all(messages.map((message) => send(sink, message)));
    expect(new Set(outcomes.map(({ result }) => result))).toEqual(new Set(["delivered"]));
    expect(new Set(lines())).toEqual(new Set(messages.map(({ body }) => body)));
    expect(statSync(path).mode & 0o007).toBe(0);
    await folder.remove();
  });

  test("goes on in a new file once it was rotated away", async () => {
    const { folder, path, sink, lines } = open();
    const [first, second] = alertMessages();
    await send(sink, first);
    renameSync(path, `${path}.1`);
    await send(sink, second);
    expect([lines(`${path}.1`), lines()]).toEqual([[first.body], [second.body]]);
    await folder.remove();
  });

  test("begins a new line where a full disk left half of one", async () => {
    const { folder, path, sink, lines } = open();
    const [first] = alertMessages();
    appendFileSync(path, '{"half');
    await send(sink, first);
    expect(lines()).toEqual(['{"half', first.body]);
    await folder.remove();
  });

  test("is tried again where it cannot be written, and says why", async () => {
    const { folder, path, sink } = open();
    rmSync(folder.path, { recursive: true });
    const outcome = await send(sink, alertMessages()[0]);
    expect(outcome).toMatchObject({ result: "retry", error: expect.stringContaining("ENOENT") });
    expect(existsSync(path)).toBe(false);
  });
});

test("standard output gets one line of JSON for each message", async () => {
  const written: string[] = [];
  const sink = openSink(
    { kind: "stdout", name: "stdout", format: "ecs" },
    { write: (text) => void written.push(text) },
  );
  for (const message of alertMessages()) expect(await send(sink, message)).toMatchObject({ result: "delivered" });
  const validate = schemaOf("ecs");
  for (const line of written) {
    expect(line).toMatch(/^[^\n]+\n$/);
    validate(JSON.parse(line));
    expect(validate.errors ?? []).toEqual([]);
  }
  const broken = openSink(
    { kind: "stdout", name: "broken", format: "native" },
    {
      write: () => {
        throw new Error("EPIPE");
      },
    },
  );
  expect(await send(broken, alertMessages()[0])).toMatchObject({ result: "retry", error: "not written: EPIPE" });
});
