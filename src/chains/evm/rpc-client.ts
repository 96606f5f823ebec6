/**
 * JSON-RPC over HTTP to one node: capped, timed, checked.
 * Every answer is hostile until its envelope was checked; an error answer is never "nothing".
 */
import { describeError } from "../../lib/errors.ts";
import { hideKeysOf, redactText } from "../../lib/redact.ts";
import { createHttpExchange, type HttpReply } from "../http-exchange.ts";
import type { RequestGate } from "../../lib/request-gate.ts";
import { type Asked, detailsOf, parseAnswer, resultIn, RpcError } from "../rpc-envelope.ts";

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
  const { origin, pathname, search, username, password } = new URL(options.url);
  const http = createHttpExchange({ origin, ...options, keepAliveMs: 30_000 });
  // The user part of a URL is not part of a request line: it becomes the header it stands for.
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const headers = {
    "content-type": "application/json",
    ...(username === "" ? {} : { authorization: `Basic ${credentials}` }),
  };
  const request = { path: `${pathname}${search}`, method: "POST", headers } as const;
  const hide = (text: string) => hideKeysOf(options.url, text);
  let nextId = 1;

  /** One request under the gate; `read` makes of its answer what the caller wants, and its failure is the request's. */
  async function exchange<T>(
    { method, params, signal }: { method: string; params: readonly unknown[]; signal: AbortSignal },
    read: (answer: RpcAnswer) => T,
  ): Promise<T> {
    const release = await options.gate.enter(signal);
    const asked: Asked = { node: options.name, url: options.url, method, id: nextId, hide };
    nextId = (nextId % (IDS - 1)) + 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id: asked.id, method, params });
    try {
      const reply = await http.send({ ...request, body }, signal).catch((error: unknown) => {
        throw unanswered(error, asked);
      });
      const answer = read(answerOf(reply, asked));
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
    close: () => http.close(),
  };
}

function unanswered(error: unknown, asked: Asked): RpcError {
  const why = asked.hide(redactText(describeError(error)));
  return new RpcError(`node ${asked.node} did not answer ${asked.method}: ${why}`, {
    cause: error,
    details: detailsOf(asked),
  });
}

function answerOf({ status, body }: HttpReply, asked: Asked): RpcAnswer {
  const bytes = body.bytes();
  return {
    id: asked.id,
    chunks: [bytes],
    byteLength: bytes.length,
    result: () => resultIn(parseAnswer(bytes.toString("utf8"), status, asked), status, asked),
    release: () => body.release(),
  };
}
