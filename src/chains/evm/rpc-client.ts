/**
 * JSON-RPC over HTTP to one node: capped, timed, checked.
 * Every answer is hostile until its envelope was checked; an error answer is never "nothing".
 */
import { Agent, type Dispatcher } from "undici";
import { AppError, describeError } from "../../lib/errors.ts";
import { hideKeysOf, redactText, redactUrl } from "../../lib/redact.ts";
import { type Body, type BufferPool, createBufferPool } from "./buffer-pool.ts";
import type { RequestGate } from "./request-gate.ts";

export class RpcError extends AppError {
  override readonly code: string = "rpc";
  override readonly retryable = true;
  /** The node's own error code, when it answered with one. */
  readonly rpcCode: number | null;

  constructor(
    message: string,
    options: { cause?: unknown; details: Readonly<Record<string, unknown>>; rpcCode?: number },
  ) {
    super(message, options);
    this.rpcCode = options.rpcCode ?? null;
  }
}

export interface RpcClientOptions {
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly gate: RequestGate;
  /** Called once per request with its outcome, for metrics. */
  readonly onRequest?: (method: string, outcome: "ok" | "error") => void;
}

/** The body of one answer as it came, of any content: for readers of bytes. */
export interface RpcAnswer {
  /** Of the request; a well-formed answer repeats it. Below 10^9. */
  readonly id: number;
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
  /** Parses the answer: its `result`, `null` included. Throws RpcError on anything but a well-formed result. */
  result(): unknown;
  /** Gives the bytes back: they are overwritten by a later answer. Optional, once, and nothing is read afterwards. */
  release(): void;
}

export interface RpcClient {
  /** The `result` of one call, `null` included. Throws RpcError on anything but a well-formed result. */
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /** The answer of one call, not looked into. Throws RpcError when there is none. */
  ask(method: string, params: readonly unknown[], signal: AbortSignal): Promise<RpcAnswer>;
  close(): Promise<void>;
}

/** For those who ask one call at a time. */
export type RpcCaller = Pick<RpcClient, "call">;

// Ids stay short enough for every reader.
const IDS = 1_000_000_000;

/** -32601 by JSON-RPC; -32600 and a text by some providers. */
export function isMethodMissing(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  return (
    error.rpcCode === -32601 || /method not found|not supported|does not exist|unsupported method/i.test(error.message)
  );
}

export function createRpcClient(options: RpcClientOptions): RpcClient {
  const agent = new Agent({
    connections: 64,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    maxResponseSize: options.maxBodyBytes,
  });
  const { origin, pathname, search, username, password } = new URL(options.url);
  // The user part of a URL is not part of a request line: it becomes the header it stands for.
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const headers = {
    "content-type": "application/json",
    ...(username === "" ? {} : { authorization: `Basic ${credentials}` }),
  };
  const request = { origin, path: `${pathname}${search}`, method: "POST", headers } as const;
  const buffers = createBufferPool();
  let nextId = 1;

  /** One request under the gate; `read` makes of its answer what the caller wants, and its failure is the request's. */
  async function exchange<T>(
    { method, params, signal }: { method: string; params: readonly unknown[]; signal: AbortSignal },
    read: (answer: RpcAnswer) => T,
  ): Promise<T> {
    const release = await options.gate.enter(signal);
    const id = nextId;
    nextId = (nextId % (IDS - 1)) + 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    try {
      const reply = await post({ agent, buffers, request: { ...request, body }, options, method, signal });
      const answer = read(answerOf(reply, { id, options, method }));
      options.onRequest?.(method, "ok");
      return answer;
    } catch (error) {
      options.onRequest?.(method, "error");
      throw error;
    } finally {
      release();
    }
  }

  return {
    call: (method, params, signal) =>
      exchange({ method, params, signal }, (answer) => {
        const result = answer.result();
        answer.release();
        return result;
      }),
    ask: (method, params, signal) => exchange({ method, params, signal }, (answer) => answer),
    close: () => agent.destroy(),
  };
}

