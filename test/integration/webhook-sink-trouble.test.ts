/**
 * Goal: whatever a receiver does, a webhook sink comes back in time and tells what happened in plain words.
 * Method: real servers on 127.0.0.1, each with one way to misbehave.
 */
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, test } from "@jest/globals";
import type { Sink } from "../../src/types/sink.ts";
import { http, listen, retryWith, send, sinkTo, tcp, timed } from "./receivers.ts";

// Self-signed for localhost, made for this test with openssl on 2026-11-22, valid for 100 years. Guards nothing.
const TLS = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjFwgIC2zooUv+ZH4
89n4S5RPjfHAPmQBE2InH4bjqtChRANCAASrE9rzUIFIMxXfbJJ9YJvZldpWR4vR
4+qJh+6nYPiAQlgtbzGnzprxLwcSrJsdR1t2+FtLBuZDRJCoL3/NVK6T
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUCEFAj3007SWfnF8AcXRJLW5hPIEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjEzMjEyNloYDzIxMjYxMDI5
MTMyMTI2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASrE9rzUIFIMxXfbJJ9YJvZldpWR4vR4+qJh+6nYPiAQlgtbzGnzprx
LwcSrJsdR1t2+FtLBuZDRJCoL3/NVK6To28wbTAdBgNVHQ4EFgQU6xuxQJd83eG9
8MsTbI+tVCHnWVYwHwYDVR0jBBgwFoAU6xuxQJd83eG98MsTbI+tVCHnWVYwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAIuN/zpZYnU6g9rOpn22+bc1zK3yBiyD3AGAHSXaO4COAiEA
izrtv54OZ5/oVw7B1/7GD3/njdfEkRbK0MIDFdo01ts=
-----END CERTIFICATE-----`,
};

/** Sends `text` a byte at a time, for ever slower than anyone would wait. */
function drip(socket: Socket, text: string): void {
  let sent = 0;
  const timer = setInterval(() => socket.write(text[sent++] ?? " "), 20);
  socket.on("close", () => clearInterval(timer));
}

describe("a slow receiver", () => {
  const timeoutMs = 300;
  const timedOut = retryWith(null, "timed out after 300 ms");
  // Generous for a busy machine, and far below every time the receivers below would take.
  const atMostMs = 2_000;

  async function expectTimeout(sink: Sink): Promise<void> {
    const { value, tookMs } = await timed(send(sink));
    expect(value).toEqual(timedOut);
    // Timers count from the start of the event loop's turn, so a busy turn shortens them a little.
    expect(tookMs).toBeGreaterThan(timeoutMs / 2);
    expect(tookMs).toBeLessThan(atMostMs);
  }

  test("that answers after 30 s is cut", async () => {
    const { port, sockets } = await http((_request, response) => {
      const timer = setTimeout(() => response.end(), 30_000);
      response.on("close", () => clearTimeout(timer));
    });
    await expectTimeout(sinkTo(port, { timeoutMs }));
    const [socket] = sockets;
    await new Promise((done) => (socket?.destroyed ? done(null) : socket?.once("close", done)));
  });

  test("that drips its headers is cut", async () => {
    const { port } = await tcp((socket) => drip(socket, `HTTP/1.1 200 OK\r\nx-long: ${"a".repeat(10_000)}`));
    await expectTimeout(sinkTo(port, { timeoutMs }));
  });

  test.each([
    [200, { result: "delivered", status: 200 }],
    [500, { result: "retry", status: 500, error: "answered 500" }],
  ])("that drips its body is cut, and what its status %i said counts", async (status, expected) => {
    const { port } = await tcp((socket) => {
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: 100000\r\n\r\nbegun `);
      drip(socket, "a".repeat(10_000));
    });
    const { value, tookMs } = await timed(send(sinkTo(port, { timeoutMs })));
    expect(value).toMatchObject({ ...expected, excerpt: expect.stringMatching(/^begun a*$/) });
    expect(tookMs).toBeLessThan(atMostMs);
  });

  test("that never finishes its TLS handshake is cut", async () => {
    const { port } = await tcp(() => undefined);
    await expectTimeout(sinkTo(port, { timeoutMs, url: `https://127.0.0.1:${port}/` }));
  });

  test("whose name is never resolved is cut", async () => {
    await expectTimeout(sinkTo(1, { timeoutMs, url: "http://hooks.example/" }, { resolve: () => undefined }));
  });

  test("does not hold up the send after it, once a connection is free", async () => {
    let requests = 0;
    const { port } = await http((_request, response) => {
      requests += 1;
      if (requests > 1) response.end();
    });
    const sink = sinkTo(port, { timeoutMs, concurrency: 1 });
    expect(await send(sink)).toEqual(timedOut);
    expect(await send(sink)).toMatchObject({ result: "delivered" });
  });
});

