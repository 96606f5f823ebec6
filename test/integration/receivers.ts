/** Receivers that live for one test, and a webhook sink pointed at them. */
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, expect } from "@jest/globals";
import type { HttpSinkDeps } from "../../src/deliver/http-sink.ts";
import { createWebhookSink } from "../../src/deliver/sinks/webhook.ts";
import type { WebhookSinkConfig } from "../../src/types/config.ts";
import type { Sink, SinkMessage } from "../../src/types/sink.ts";

export const OLD = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
export const NEW = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
export const NOW = Date.UTC(2026, 10, 22, 10, 0, 0);

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Starts a server on a free port of 127.0.0.1 that is gone, with its sockets, when the test ends. */
export async function listen(server: Server): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

export const http = (answer: RequestListener) => listen(createHttpServer(answer));
/** A receiver below HTTP: `serve` runs once the request has begun to arrive. */
export const tcp = (serve: (socket: Socket) => void) =>
  listen(createTcpServer((socket) => void socket.once("data", () => serve(socket))));

export function sinkTo(port: number, over: Partial<WebhookSinkConfig> = {}, deps: Partial<HttpSinkDeps> = {}): Sink {
  const config: WebhookSinkConfig = {
    kind: "webhook",
    name: "siem",
    url: `http://127.0.0.1:${port}/hooks/path-canary?key=query-canary`,
    secrets: [NEW],
    timeoutMs: 5_000,
    concurrency: 4,
    headers: {},
    allowNetworks: ["127.0.0.0/8"],
    allowHttp: true,
    ...over,
  };
  const sink = createWebhookSink(config, { version: "1.2.3", now: () => NOW, ...deps });
  closers.push(() => sink.close());
  return sink;
}

export const message = (over: Partial<SinkMessage> = {}): SinkMessage => ({
  webhookId: "msg_1",
  type: "alert.created",
  severity: "critical",
  body: '{"type":"alert.created"}',
  timestamp: Math.floor(Date.now() / 1_000),
  ...over,
});

export const send = (sink: Sink, over: Partial<SinkMessage> = {}) =>
  sink.send(message(over), new AbortController().signal);

/** How long `work` took, beside what it answered. */
export async function timed<T>(work: Promise<T>): Promise<{ value: T; tookMs: number }> {
  const startedAt = performance.now();
  const value = await work;
  return { value, tookMs: performance.now() - startedAt };
}

export const retryWith = (status: number | null, error: string, afterMs: number | null = null) =>
  expect.objectContaining({ result: "retry", status, error, afterMs });