interface Reply {
  readonly status: number;
  readonly body: Body;
}

interface Post {
  readonly agent: Agent;
  readonly buffers: BufferPool;
  readonly request: Dispatcher.DispatchOptions;
  readonly options: RpcClientOptions;
  readonly method: string;
  readonly signal: AbortSignal;
}

async function post({ agent, buffers, request, options, method, signal }: Post): Promise<Reply> {
  try {
    return await dispatch(agent, request, { buffers, signal, timeoutMs: options.timeoutMs });
  } catch (error) {
    const why = hideKeysOf(options.url, redactText(describeError(error)));
    throw new RpcError(`node ${options.name} did not answer ${method}: ${why}`, {
      cause: error,
      details: detailsOf(options, method),
    });
  }
}

function detailsOf({ name, url }: RpcClientOptions, method: string): Readonly<Record<string, unknown>> {
  return { node: name, method, url: redactUrl(url) };
}

/**
 * undici's own `dispatch`: what arrives is copied into a buffer that is used again, and neither joined nor decoded. Kept
 * as it comes it would cost the collector three times as much.
 */
function dispatch(
  agent: Agent,
  request: Dispatcher.DispatchOptions,
  { buffers, signal, timeoutMs }: { buffers: BufferPool; signal: AbortSignal; timeoutMs: number },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const body = buffers.take();
    let status = 0;
    let controller: Dispatcher.DispatchController | null = null;
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const giveUp = (reason: Error) => {
      controller?.abort(reason);
      settle(() => reject(reason));
    };
    const onAbort = () => giveUp(asError(signal.reason));
    const timer = setTimeout(() => giveUp(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    agent.dispatch(request, {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) started.abort(asError(signal.reason));
      },
      onResponseStart(_controller, statusCode) {
        status = statusCode;
      },
      onResponseData(_controller, chunk) {
        body.add(chunk);
      },
      onResponseEnd: () => settle(() => resolve({ status, body })),
      onResponseError: (_controller, error) => settle(() => reject(error)),
    });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function answerOf({ status, body }: Reply, asked: Asked): RpcAnswer {
  const bytes = body.bytes();
  return {
    id: asked.id,
    chunks: [bytes],
    byteLength: bytes.length,
    result: () => resultOf(bytes.toString("utf8"), status, asked),
    release: () => body.release(),
  };
}

interface Asked {
  readonly id: number;
  readonly options: RpcClientOptions;
  readonly method: string;
}

function resultOf(text: string, status: number, { id, options, method }: Asked): unknown {
  const refuse = (problem: string, cause?: unknown) =>
    new RpcError(`node ${options.name} answered ${method} with ${problem}`, {
      cause,
      details: detailsOf(options, method),
    });
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw refuse(`HTTP ${status} and no JSON`, error);
  }
  if (typeof answer !== "object" || answer === null) throw refuse("no object");
  const { error, result, id: answeredId } = answer as { error?: unknown; result?: unknown; id?: unknown };
  if (error !== undefined && error !== null) throw rpcErrorOf(error, options, method);
  if (answeredId !== id) throw refuse("another request's id");
  if (result === undefined) throw refuse(`HTTP ${status} and no result`);
  return result;
}

function rpcErrorOf(error: unknown, options: RpcClientOptions, method: string): RpcError {
  const { code, message } = (typeof error === "object" ? error : {}) as { code?: unknown; message?: unknown };
  // Providers quote the key they refuse.
  const text = typeof message === "string" ? hideKeysOf(options.url, redactText(message)).slice(0, 300) : "no message";
  const rpcCode = typeof code === "number" ? { rpcCode: code } : {};
  return new RpcError(`node ${options.name} refused ${method}: ${text}`, {
    details: { ...detailsOf(options, method), ...rpcCode },
    ...rpcCode,
  });
}
