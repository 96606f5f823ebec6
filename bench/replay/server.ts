/**
 * The replay node's own process: HTTP (keep-alive, batches) and WebSocket (newHeads) on one port of this machine.
 * Ends when its parent does. Started by `startReplayNode`, or by hand:
 *
 *     node bench/replay/server.ts '{"chain":{"blocks":400,"seed":1}}'
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { DEFAULT_CHAIN, ensureChain, type ChainSource } from "./generate.ts";
import { createHeadClock } from "./head-clock.ts";
import { type Chunks, createRpcMethods, RpcFault, type RpcMethods } from "./rpc-methods.ts";
import { openChain } from "./served-chain.ts";

export interface ServerOptions {
  readonly chain?: ChainSource;
  /** Number of the first head; the last block when left out. */
  readonly head?: number;
  /** Any free port when left out. */
  readonly port?: number;
}

export interface ServerReady {
  readonly port: number;
}

const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

async function serve(options: ServerOptions): Promise<void> {
  const chain = openChain(ensureChain(options.chain ?? DEFAULT_CHAIN));
  const last = chain.blocks.length - 1;
  const subscribers = new Map<WebSocket, string[]>();
  const clock = createHeadClock({
    start: options.head === undefined ? last : (chain.placeOfNumber(options.head) ?? last),
    last,
    tell(place) {
      const block = chain.blocks[place];
      if (block === undefined) return;
      const head = chain.bytesOf(block.head).toString("latin1");
      for (const [socket, ids] of subscribers) for (const id of ids) socket.send(notification(id, head));
    },
  });
  const methods = createRpcMethods(chain, clock);
  const server = createServer((request, response) => {
    void answerHttp(methods, request, response);
  });
  server.keepAliveTimeout = 60_000;
  const webSockets = new WebSocketServer({ server, maxPayload: REQUEST_BYTES_MAX });
  webSockets.on("connection", (socket) => serveSocket(socket, methods, subscribers));
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const ready: ServerReady = { port: (server.address() as AddressInfo).port };
  if (process.send === undefined) console.log(`http://127.0.0.1:${ready.port}`);
  else process.send(ready);
}

function notification(subscription: string, head: string): string {
  return `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${subscription}","result":${head}}}`;
}

async function answerHttp(methods: RpcMethods, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > REQUEST_BYTES_MAX) {
      request.destroy();
      return;
    }
  }
  const answer = answerText(methods, Buffer.concat(chunks).toString());
  const length = answer.reduce((sum, chunk) => sum + chunk.length, 0);
  response.writeHead(200, { "content-type": "application/json", "content-length": length });
  response.cork();
  for (const chunk of answer) response.write(chunk);
  response.end();
  response.uncork();
}

function answerText(methods: RpcMethods, text: string): Chunks {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return fault(null, new RpcFault(-32_700, "no JSON"));
  }
  if (!Array.isArray(request)) return answerOne(methods, request);
  const answers = request.map((one) => answerOne(methods, one));
  return [
    Buffer.from("["),
    ...answers.flatMap((answer, index) => (index === 0 ? answer : [Buffer.from(","), ...answer])),
    Buffer.from("]"),
  ];
}

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

function callOf(request: unknown): Call {
  const { id, method, params } = (request ?? {}) as { id?: unknown; method?: unknown; params?: unknown };
  return { id: id ?? null, method: String(method), params: Array.isArray(params) ? params : [] };
}

function answerOne(methods: RpcMethods, request: unknown): Chunks {
  const { id, method, params } = callOf(request);
  try {
    return wrapped(id, methods.resultOf(method, params));
  } catch (error) {
    return fault(id, error instanceof RpcFault ? error : new RpcFault(-32_603, String(error)));
  }
}

function wrapped(id: unknown, result: Chunks): Chunks {
  return [Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`), ...result, Buffer.from("}")];
}

function fault(id: unknown, { code, message }: RpcFault): Chunks {
  return [Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }))];
}

function serveSocket(socket: WebSocket, methods: RpcMethods, subscribers: Map<WebSocket, string[]>): void {
  let next = 1;
  socket.on("error", () => socket.terminate());
  socket.on("close", () => subscribers.delete(socket));
  socket.on("message", (data: Buffer) => {
    const text = data.toString();
    const answer = answerSubscription(text) ?? answerText(methods, text);
    socket.send(Buffer.concat(answer), { binary: false });
  });

  function answerSubscription(text: string): Chunks | null {
    if (!text.includes("subscribe")) return null;
    const { id, method, params } = callOf(JSON.parse(text));
    const ids = subscribers.get(socket) ?? [];
    if (method === "eth_subscribe") {
      if (params[0] !== "newHeads") return fault(id, new RpcFault(-32_602, "only newHeads"));
      const subscription = `0x${(next++).toString(16)}`;
      subscribers.set(socket, [...ids, subscription]);
      return wrapped(id, [Buffer.from(`"${subscription}"`)]);
    }
    if (method !== "eth_unsubscribe") return null;
    subscribers.set(
      socket,
      ids.filter((one) => one !== params[0]),
    );
    return wrapped(id, [Buffer.from(String(ids.includes(String(params[0]))))]);
  }
}

if (process.argv[1] === import.meta.filename) {
  process.on("disconnect", () => process.exit(0));
  await serve(JSON.parse(process.argv[2] ?? "{}") as ServerOptions);
}
