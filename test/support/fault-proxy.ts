/**
 * A proxy in front of a JSON-RPC node that can be every kind of bad: slow, cut off, half open, truncating, corrupting, and
 * lying, by method or by who asks. Faults change while it runs. Every request is counted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
  /** Address of the client's end. */
  readonly client: string;
}

/** The node's result in, what is told out, or a promise of it. */
export type Lie = (result: unknown, call: RpcCall) => unknown;

export interface Faults {
  readonly latencyMs?: number;
  /** `reset`: the connection is cut. `halfOpen`: taken, never answered. `refuse`: HTTP 503. */
  readonly down?: "reset" | "halfOpen" | "refuse";
  /** Only so many bytes of each answer, then the connection is cut. */
  readonly truncateTo?: number;
  /** One byte in the middle of the answers to these methods is another. */
  readonly corrupt?: (method: string) => boolean;
  readonly lie?: Lie;
  /** Only clients of this address are lied to. */
  readonly lieTo?: string;
}

export interface FaultProxy {
  readonly url: string;
  /** In place of the faults before. */
  set(faults: Faults): void;
  /** Another node behind it. */
  pointTo(url: string): void;
  /** Requests so far, answered or not. */
  requests(): number;
  stop(): Promise<void>;
}

export async function startFaultProxy(nodeUrl: string): Promise<FaultProxy> {
  let target = nodeUrl;
  let faults: Faults = {};
  let requests = 0;

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    requests += 1;
    const now = faults;
    const body = await textOf(incoming);
    if (now.down === "reset") return void incoming.socket.resetAndDestroy();
    if (now.down === "halfOpen") return;
    if (now.down === "refuse") return void outgoing.writeHead(503).end("busy");
    const answer = await ask(target, body, { faults: now, client: incoming.socket.remoteAddress ?? "" });
    if (now.latencyMs !== undefined) await new Promise((resolve) => setTimeout(resolve, now.latencyMs));
    const bytes = Buffer.from(now.corrupt?.(methodOf(body)) === true ? corrupted(answer) : answer);
    outgoing.writeHead(200, { "content-type": "application/json", "content-length": bytes.length });
    if (now.truncateTo === undefined) return void outgoing.end(bytes);
    outgoing.write(bytes.subarray(0, now.truncateTo), () => incoming.socket.destroy());
  }

  const server: Server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next) {
      faults = next;
    },
    pointTo(url) {
      target = url;
    },
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function ask(url: string, body: string, { faults, client }: { faults: Faults; client: string }): Promise<string> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  const text = await response.text();
  const { lie, lieTo } = faults;
  if (lie === undefined || (lieTo !== undefined && !client.endsWith(lieTo))) return text;
  const { method, params } = JSON.parse(body) as { method: string; params: readonly unknown[] };
  const answer = JSON.parse(text) as { result?: unknown };
  return JSON.stringify({ ...answer, result: await lie(answer.result, { method, params, client }) });
}

/** A digit of the hash, bloom or signature in the middle: the envelope stays whole. A short answer has none, and breaks. */
function corrupted(text: string): string {
  const middle = text.length / 2;
  const long = [...text.matchAll(/0x[0-9a-f]{40,}/g)].find(({ index, 0: digits }) => index + digits.length > middle);
  const place = long === undefined ? Math.floor(middle) : long.index + Math.floor(long[0].length / 2);
  return `${text.slice(0, place)}${text[place] === "0" ? "1" : "0"}${text.slice(place + 1)}`;
}

function methodOf(body: string): string {
  return (JSON.parse(body) as { method: string }).method;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
