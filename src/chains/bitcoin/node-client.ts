/**
 * One node of the Bitcoin Core family over HTTP: JSON-RPC 2.0 and the binary REST resources, on kept connections.
 * Public operations only. The exchange's own traffic comes first: few requests under way, and a full queue is given time.
 */
import { describeError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import { sleep } from "../../lib/sleep.ts";
import { createHttpExchange, type HttpReply, type HttpRequest } from "../http-exchange.ts";
import type { RequestGate } from "../../lib/request-gate.ts";
import { type Asked, detailsOf, parseAnswer, resultIn, RpcError } from "../rpc-envelope.ts";
import type { Credentials } from "./credentials.ts";
import { NodeStateError } from "./node-state-error.ts";

export interface NodeClientOptions {
  readonly name: string;
  readonly url: string;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
  readonly gate: RequestGate;
  /** Called once per request with its outcome, for metrics. */
  readonly onRequest?: (method: string, outcome: "ok" | "error") => void;
}

/** `found: false`: HTTP 400 or 404 with the node's words; no words at all: the node does not know such a path. */
export type RestReply =
  | {
      readonly found: true;
      readonly bytes: Uint8Array;
      /** Gives the bytes back: a later answer overwrites them. */
      release(): void;
    }
  | { readonly found: false; readonly why: string };

export interface NodeClient {
  readonly name: string;
  /** The `result` of one call. Throws RpcError, or NodeStateError where the node is not able to answer now. */
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /** Several calls of one method in one request: a result or an error each, in order. */
  callMany(method: string, params: readonly (readonly unknown[])[], signal: AbortSignal): Promise<unknown[]>;
  /** `path` below `/rest/`, for example `block/<hash>.bin`. */
  rest(path: string, signal: AbortSignal): Promise<RestReply>;
  close(): Promise<void>;
}

// A block is at most 4 MB, as JSON with its prevouts some 13 MB and rarely more; what inputs spent may be far larger than
// the block, if somebody prepared for it for months. 256 MB leaves room and bounds memory.
const MAX_BODY_BYTES = 256 * 1024 * 1024;
// The node closes an idle connection after 30 s (-rpcservertimeout).
const KEEP_ALIVE_MS = 15_000;
// A full queue is usually empty within a second; whoever waits keeps its place, so that nobody else asks meanwhile.
const BUSY_WAITS_MS = [100, 400, 1_600];
const RPC_STARTING = -28;
const IDS = 1_000_000_000;

export function createNodeClient(options: NodeClientOptions): NodeClient {
  const { name, url, credentials, gate } = options;
  const { origin, pathname } = new URL(url);
  const root = pathname.replace(/\/+$/, "");
  const http = createHttpExchange({
    origin,
    timeoutMs: options.timeoutMs,
    maxBodyBytes: MAX_BODY_BYTES,
    keepAliveMs: KEEP_ALIVE_MS,
  });
  let nextId = 1;

  const ask = (method: string): Asked => {
    const id = nextId;
    nextId = (nextId % (IDS - 1)) + 1;
    return { node: name, url, method, id, hide: credentials.hide };
  };

  /** One request under the gate; `read` makes of its reply what the caller wants, and its failure is the request's. */
  async function exchange<T>(asked: Asked, request: HttpRequest, read: (reply: HttpReply) => T, signal: AbortSignal) {
    const leave = await gate.enter(signal);
    try {
      const answer = read(await answered(asked, request, signal));
      options.onRequest?.(asked.method, "ok");
      return answer;
    } catch (error) {
      options.onRequest?.(asked.method, "error");
      throw stateOf(error, name);
    } finally {
      leave();
    }
  }

  /** A reply that is neither "who are you" nor "not now". */
  async function answered(asked: Asked, request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    let renewed = false;
    for (let busy = 0; ; ) {
      const authorization = credentials.header();
      const headers = authorization === null ? request.headers : { ...request.headers, authorization };
      const reply = await send(asked, { ...request, headers }, signal);
      if (reply.status === 401 && !renewed && credentials.renew(authorization)) {
        // A restarted node has a new cookie.
        renewed = true;
        continue;
      }
      const refusal = refusalOf(reply, asked);
      if (refusal === null) return reply;
      const waitMs = BUSY_WAITS_MS[busy];
      if (refusal.state !== "busy" || waitMs === undefined) throw refusal;
      busy += 1;
      await sleep(waitMs * (0.5 + Math.random()), signal);
    }
  }

  async function send(asked: Asked, request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    try {
      return await http.send(request, signal);
    } catch (error) {
      const why = credentials.hide(redactText(describeError(error)));
      throw new RpcError(`node ${name} did not answer ${asked.method}: ${why}`, {
        cause: error,
        details: detailsOf(asked),
      });
    }
  }

  function post<T>(
    asked: Asked,
    { body, read }: { body: unknown; read: (answer: unknown, status: number) => T },
    signal: AbortSignal,
  ): Promise<T> {
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", path: `${root}/`, headers, body: JSON.stringify(body) } as const;
    return exchange(
      asked,
      request,
      (reply) => {
        const text = reply.body.bytes().toString("utf8");
        reply.body.release();
        return read(parseAnswer(text, reply.status, asked), reply.status);
      },
      signal,
    );
  }

  return {
    name,
    call(method, params, signal) {
      const asked = ask(method);
      const body = { jsonrpc: "2.0", id: asked.id, method, params };
      return post(asked, { body, read: (answer, status) => resultIn(answer, status, asked) }, signal);
    },
    async callMany(method, params, signal) {
      if (params.length === 0) return [];
      const all = params.map((one) => ({ one, asked: ask(method) }));
      const whole = ask(method);
      const body = all.map(({ one, asked }) => ({ jsonrpc: "2.0", id: asked.id, method, params: one }));
      const read = (answer: unknown, status: number) => {
        // Not a list: the batch was refused as a whole, and the refusal says why.
        if (!Array.isArray(answer)) throw notMany(answer, status, whole);
        const byId = new Map(answer.map((one: unknown) => [(one as { id?: unknown } | null)?.id, one]));
        return all.map(({ asked }) => resultOrError(byId.get(asked.id), status, asked));
      };
      return post(whole, { body, read }, signal);
    },
    rest(path, signal) {
      const asked = ask(`rest/${path.split("/", 1)[0] ?? ""}`);
      const request = { method: "GET", path: `${root}/rest/${path}`, headers: {} } as const;
      return exchange(asked, request, (reply) => restReply(reply, asked), signal);
    },
    close: () => http.close(),
  };
}

function restReply({ status, body }: HttpReply, asked: Asked): RestReply {
  if (status === 200) return { found: true, bytes: body.bytes(), release: () => body.release() };
  const why = textOf(body, asked);
  if (status === 404 || status === 400) return { found: false, why };
  throw new RpcError(`node ${asked.node} answered ${asked.method} with HTTP ${status}`, { details: detailsOf(asked) });
}

/** What the node says in place of an answer; null: it answered. */
function refusalOf({ status, body }: HttpReply, asked: Asked): NodeStateError | null {
  if (status === 401)
    return new NodeStateError(
      "refused",
      `node ${asked.node} refuses the credentials: check user and password, or cookieFile`,
    );
  if (status === 403)
    return new NodeStateError(
      "refused",
      `node ${asked.node} does not allow ${asked.method}: check rpcallowip and rpcwhitelist of the node`,
    );
  if (status !== 503) return null;
  const said = textOf(body, asked);
  if (/work queue/i.test(said))
    return new NodeStateError("busy", `node ${asked.node} has a full work queue (rpcworkqueue): it is asked less`);
  return new NodeStateError("starting", `node ${asked.node} is starting: ${said}`);
}

/** -28 has many texts. */
function stateOf(error: unknown, name: string): unknown {
  if (!(error instanceof RpcError) || error.rpcCode !== RPC_STARTING) return error;
  return new NodeStateError("starting", `node ${name} is starting: ${error.message}`);
}

function resultOrError(answer: unknown, status: number, asked: Asked): unknown {
  try {
    return resultIn(answer, status, asked);
  } catch (error) {
    return stateOf(error, asked.node);
  }
}

function notMany(answer: unknown, status: number, asked: Asked): unknown {
  const error = resultOrError(answer, status, asked);
  if (error instanceof Error) return error;
  return new RpcError(`node ${asked.node} gave one answer for several calls of ${asked.method}`, {
    details: detailsOf(asked),
  });
}

function textOf(body: HttpReply["body"], { hide }: Asked): string {
  const text = hide(redactText(body.bytes().toString("utf8", 0, 2_000)))
    .replace(/\s+/g, " ")
    .trim();
  body.release();
  return text.slice(0, 300);
}
