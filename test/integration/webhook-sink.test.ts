/**
 * Goal: what a receiver answers is what a webhook sink tells, and what it gets is what was signed.
 * Method: real servers on 127.0.0.1, the official Standard Webhooks library as verifier.
 */
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { signHeaders } from "../../src/deliver/signing.ts";
import { http, message, NEW, OLD, retryWith, send, sinkTo, tcp, timed } from "./receivers.ts";

describe("a request", () => {
  test.each(["{}", '{"note":"Überweisung 送金 🥷 \u2028"}', "", " \n{}\r\n", "x".repeat(20_000)])(
    "body %# arrives byte for byte and the official library accepts it with the old and the new key",
    async (body) => {
      const received = Promise.withResolvers<{ raw: Buffer; headers: Record<string, string> }>();
      const { port } = await http((request, response) => {
        const headers = request.headers as Record<string, string>;
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          received.resolve({ raw: Buffer.concat(chunks), headers });
          response.writeHead(204).end();
        });
      });
      const outcome = await send(sinkTo(port, { secrets: [NEW, OLD] }), { body });
      expect(outcome).toEqual({ result: "delivered", status: 204, excerpt: "" });
      const { raw, headers } = await received.promise;
      expect(raw).toEqual(Buffer.from(body));
      for (const secret of [OLD, NEW]) {
        expect(() => new Webhook(secret).verify(raw, headers, { jsonParse: false })).not.toThrow();
      }
    },
  );

  test("is signed with an old key as long as it lasts, by the time of the attempt, and never with that alone", async () => {
    const signatures: string[] = [];
    const { port } = await http((request, response) => {
      signatures.push(String(request.headers["webhook-signature"]));
      response.end();
    });
    const until = 2_000_000_000;
    // One sink, never made anew: the key ends while heistwatch runs.
    const sink = sinkTo(port, { secrets: [NEW], oldSecrets: [{ secret: OLD, until }] });
    for (const timestamp of [until - 1, until, until + 1]) await send(sink, { timestamp });
    const [last = "", ...after] = signatures.map((one) => one.split(" "));
    expect([last.length, after.map((one) => one.length)]).toEqual([2, [1, 1]]);
    const accepts = (secret: string, timestamp: number, signature: readonly string[]) => {
      const { body, webhookId } = message({ timestamp });
      const bare = signHeaders({ webhookId, timestamp, body: Buffer.from(body), secrets: [secret] });
      return signature.includes(bare["webhook-signature"]);
    };
    expect([accepts(NEW, until - 1, last as string[]), accepts(OLD, until - 1, last as string[])]).toEqual([
      true,
      true,
    ]);
    expect(after.map((one, index) => accepts(OLD, until + index, one))).toEqual([false, false]);
    expect(after.map((one, index) => accepts(NEW, until + index, one))).toEqual([true, true]);
  });

  test("carries our headers and the configured ones, to the configured path and query", async () => {
    let seen: IncomingMessage | null = null;
    const { port } = await http((request, response) => {
      seen = request;
      response.end("thanks");
    });
    const sink = sinkTo(port, { headers: { authorization: "Bearer abc", "x-team": "aml" } });
    expect(await send(sink)).toEqual({ result: "delivered", status: 200, excerpt: "thanks" });
    expect(seen).toMatchObject({
      method: "POST",
      url: "/hooks/path-canary?key=query-canary",
      headers: {
        authorization: "Bearer abc",
        "x-team": "aml",
        "content-type": "application/json",
        "user-agent": "heistwatch/1.2.3",
        "webhook-id": "msg_1",
      },
    });
  });

  test("connections are kept and reused, and never more than configured", async () => {
    let open = 0;
    let openMost = 0;
    const { port, sockets } = await http((_request, response) => {
      openMost = Math.max(openMost, ++open);
      setTimeout(() => response.end("ok", () => (open -= 1)), 20);
    });
    const one = sinkTo(port, { concurrency: 1 });
    for (let round = 0; round < 5; round += 1) await send(one);
    expect(sockets.size).toBe(1);
    sockets.clear();
    const sink = sinkTo(port, { concurrency: 2 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => send(sink)));
    expect(outcomes.every(({ result }) => result === "delivered")).toBe(true);
    expect(sockets.size).toBe(2);
    expect(openMost).toBe(2);
  });
});

