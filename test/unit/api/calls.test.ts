/** The calls over HTTP, with a real server: who may ask, what a wrong question answers, and that bugs say nothing. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import type { ApiPorts } from "../../../src/api/calls.ts";
import { createHealthServer, type HealthServer } from "../../../src/api/health-server.ts";
import { OWN_ROUTES } from "../../../src/api/own-routes.ts";
import { PEOPLE_ROUTES } from "../../../src/api/people-routes.ts";
import { WATCH_ROUTES } from "../../../src/api/watch-routes.ts";
import { NotAllowedError } from "../../../src/daemon/actors.ts";
import { BadCallError } from "../../../src/daemon/checked.ts";
import { OWN_CALLS } from "../../../src/daemon/own-calls.ts";
import { WATCH_CALLS } from "../../../src/daemon/watch-calls.ts";
import { AppError } from "../../../src/lib/errors.ts";

let server: HealthServer;
let open: ApiPorts | null;
let asked: unknown[];

beforeEach(async () => {
  asked = [];
  open = {
    personOf: (token) => Promise.resolve(token === "anns" ? { name: "ann", role: "investigator" } : null),
    ask(call, args, actor) {
      asked.push([call, args, actor.name]);
      return Promise.resolve({ done: "applied" });
    },
  };
  server = createHealthServer({
    host: "127.0.0.1",
    port: 0,
    importMbMax: 1,
    registry: new Registry(),
    refresh: () => Promise.resolve(),
    checks: () => Promise.resolve([]),
    isStarted: () => true,
    isStopping: () => false,
    api: () => open,
  });
  await server.start(new AbortController().signal);
});
afterEach(() => server.stop());

async function post(path: string, body: string | undefined, token: string | null = "anns", type = "application/json") {
  const answer = await fetch(`http://127.0.0.1:${server.port()}/v1/${path}`, {
    method: "POST",
    headers: {
      ...(body === undefined ? {} : { "content-type": type }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, body: (await answer.json()) as { result?: unknown; error?: string } };
}
function failing(error: Error): void {
  open = {
    async personOf() {
      return { name: "ann", role: "admin" };
    },
    async ask() {
      throw error;
    },
  };
}

test("a call carries its arguments and its caller", async () => {
  expect(await post("watch/add", JSON.stringify({ address: "0x1" }))).toEqual({
    status: 200,
    body: { result: { done: "applied" } },
  });
  expect(await post("people/list", undefined)).toMatchObject({ status: 200 });
  expect(asked).toEqual([
    ["watch.add", { address: "0x1" }, "ann"],
    ["people.list", {}, "ann"],
  ]);
});

test.each([null, "bens", "", "anns anns"])("without a valid token (%p) nothing is asked", async (token) => {
  for (const { group, calls } of [WATCH_ROUTES, PEOPLE_ROUTES, OWN_ROUTES])
    for (const call of calls) expect((await post(`${group}/${call}`, "{}", token)).status).toBe(401);
  expect(asked).toEqual([]);
});

test("every call of the command line has its path, and there is no other", async () => {
  const paths = [WATCH_ROUTES, PEOPLE_ROUTES, OWN_ROUTES].flatMap(({ group, calls }) =>
    calls.map((call) => `${group}.${call}`),
  );
  expect(paths.toSorted()).toEqual([...WATCH_CALLS, ...OWN_CALLS].toSorted());
  expect((await post("watch/everything", "{}")).status).toBe(404);
});

test.each<[Error, number]>([
  [new NotAllowedError("no"), 403],
  [new BadCallError("what?"), 400],
  [new AppError("there is no entry x"), 422],
])("%s answers why", async (error, status) => {
  failing(error);
  expect(await post("watch/dispute", "{}")).toMatchObject({ status, body: { error: error.message } });
});

test("a bug answers 500 and nothing about itself", async () => {
  failing(new TypeError("secret detail of postgres://user:pass@db"));
  const { status, body } = await post("watch/dispute", "{}");
  expect([status, JSON.stringify(body).includes("secret")]).toEqual([500, false]);
});

test.each([
  ["half of it", '{"address":', "application/json", 400],
  ["a prototype", '{"__proto__":{"x":1}}', "application/json", 400],
  ["another type", "<a/>", "text/xml", 415],
  ["too much", JSON.stringify({ note: "x".repeat(70_000) }), "application/json", 413],
])("a body with %s is refused before anybody is asked", async (_name, body, type, status) => {
  expect((await post("watch/add", body, "anns", type)).status).toBe(status);
  expect(asked).toEqual([]);
});

test("a list may be as large as the configuration says, any other call may not; without a token not a byte is read", async () => {
  const listOf = (bytes: number) => JSON.stringify({ list: "x".repeat(bytes) });
  expect((await post("watch/import", listOf(1_000_000))).status).toBe(200);
  expect((await post("watch/import", listOf(1_100_000))).status).toBe(413);
  expect((await post("watch/preview", listOf(100_000))).status).toBe(413);
  expect(asked).toHaveLength(1);
  expect((await post("watch/import", "no JSON", "bens")).status).toBe(401);
});

test("while it starts, it says so", async () => {
  open = null;
  expect((await post("watch/list", "{}")).status).toBe(503);
});
