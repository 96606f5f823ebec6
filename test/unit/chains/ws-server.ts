/** A node's WebSocket side. The server comes from `ws`, which ethers brings along; the product itself does not use it. */
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

export interface WsSocket {
  send(text: string | Uint8Array): void;
  close(): void;
  terminate(): void;
  on(event: "message", listener: (data: Uint8Array) => void): void;
  on(event: "error" | "close", listener: () => void): void;
}

interface WsServer {
  readonly clients: Set<WsSocket>;
  on(event: "connection", listener: (socket: WsSocket) => void): void;
  once(event: "listening", listener: () => void): void;
  address(): AddressInfo;
  close(done: () => void): void;
}

const { WebSocketServer } = createRequire(import.meta.url)("ws") as {
  WebSocketServer: new (options: { port: number; host: string }) => WsServer;
};

export interface HeadServer {
  readonly url: string;
  /** Every connection so far, with the requests it sent. */
  readonly connections: { socket: WsSocket; requests: { id: number; method: string; params: unknown[] }[] }[];
  close(): Promise<void>;
}

export const WS_CANARY = "canary-ws-key-5f1c";

/** Calls `onRequest` for everything a client sends. */
export async function startHeadServer(
  onRequest: (socket: WsSocket, request: { id: number; method: string }) => void,
): Promise<HeadServer> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise<void>((listening) => server.once("listening", listening));
  const connections: HeadServer["connections"] = [];
  server.on("connection", (socket) => {
    const requests: HeadServer["connections"][number]["requests"] = [];
    connections.push({ socket, requests });
    socket.on("error", () => undefined);
    socket.on("message", (data) => {
      const request = JSON.parse(Buffer.from(data).toString()) as (typeof requests)[number];
      requests.push(request);
      onRequest(socket, request);
    });
  });
  return {
    url: `ws://127.0.0.1:${server.address().port}/v3/${WS_CANARY}`,
    connections,
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise<void>((closed) => server.close(closed));
    },
  };
}

export function subscribed(socket: WsSocket, { id }: { id: number }): void {
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: "0xabc" }));
}

export function head(number = 1): string {
  const params = { subscription: "0xabc", result: { number: `0x${number.toString(16)}` } };
  return JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params });
}