describe("an answer", () => {
  test.each([200, 201, 202, 204, 299])("%i is delivered", async (status) => {
    const { port } = await http((_request, response) => response.writeHead(status).end());
    expect(await send(sinkTo(port))).toMatchObject({ result: "delivered", status });
  });

  test.each([400, 401, 403, 404, 408, 409, 422, 500, 502, 503, 504, 599])("%i is tried again", async (status) => {
    const { port } = await http((_request, response) => response.writeHead(status).end("why"));
    expect(await send(sinkTo(port))).toEqual({
      result: "retry",
      status,
      error: `answered ${status}`,
      afterMs: null,
      excerpt: "why",
    });
  });

  test("410 is rejected: a person must look", async () => {
    const { port } = await http((_request, response) => response.writeHead(410).end("gone"));
    expect(await send(sinkTo(port))).toEqual({
      result: "rejected",
      status: 410,
      error: "answered 410: the receiver is gone",
      excerpt: "gone",
    });
  });

  test.each([
    [429, "7", 7_000],
    [503, "Sun, 22 Nov 2026 10:02:00 GMT", 120_000],
    [429, "-5", null],
    [503, "NaN", null],
    [429, "1e99", null],
    [503, "99999999999999999999", 31_536_000_000],
  ])("%i with Retry-After %p asks for %p ms", async (status, header, afterMs) => {
    const { port } = await http((_request, response) => response.writeHead(status, { "retry-after": header }).end());
    expect(await send(sinkTo(port))).toEqual(retryWith(status, `answered ${status}`, afterMs));
  });

  test("an answer that echoes our request gives no key away", async () => {
    const { port } = await http((request, response) => {
      response.end(`${request.url} ${JSON.stringify(request.headers)} ${request.headers.host}`);
    });
    const sink = sinkTo(port, { headers: { authorization: "Bearer header-canary", "x-api-key": "second-canary" } });
    const { excerpt } = await send(sink);
    expect(excerpt).toContain("webhook-id");
    expect(excerpt).not.toContain("canary");
  });

  test("10 MB are neither read nor waited for", async () => {
    let sentAll: boolean | null = null;
    const closed = Promise.withResolvers<void>();
    const { port } = await http((_request, response) => {
      response.on("close", () => {
        sentAll = response.writableFinished;
        closed.resolve();
      });
      response.end(Buffer.alloc(10_000_000, 97));
    });
    const { value, tookMs } = await timed(send(sinkTo(port)));
    expect(value).toEqual({ result: "delivered", status: 200, excerpt: "a".repeat(500) });
    expect(tookMs).toBeLessThan(2_000);
    await closed.promise;
    expect(sentAll).toBe(false);
  });
});

describe("a redirect is never followed", () => {
  test.each([301, 302, 303, 307, 308])("%i to another server", async (status) => {
    let requests = 0;
    const other = await http((_request, response) => {
      requests += 1;
      response.end();
    });
    const location = `http://127.0.0.1:${other.port}/stolen?key=location-canary`;
    const { port } = await http((_request, response) => response.writeHead(status, { location }).end());
    const error =
      `answered ${status} and pointed to http://127.0.0.1:${other.port}/…: ` +
      "redirects are never followed, configure the final URL";
    expect(await send(sinkTo(port))).toEqual(retryWith(status, error));
    expect(requests).toBe(0);
    expect(other.sockets.size).toBe(0);
  });

  test.each([
    ["/elsewhere?key=location-canary", (port: number) => `http://127.0.0.1:${port}/…`],
    ["http://[bad", () => "(not a URL)"],
    ["javascript:alert(1)", () => "javascript:///…"],
  ])("Location %p", async (location, shown) => {
    const { port } = await http((_request, response) => response.writeHead(302, { location }).end());
    const error = `answered 302 and pointed to ${shown(port)}: redirects are never followed, configure the final URL`;
    expect(await send(sinkTo(port))).toEqual(retryWith(302, error));
  });

  test("a 3xx that points nowhere is an answer like another", async () => {
    const { port } = await http((_request, response) => response.writeHead(304).end());
    expect(await send(sinkTo(port))).toEqual(retryWith(304, "answered 304"));
  });
});

test("a private address that is not listed is refused with the way out, and nothing is lost", async () => {
  const { port, sockets } = await http((_request, response) => response.end());
  const error =
    "refused to connect to 127.0.0.1: loopback; " +
    "list its network in allowNetworks of the sink if the receiver is meant to be there";
  expect(await send(sinkTo(port, { allowNetworks: [] }))).toEqual(retryWith(null, error));
  expect(sockets.size).toBe(0);
});

test("a message that cannot be signed is a bug of ours and is thrown", async () => {
  await expect(send(sinkTo(1), { webhookId: "with.dot" })).rejects.toThrow("assertion failed");
});

test("no outcome of any failing send shows path, query or secrets", async () => {
  const { port } = await tcp((socket) => socket.end("HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n"));
  for (const over of [{}, { url: "https://127.0.0.1:1/path-canary?key=query-canary" }, { allowNetworks: [] }]) {
    const text = JSON.stringify(await send(sinkTo(port, { ...over, headers: { authorization: "Bearer canary-x" } })));
    expect(text).not.toContain("canary");
    expect(text).not.toContain(NEW.slice(6));
  }
});
