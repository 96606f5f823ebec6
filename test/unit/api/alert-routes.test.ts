/** The paths of alerts over HTTP, with a real server: which call each becomes, and with which arguments. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { ALERT_ACTS } from "../../../src/api/alert-routes.ts";
import { createHealthServer, type HealthServer } from "../../../src/api/health-server.ts";
import { TRIAGE_LEAST_ROLE } from "../../../src/daemon/triage-calls.ts";
import { NotFoundError } from "../../../src/lib/errors.ts";
import { ChangedMeanwhileError } from "../../../src/store/watch-apply.ts";

let server: HealthServer;
let asked: unknown[];
let answer: () => unknown;

beforeEach(async () => {
  asked = [];
  answer = () => "done";
  server = createHealthServer({
    host: "127.0.0.1",
    port: 0,
    importMbMax: 16,
    registry: new Registry(),
    refresh: () => Promise.resolve(),
    checks: () => Promise.resolve([]),
    isStarted: () => true,
    isStopping: () => false,
    api: () => ({
      personOf: (token) => Promise.resolve(token === "anns" ? { name: "ann", role: "investigator" } : null),
      async ask(call, args) {
        asked.push([call, args]);
        return answer();
      },
    }),
  });
  await server.start(new AbortController().signal);
});
afterEach(() => server.stop());

async function send(method: string, path: string, { body, token = "anns" }: { body?: string; token?: string } = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port()}/v1/alerts${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as { result?: unknown; error?: string } };
}

test("a question's query becomes the call's arguments", async () => {
  const query =
    "?state=open&state=escalated&severity=high&limit=5&overdue=true&retracted=false&customer=true&after=1-alr_1";
  expect(await send("GET", query)).toEqual({ status: 200, body: { result: "done" } });
  await send("GET", "?state=open&limit=-1&overdue=yes");
  await send("GET", "/alr_1");
  await send("GET", "/alr_1/history");
  expect(asked).toEqual([
    [
      "alerts.list",
      {
        state: ["open", "escalated"],
        severity: "high",
        limit: 5,
        overdue: true,
        retracted: false,
        customer: "true",
        after: "1-alr_1",
      },
    ],
    ["alerts.list", { state: ["open"], limit: "-1", overdue: "yes" }],
    ["alerts.show", { alertId: "alr_1" }],
    ["alerts.history", { alertId: "alr_1" }],
  ]);
});

test("an act is about the alert of its path, whatever its body says", async () => {
  await send("POST", "/alr_1/close", { body: JSON.stringify({ alertId: "alr_2", seen: 3, to: "closed_true" }) });
  await send("POST", "/alr_1/take");
  expect(asked).toEqual([
    ["alerts.close", { alertId: "alr_1", seen: 3, to: "closed_true" }],
    ["alerts.take", { alertId: "alr_1" }],
  ]);
});

test("every call about alerts has its path, and there is no other", async () => {
  await send("GET", "");
  await send("GET", "/alr_1");
  await send("GET", "/alr_1/history");
  await send("GET", "/reads?limit=5");
  for (const act of ALERT_ACTS) await send("POST", `/alr_1/${act}`, { body: "{}" });
  expect(asked.map((one) => (one as [string])[0]).toSorted()).toEqual(Object.keys(TRIAGE_LEAST_ROLE).toSorted());
  for (const [method, path] of [
    ["POST", "/alr_1/everything"],
    ["POST", ""],
    ["DELETE", "/alr_1"],
    ["GET", "/alr_1/take"],
  ] as const)
    expect([method, path, (await send(method, path)).status]).toEqual([method, path, 404]);
});

test("without a valid token nothing is asked", async () => {
  for (const [method, path] of [
    ["GET", ""],
    ["GET", "/alr_1"],
    ["GET", "/alr_1/history"],
    ["GET", "/reads"],
    ...ALERT_ACTS.map((act) => ["POST", `/alr_1/${act}`] as const),
  ] as const)
    expect((await send(method, path, { token: "bens" })).status).toBe(401);
  expect(asked).toEqual([]);
});

test.each([
  [new ChangedMeanwhileError("ben was faster"), 409],
  [new NotFoundError("there is no alert alr_1"), 404],
])("%s answers why", async (error, status) => {
  answer = () => {
    throw error;
  };
  expect(await send("POST", "/alr_1/take", { body: "{}" })).toMatchObject({ status, body: { error: error.message } });
});
