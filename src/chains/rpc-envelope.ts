/** The envelope of a JSON-RPC answer, checked: an error answer is never "nothing". */
import { AppError } from "../lib/errors.ts";
import { redactText, redactUrl } from "../lib/redact.ts";

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

/** Whom an answer is from and what it answers, for checks and errors. */
export interface Asked {
  readonly node: string;
  readonly url: string;
  readonly method: string;
  readonly id: number;
  /** A text without the keys and passwords that the node was given: some quote what they refuse. */
  readonly hide: (text: string) => string;
}

export function detailsOf({ node, url, method }: Pick<Asked, "node" | "url" | "method">): Record<string, unknown> {
  return { node, method, url: redactUrl(url) };
}

/** What a body says. Throws RpcError when it is no JSON. */
export function parseAnswer(text: string, status: number, asked: Asked): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(asked, `HTTP ${status} and no JSON`, error);
  }
}

/** The `result` of one answer, `null` included. Throws RpcError on anything but a well-formed result. */
export function resultIn(answer: unknown, status: number, asked: Asked): unknown {
  if (typeof answer !== "object" || answer === null) throw refusal(asked, "no object");
  const { error, result, id } = answer as { error?: unknown; result?: unknown; id?: unknown };
  if (error !== undefined && error !== null) throw rpcErrorOf(error, asked);
  if (id !== asked.id) throw refusal(asked, "another request's id");
  if (result === undefined) throw refusal(asked, `HTTP ${status} and no result`);
  return result;
}

function refusal(asked: Asked, problem: string, cause?: unknown): RpcError {
  return new RpcError(`node ${asked.node} answered ${asked.method} with ${problem}`, {
    cause,
    details: detailsOf(asked),
  });
}

function rpcErrorOf(error: unknown, asked: Asked): RpcError {
  const { code, message } = (typeof error === "object" ? error : {}) as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? asked.hide(redactText(message)).slice(0, 300) : "no message";
  const rpcCode = typeof code === "number" ? { rpcCode: code } : {};
  return new RpcError(`node ${asked.node} refused ${asked.method}: ${text}`, {
    details: { ...detailsOf(asked), ...rpcCode },
    ...rpcCode,
  });
}
