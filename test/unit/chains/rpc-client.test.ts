import { afterEach, describe, expect, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { createRequestGate } from "../../../src/lib/request-gate.ts";
import { createRpcClient, isMethodMissing, type RpcClient } from "../../../src/chains/evm/rpc-client.ts";
import { RpcError } from "../../../src/chains/rpc-envelope.ts";
import { describeError } from "../../../src/lib/errors.ts";
import { CANARIES, result, type RpcCall, type RpcServer, startRpcServer } from "./rpc-server.ts";

const MAX_BODY = 100_000;
const NEVER = new AbortController().signal;

let server: RpcServer | null = null;
let client: RpcClient | null = null;

afterEach(async () => {
  await client?.close();
  await server?.close();
  client = null;
  server = null;
});

interface Told {
  readonly method: string;
  readonly outcome: "ok" | "error";
}

async function clientOf(
  answer: (call: RpcCall, response: ServerResponse) => unknown,
  { timeoutMs = 5_000 } = {},
): Promise<{ rpc: RpcClient; told: Told[] }> {
  server = await startRpcServer(answer);
  const told: Told[] = [];
  client = createRpcClient({
    name: "own-a",
    url: server.url,
    timeoutMs,
    maxBodyBytes: MAX_BODY,
    gate: createRequestGate({ maxConcurrent: 2, maxPerSecond: 10_000 }),
    onRequest: (method, outcome) => told.push({ method, outcome }),
  });
  return { rpc: client, told };
}

async function failureOf(work: Promise<unknown>): Promise<RpcError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
  throw new Error("the call was answered");
}

/** What an operator may come to see of an error: its text, its details, what the log makes of it. */
function seen(error: RpcError): string {
  return [error.message, error.stack, JSON.stringify(error.details), describeError(error), inspect(error)].join("\n");
}

const json = (value: unknown) => (_call: RpcCall, response: ServerResponse) => response.end(JSON.stringify(value));
const echo = (fields: object) => (call: RpcCall, response: ServerResponse) =>
  response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...fields }));

describe("results", () => {
  test.each([["0x1"], [null], [false], [0], [""], [[]], [{ a: [1] }]])("%p comes back as it is", async (value) => {
    const { rpc, told } = await clientOf((call, response) => result(call, response, value));
    expect(await rpc.call("eth_any", ["0x1", false], NEVER)).toEqual(value);
    expect(server?.calls).toMatchObject([{ jsonrpc: "2.0", method: "eth_any", params: ["0x1", false] }]);
    expect(told).toEqual([{ method: "eth_any", outcome: "ok" }]);
  });

  test("a result sent with HTTP 500 is still a result, an error beside a result is still an error", async () => {
    const { rpc } = await clientOf((call, response) => {
      response.statusCode = 500;
      if (call.method === "good") result(call, response, "0x1");
      else echo({ result: "0x1", error: { code: 1, message: "no" } })(call, response);
    });
    expect(await rpc.call("good", [], NEVER)).toBe("0x1");
    expect((await failureOf(rpc.call("bad", [], NEVER))).message).toContain("refused bad: no");
  });

  test("answers that come back crossed each reach their own caller", async () => {
    const held: (() => void)[] = [];
    const { rpc } = await clientOf((call, response) => {
      held.push(() => result(call, response, call.params[0]));
      if (held.length === 2) for (const send of held.splice(0).toReversed()) send();
    });
    expect(await Promise.all([rpc.call("eth_any", ["a"], NEVER), rpc.call("eth_any", ["b"], NEVER)])).toEqual([
      "a",
      "b",
    ]);
  });
});

const BAD: readonly [what: string, answer: (call: RpcCall, response: ServerResponse) => unknown, text: RegExp][] = [
  [
    "an error answer",
    echo({ error: { code: -32000, message: "header not found" } }),
    /refused eth_any: header not found/,
  ],
  ["an error without a text", echo({ error: {} }), /refused eth_any: no message/],
  ["an error that is a word", echo({ error: "busy" }), /refused eth_any/],
  ["an error with a null id", json({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "parse" } }), /parse/],
  ["an error with HTTP 500", withStatus(500, { error: { code: -32005, message: "limit" } }), /refused eth_any: limit/],
  ["another request's id", json({ jsonrpc: "2.0", id: 99, result: "0x1" }), /another request's id/],
  [
    "the id as text",
    (call, response) => json({ id: String(call.id), result: "0x1" })(call, response),
    /another request/,
  ],
  ["no id", json({ jsonrpc: "2.0", result: "0x1" }), /another request's id/],
  ["no result", echo({}), /HTTP 200 and no result/],
  ["a batch", (call, response) => json([{ id: call.id, result: "0x1" }])(call, response), /another request's id/],
  ["a number", json(7), /no object/],
  ["null", json(null), /no object/],
  ["HTML", text(200, "<html><title>Log in</title></html>"), /HTTP 200 and no JSON/],
  ["HTML with HTTP 502", text(502, "<h1>Bad gateway</h1>"), /HTTP 502 and no JSON/],
  ["nothing", text(200, ""), /no JSON/],
  ["half an answer", text(200, '{"jsonrpc":"2.0","id":1,"result":"0x'), /no JSON/],
  ["a redirect, which is not followed", redirect, /HTTP 302 and no JSON/],
  ["a connection cut", (_call, response) => response.destroy(), /did not answer eth_any/],
  ["a connection cut in the middle", cutInTheMiddle, /did not answer eth_any/],
  ["a body over the limit", text(200, `{"result":"${"a".repeat(MAX_BODY)}"}`), /did not answer eth_any/],
  ["an endless body", endless, /did not answer eth_any/],
  ["a gzip bomb, which is not unpacked", bomb, /no JSON/],
];

function withStatus(status: number, fields: object) {
  return (call: RpcCall, response: ServerResponse) => {
    response.statusCode = status;
    echo(fields)(call, response);
  };
}

function text(status: number, body: string) {
  return (_call: RpcCall, response: ServerResponse) => response.writeHead(status).end(body);
}

function redirect(_call: RpcCall, response: ServerResponse): void {
  response.writeHead(302, { location: "/elsewhere" }).end();
}

function cutInTheMiddle(_call: RpcCall, response: ServerResponse): void {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"jsonrpc"', () => response.destroy());
}

function endless(_call: RpcCall, response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write("a".repeat(10_000)));
  };
  response.on("drain", more).on("error", () => undefined);
  more();
}

