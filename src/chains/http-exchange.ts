/** Requests to one node over kept connections: capped, timed, the body read into a buffer that is used again. */
import { Agent, type Dispatcher } from "undici";
import { type Body, type BufferPool, createBufferPool } from "./buffer-pool.ts";

export interface HttpExchangeOptions {
  readonly origin: string;
  readonly timeoutMs: number;
  /** A longer body is given up, and the connection with it. */
  readonly maxBodyBytes: number;
  /** An idle connection is closed after this long: sooner than the node closes it, or a request meets the closing. */
  readonly keepAliveMs: number;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpReply {
  readonly status: number;
  readonly body: Body;
}

export interface HttpExchange {
  /** The whole reply, of any status; redirects are not followed. Throws when there is none, and when aborted. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  close(): Promise<void>;
}

export function createHttpExchange(options: HttpExchangeOptions): HttpExchange {
  const agent = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: options.keepAliveMs });
  const buffers = createBufferPool();
  return {
    send: (request, signal) => dispatch(agent, { ...request, origin: options.origin }, { ...options, buffers, signal }),
    close: () => agent.destroy(),
  };
}

interface Limits {
  readonly buffers: BufferPool;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/**
 * undici's own `dispatch`: what arrives is copied into a buffer that is used again, and neither joined nor decoded. Kept
 * as it comes it would cost the collector three times as much.
 */
function dispatch(
  agent: Agent,
  request: Dispatcher.DispatchOptions,
  { buffers, signal, timeoutMs, maxBodyBytes }: Limits,
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const body = buffers.take();
    let status = 0;
    let received = 0;
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
        received += chunk.length;
        if (received > maxBodyBytes) giveUp(new Error(`the answer is longer than ${maxBodyBytes} bytes`));
        else body.add(chunk);
      },
      onResponseEnd: () => settle(() => resolve({ status, body })),
      onResponseError: (_controller, error) => settle(() => reject(error)),
    });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
