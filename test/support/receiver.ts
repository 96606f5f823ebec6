/** A real HTTP receiver of webhooks that checks each signature with the official Standard Webhooks library. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

export interface ReceivedRequest {
  /** `webhook-id`; empty when the header is missing. */
  readonly webhookId: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string;
  /** The JSON of the body; undefined when it is not JSON. */
  readonly body: unknown;
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly verifyError: string | null;
  /** When it had arrived in full, unix milliseconds. */
  readonly at: number;
}

export interface Answer {
  /** Default 204. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Cuts the connection instead of answering. */
  readonly hangUp?: boolean;
}

/** `nth` counts the requests with this `webhook-id`, from 1. A promise that never settles is a receiver that hangs. */
export type AnswerFunction = (request: ReceivedRequest, nth: number) => Answer | Promise<Answer>;

export interface ReceiverOptions {
  /** `whsec_...` to verify with; default: a fixed test secret. */
  readonly secret?: string;
  readonly answer?: AnswerFunction;
  /** Default: a free one. A receiver that comes back comes back on its old port. */
  readonly port?: number;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly secret: string;
  /** Everything received so far, in order, kept before it is answered. */
  readonly requests: readonly ReceivedRequest[];
  requestsOf(webhookId: string): ReceivedRequest[];
  /** From now on answers like this. */
  answerWith(answer: AnswerFunction): void;
  /** Forgets what was received. */
  clear(): void;
  stop(): Promise<void>;
}

export const TEST_WEBHOOK_SECRET = `whsec_${Buffer.from("heistwatch test secret, 32 bytes").toString("base64")}`;

export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const secret = options.secret ?? TEST_WEBHOOK_SECRET;
  const webhook = new Webhook(secret);
  const requests: ReceivedRequest[] = [];
  const requestsOf = (webhookId: string) => requests.filter((request) => request.webhookId === webhookId);
  let answer: AnswerFunction = options.answer ?? (() => ({ status: 204 }));

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(message, webhook);
    requests.push(request);
    const {
      status = 204,
      headers = {},
      body = "",
      hangUp = false,
    } = await answer(request, requestsOf(request.webhookId).length);
    if (hangUp) message.socket.destroy();
    else response.writeHead(status, headers).end(body);
  };
  const server = createServer((message, response) => {
    // An answer function that throws is a mistake in the test: visible, and the sender sees a cut connection.
    handle(message, response).catch((error: unknown) => {
      if (!message.readableAborted) console.error("receiver:", error);
      message.socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    port,
    secret,
    requests,
    requestsOf,
    answerWith: (next) => {
      answer = next;
    },
    clear: () => requests.splice(0),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(message: IncomingMessage, webhook: Webhook): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks).toString("utf8");
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]));
  const verifyError = verify(webhook, raw, headers);
  return {
    webhookId: headers["webhook-id"] ?? "",
    method: message.method ?? "",
    path: message.url ?? "",
    headers,
    raw,
    body: parseJson(raw),
    verified: verifyError === null,
    verifyError,
    at: Date.now(),
  };
}

function verify(webhook: Webhook, raw: string, headers: Record<string, string>): string | null {
  try {
    webhook.verify(raw, headers, { jsonParse: false });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