describe("a broken receiver", () => {
  test("that nobody runs: connection refused", async () => {
    const server = createTcpServer();
    const { port } = await listen(server);
    await new Promise((closed) => server.close(closed));
    expect(await send(sinkTo(port))).toEqual(retryWith(null, "connection refused"));
  });

  test("whose name does not exist", async () => {
    const error = Object.assign(new Error("getaddrinfo ENOTFOUND hooks.example"), { code: "ENOTFOUND" });
    const sink = sinkTo(1, { url: "http://hooks.example/" }, { resolve: (_host, answer) => answer(error, []) });
    expect(await send(sink)).toEqual(retryWith(null, "host name not found"));
  });

  test.each([
    ["before its answer", ""],
    ["within its status line", "HTTP/1.1 20"],
    ["within its headers", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: "],
  ])("that resets the connection %s", async (_name, begun) => {
    const { port } = await tcp((socket) => {
      socket.write(begun, () => setTimeout(() => socket.resetAndDestroy(), 20));
    });
    expect(await send(sinkTo(port))).toEqual(retryWith(null, "connection closed before an answer came"));
  });

  test("that resets within the body has said its status", async () => {
    const { port } = await tcp((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npart", () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      );
    });
    expect(await send(sinkTo(port))).toEqual({ result: "delivered", status: 200, excerpt: "part" });
  });

  test("that floods with interim answers is cut long before the clock", async () => {
    const { port } = await tcp((socket) => {
      const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(50)), 5);
      socket.on("close", () => clearInterval(timer));
    });
    const { value, tookMs } = await timed(send(sinkTo(port)));
    expect(value).toEqual(retryWith(null, "the receiver sends interim answers without end"));
    expect(tookMs).toBeLessThan(2_000);
  });

  test("that sends a few interim answers first is fine", async () => {
    const { port } = await tcp((socket) => {
      socket.end(`${"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`);
    });
    expect(await send(sinkTo(port))).toEqual({ result: "delivered", status: 200, excerpt: "ok" });
  });

  test.each([
    ["does not speak HTTP", "SSH-2.0-OpenSSH_9.9\r\n", /^the answer is not valid HTTP$/],
    ["sends endless headers", `HTTP/1.1 200 OK\r\nx: ${"a".repeat(100_000)}`, /^the answer's headers are too long$/],
    ["switches protocols", "HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", /./],
    ["frames its answer twice", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", /./],
  ])("that %s", async (_name, bytes, error) => {
    const { port } = await tcp((socket) => socket.write(bytes));
    const outcome = await send(sinkTo(port, { timeoutMs: 1_000 }));
    expect(outcome).toMatchObject({ result: "retry", status: null, error: expect.stringMatching(error) });
  });

  test("that speaks plain HTTP where TLS is expected", async () => {
    const { port } = await http((_request, response) => response.end());
    const outcome = await send(sinkTo(port, { url: `https://127.0.0.1:${port}/path-canary` }));
    expect(outcome).toMatchObject({ result: "retry", error: expect.stringMatching(/^TLS handshake failed \(/) });
  });

  test("whose certificate nobody vouches for gets no request", async () => {
    let requests = 0;
    const { port } = await listen(
      createTlsServer(TLS, (_request, response) => {
        requests += 1;
        response.end();
      }),
    );
    const outcome = await send(
      sinkTo(port, { url: `https://localhost:${port}/`, allowNetworks: ["127.0.0.0/8", "::1"] }),
    );
    expect(outcome).toEqual(retryWith(null, "TLS certificate not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)"));
    expect(requests).toBe(0);
  });
});
