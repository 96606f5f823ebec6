/** A stand-in for a service that takes POSTs: what it refuses, it refuses as the real one does. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface ServiceRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly raw: string;
  readonly json: unknown;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpServiceStub {
  /** http://127.0.0.1:port */
  readonly origin: string;
  /** Everything that came, taken or not. */
  readonly requests: readonly ServiceRequest[];
  /** The next answers, before the service decides by itself again. */
  answerNext(...answers: readonly ServiceAnswer[]): void;
  stop(): Promise<void>;
}

export async function startHttpService(decide: (request: ServiceRequest) => ServiceAnswer): Promise<HttpServiceStub> {
  const requests: ServiceRequest[] = [];
  const planned: ServiceAnswer[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const request = requestOf(message, Buffer.concat(chunks).toString("utf8"));
      requests.push(request);
      const { status, body = "", headers = {} } = planned.shift() ?? decide(request);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answerNext: (...answers) => void planned.push(...answers),
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
}

function requestOf(message: IncomingMessage, raw: string): ServiceRequest {
  const url = new URL(message.url ?? "/", "http://service");
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    json = undefined;
  }
  return { path: url.pathname, query: url.searchParams, headers: message.headers, raw, json };
}

/** The first thing that is wrong, or null. */
export type Rule = readonly [isRight: boolean, otherwise: string];
export function firstWrong(...rules: readonly Rule[]): string | null {
  return rules.find(([isRight]) => !isRight)?.[1] ?? null;
}

export const isText = (value: unknown, charsMin: number, charsMax: number): value is string =>
  typeof value === "string" && value.length >= charsMin && value.length <= charsMax;

export function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