function bomb(call: RpcCall, response: ServerResponse): void {
  const packed = gzipSync(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: "a".repeat(20_000_000) }));
  response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
}

describe("whatever else a node answers is an error that may be waited out, and shows no key", () => {
  test.each(BAD)("%s", async (_what, answer, expected) => {
    const { rpc, told } = await clientOf(answer);
    const failure = await failureOf(rpc.call("eth_any", [], NEVER));
    expect(failure.message).toMatch(expected);
    expect(failure.message).toContain("own-a");
    expect(failure.retryable).toBe(true);
    expect(failure.details).toMatchObject({ node: "own-a", method: "eth_any" });
    for (const canary of CANARIES) expect(seen(failure)).not.toContain(canary);
    expect(told).toEqual([{ method: "eth_any", outcome: "error" }]);
  });

  test("nor when the node quotes the key it was given, as a URL, bare or as its error code", async () => {
    const { rpc } = await clientOf((call, response) => {
      const message = `bad key ${CANARIES.join(", ")} in ${server?.url}`;
      echo({ error: { code: CANARIES[2], message, data: CANARIES[3] } })(call, response);
    });
    const failure = await failureOf(rpc.call("eth_any", [], NEVER));
    expect(failure.message).toContain("bad key");
    for (const canary of CANARIES) expect(seen(failure)).not.toContain(canary);
  });

  test("nor when nobody listens", async () => {
    const { rpc } = await clientOf(echo({ result: "0x1" }));
    await server?.close();
    const failure = await failureOf(rpc.call("eth_any", [], NEVER));
    expect(failure.message).toMatch(/did not answer eth_any: .*ECONNREFUSED/);
    for (const canary of CANARIES) expect(seen(failure)).not.toContain(canary);
  });

  test("a node that does not answer, and one that stops in the middle, time out", async () => {
    const { rpc } = await clientOf((call, response) => void (call.method === "half" && response.write("{")), {
      timeoutMs: 150,
    });
    const startedAt = performance.now();
    for (const method of ["silent", "half"]) {
      expect((await failureOf(rpc.call(method, [], NEVER))).message).toMatch(/did not answer/);
    }
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  test("a long error text is cut short", async () => {
    const { rpc } = await clientOf(echo({ error: { code: 1, message: "x".repeat(50_000) } }));
    expect((await failureOf(rpc.call("eth_any", [], NEVER))).message.length).toBeLessThan(400);
  });
});

describe("places", () => {
  test("every outcome gives its place back: twenty failures do not stop the twenty-first call", async () => {
    let count = 0;
    const { rpc } = await clientOf((call, response) => {
      count += 1;
      if (count > 20) return result(call, response, "0x1");
      return count % 2 === 0 ? response.destroy() : response.end("<html>");
    });
    for (let index = 0; index < 20; index += 1) await failureOf(rpc.call("eth_any", [], NEVER));
    expect(await Promise.all([rpc.call("eth_any", [], NEVER), rpc.call("eth_any", [], NEVER)])).toEqual(["0x1", "0x1"]);
  });

  test("an abort ends a call under way", async () => {
    const { rpc } = await clientOf(() => undefined);
    const stop = new AbortController();
    const call = failureOf(rpc.call("eth_any", [], stop.signal));
    setTimeout(() => stop.abort(), 50);
    expect((await call).message).toContain("did not answer");
  });

  test("an abort before the call sends nothing", async () => {
    const { rpc } = await clientOf(echo({ result: "0x1" }));
    await expect(rpc.call("eth_any", [], AbortSignal.abort(new Error("stopping")))).rejects.toThrow("stopping");
    expect(server?.calls).toEqual([]);
  });
});

test("a missing method is told from every other trouble", async () => {
  const { rpc } = await clientOf((call, response) => echo({ error: call.params[0] })(call, response));
  const missing = [
    { code: -32601, message: "nope" },
    { code: -32600, message: "Unsupported method: eth_getBlockReceipts" },
    { code: -32000, message: "the method eth_getBlockReceipts does not exist/is not available" },
  ];
  const other = [
    { code: -32000, message: "header not found" },
    { code: -32005, message: "limit exceeded" },
  ];
  for (const error of missing) expect(isMethodMissing(await failureOf(rpc.call("m", [error], NEVER)))).toBe(true);
  for (const error of other) expect(isMethodMissing(await failureOf(rpc.call("m", [error], NEVER)))).toBe(false);
  expect(isMethodMissing(new Error("method not found"))).toBe(false);
});
