/**
 * JSON-RPC over HTTP to one node: capped, timed, checked.
 * Every answer is hostile until its envelope was checked; an error answer is never "nothing".
 */
import { Agent, request } from "undici";
import { AppError, describeError } from "../../lib/errors.ts";
import { hideKeysOf, redactText, redactUrl } from "../../lib/redact.ts";
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

export interface RpcClient {
  /** The `result` of one call, `null` included. Throws RpcError on anything but a well-formed result. */
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

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
  let nextId = 1;
  return {
    async call(method, params, signal) {
      const release = await options.gate.enter(signal);
      const id = nextId++;
      try {
        const result = await post({ agent, options, method, params, signal, id });
        options.onRequest?.(method, "ok");
        return result;
      } catch (error) {
        options.onRequest?.(method, "error");
        throw error;
      } finally {
        release();
      }
    },
    close: () => agent.destroy(),
  };
}

interface Post {
  readonly agent: Agent;
  readonly options: RpcClientOptions;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly signal: AbortSignal;
  readonly id: number;
}

async function post({ agent, options, method, params, signal, id }: Post): Promise<unknown> {
  const details = { node: options.name, method, url: redactUrl(options.url) };
  let status: number;
  let text: string;
  try {
    const response = await request(options.url, {
      dispatcher: agent,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
    });
    status = response.statusCode;
    text = await response.body.text();
  } catch (error) {
    const why = hideKeysOf(options.url, redactText(describeError(error)));
    throw new RpcError(`node ${options.name} did not answer ${method}: ${why}`, {
      cause: error,
      details,
    });
  }
  return resultOf({ text, status, id, options, method, details });
}

interface Envelope {
  readonly text: string;
  readonly status: number;
  readonly id: number;
  readonly options: RpcClientOptions;
  readonly method: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function resultOf({ text, status, id, options, method, details }: Envelope): unknown {
  const node = options.name;
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new RpcError(`node ${node} answered ${method} with HTTP ${status} and no JSON`, { cause: error, details });
  }
  if (typeof answer !== "object" || answer === null)
    throw new RpcError(`node ${node} answered ${method} with no object`, { details });
  const { error, result, id: answeredId } = answer as { error?: unknown; result?: unknown; id?: unknown };
  if (error !== undefined && error !== null) throw rpcErrorOf(error, { options, method, details });
  if (answeredId !== id) throw new RpcError(`node ${node} answered ${method} with another request's id`, { details });
  if (result === undefined)
    throw new RpcError(`node ${node} answered ${method} with HTTP ${status} and no result`, { details });
  return result;
}

function rpcErrorOf(
  error: unknown,
  { options, method, details }: Pick<Envelope, "options" | "method" | "details">,
): RpcError {
  const { code, message } = (typeof error === "object" ? error : {}) as { code?: unknown; message?: unknown };
  // Providers quote the key they refuse.
  const text = typeof message === "string" ? hideKeysOf(options.url, redactText(message)).slice(0, 300) : "no message";
  const rpcCode = typeof code === "number" ? { rpcCode: code } : {};
  return new RpcError(`node ${options.name} refused ${method}: ${text}`, {
    details: { ...details, ...rpcCode },
    ...rpcCode,
  });
}
