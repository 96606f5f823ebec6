/**
 * A syslog collector as a local server: RFC 5425 framing over TLS, RFC 5424 messages by their grammar, 8,192 octets at
 * most (what RFC 5425 4.3.1 says every receiver should take).
 */
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TlsOptions } from "node:tls";

const MESSAGE_OCTETS_MAX = 8_192;

export interface SyslogMessage {
  readonly priority: number;
  readonly timestamp: string;
  readonly host: string;
  readonly app: string;
  readonly msgId: string;
  /** Parameters by `SD-ID name`, unescaped. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface SyslogStub {
  readonly port: number;
  readonly messages: readonly SyslogMessage[];
  /** What was wrong with what came. */
  readonly refused: readonly string[];
  readonly connections: () => number;
  /** From now on a connection is reset in the middle, or never closed. */
  misbehave(how: "reset" | "hang"): void;
  stop(): Promise<void>;
}

export async function startSyslog(tls: TlsOptions): Promise<SyslogStub> {
  const messages: SyslogMessage[] = [];
  const refused: string[] = [];
  const sockets = new Set<Socket>();
  let misbehaviour: "reset" | "hang" | null = null;
  let connections = 0;
  const server = createServer({ ...tls, allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (misbehaviour === "reset") reset(socket);
    });
    socket.on("end", () => {
      if (misbehaviour !== null) return;
      const read = readFrames(Buffer.concat(chunks));
      messages.push(...read.messages);
      refused.push(...read.refused);
      socket.end();
    });
  });
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on("error", () => undefined));
  });
  server.on("tlsClientError", () => undefined);
  const reset = (_secure: Socket) => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    refused,
    connections: () => connections,
    misbehave: (how) => void (misbehaviour = how),
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG, one after another until the end. */
export function readFrames(bytes: Buffer): { messages: SyslogMessage[]; refused: string[] } {
  const messages: SyslogMessage[] = [];
  const refused: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [, count] = /^([1-9]\d{0,9}) /.exec(bytes.subarray(at, at + 11).toString("latin1")) ?? [];
    if (count === undefined) return { messages, refused: [...refused, "no octet count"] };
    const start = at + count.length + 1;
    const length = Number(count);
    if (length > MESSAGE_OCTETS_MAX) return { messages, refused: [...refused, "a message that is too long"] };
    if (start + length > bytes.length) return { messages, refused: [...refused, "a message cut off"] };
    const message = parseMessage(bytes.subarray(start, start + length).toString("utf8"));
    if (typeof message === "string") refused.push(message);
    else messages.push(message);
    at = start + length;
  }
  return { messages, refused };
}

const HEADER =
  /^<(\d{1,3})>1 (-|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /;
const ELEMENT = /^\[([!#-<>-\\^-~]{1,32})((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\.)*")*)\]/su;

/** The message, or what is wrong with it. */
function parseMessage(text: string): SyslogMessage | string {
  const header = HEADER.exec(text);
  if (header === null) return "a header that is none";
  const priority = Number(header[1]);
  if (priority > 191) return "a priority above 191";
  const parameters = new Map<string, string>();
  let rest = text.slice(header[0].length);
  if (rest.startsWith("-")) rest = rest.slice(1);
  else {
    if (!rest.startsWith("[")) return "no structured data";
    while (rest.startsWith("[")) {
      const element = ELEMENT.exec(rest);
      if (element === null) return "structured data that is not escaped";
      for (const [, name = "", value = ""] of (element[2] ?? "").matchAll(/ ([^ =]+)="((?:[^"\\\]]|\\.)*)"/gsu))
        parameters.set(`${element[1]} ${name}`, value.replace(/\\(["\\\]])/g, "$1"));
      rest = rest.slice(element[0].length);
    }
  }
  if (rest !== "" && !rest.startsWith(" ")) return "no space before the text";
  const [, , timestamp = "", host = "", app = "", , msgId = ""] = header;
  return { priority, timestamp, host, app, msgId, parameters, text: rest.slice(1) };
}
