/** A node's HTTP side on 127.0.0.1 that answers as the test says. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface RpcServer {
  /** Holds a key in user, path and query. */
  readonly url: string;
  readonly calls: RpcCall[];
  close(): Promise<void>;
}

export const CANARIES = ["canary-user-5f1c", "canary-pass-5f1c", "canary-path-5f1c", "canary-query-5f1c"] as const;

export async function startRpcServer(answer: (call: RpcCall, response: ServerResponse) => unknown): Promise<RpcServer> {
  const calls: RpcCall[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const call = JSON.parse(body) as RpcCall;
      calls.push(call);
      answer(call, response);
    });
  });
  // A test that computes for seconds would find its connection closed under it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const [user, pass, path, query] = CANARIES;
  return {
    url: `http://${user}:${pass}@127.0.0.1:${port}/v3/${path}?apikey=${query}`,
    calls,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Answers with a JSON-RPC result. */
export function result(call: RpcCall, response: ServerResponse, value: unknown): void {
  response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: value }));
}
