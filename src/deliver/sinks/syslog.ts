/**
 * Syslog: RFC 5424 over TLS with octet counting (RFC 5425). Syslog has no answer, so each message has a connection of
 * its own and counts as delivered once the collector has read to the end and closed it; a connection that breaks off,
 * or stays open beyond the time, is tried again.
 */
import { once } from "node:events";
import { hostname } from "node:os";
import { isIP } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Severity } from "../../types/alert.ts";
import type { SyslogSinkConfig } from "../../types/sink-config.ts";
import type { Sink, SinkMessage } from "../../types/sink.ts";
import { assert } from "../../lib/assert.ts";
import { nameFrom, printable } from "../../lib/outside-text.ts";
import type { ResolveAll } from "../address-guard.ts";
import { formatBody } from "../formats/format.ts";
import { createDial, readPem } from "../guarded-dial.ts";
import { readNativeBody } from "../native-body.ts";
import { type Cut, withinTime } from "../send-clock.ts";
import { shrinking } from "../shrink.ts";

/** What every collector should take (RFC 5425 4.3.1); more is cut or refused by the common ones' defaults. */
const MESSAGE_BYTES_MAX = 8_192;
/** Security and authorization messages, not for everyone's eyes (RFC 5424 6.2.1). */
const FACILITY = 10;
const SEVERITY: Readonly<Record<Severity, number>> = { critical: 2, high: 3, medium: 4, low: 5, info: 6 };
/** The enterprise number kept for examples (RFC 5612): we have none of our own. */
const STRUCTURED_ID = "heistwatch@32473";
const MSGID_CHARS_MAX = 32;
const HOSTNAME_CHARS_MAX = 255;

export interface SyslogSinkDeps {
  readonly version: string;
  readonly resolve?: ResolveAll;
}

export function createSyslogSink(config: SyslogSinkConfig, deps: SyslogSinkDeps): Sink {
  const { name, host, port, timeoutMs } = config;
  const [ca, cert, key] = (["caFile", "certFile", "keyFile"] as const).map((option) =>
    readPem({ name, option, path: config[option] }),
  );
  const dial = createDial({ ...config, resolve: deps.resolve });
  const closing = new AbortController();

  async function deliver(frame: Buffer, cut: Cut): Promise<void> {
    const socket = await dial(cut);
    try {
      const secure = connectTls({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}), ca, cert, key });
      await Promise.race([sendAndClose(secure, frame), cut.happened]);
    } finally {
      socket.destroy();
    }
  }

  return {
    name,
    kind: config.kind,
    keepsState: false,
    describe: () => `syslog ${host}, port ${port}`,
    async send(message, signal) {
      const frame = syslogFrame(message, config, deps.version);
      return withinTime({ caller: AbortSignal.any([signal, closing.signal]), timeoutMs }, async (cut) => {
        await deliver(frame, cut);
        return { result: "delivered", status: null, excerpt: "" };
      });
    },
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

async function sendAndClose(socket: TLSSocket, frame: Buffer): Promise<void> {
  // A collector may write, though none has anything to say; unread, its end would never be seen.
  socket.resume();
  const ended = once(socket, "end");
  ended.catch(() => undefined);
  await once(socket, "secureConnect");
  socket.end(frame);
  // `end` without an error: the collector took everything and closed in its turn. A reset rejects.
  await ended;
}

/** Octet count and message. The body is made shorter until it fits. */
export function syslogFrame(message: SinkMessage, of: Pick<SyslogSinkConfig, "format">, version: string): Buffer {
  const header = headerOf(message, version);
  for (const body of shrinking(message.body)) {
    const { text } = formatBody(of.format, { ...message, body }, version);
    const line = Buffer.from(`${header} ${asciiJson(text)}`, "ascii");
    if (line.length <= MESSAGE_BYTES_MAX) return Buffer.concat([Buffer.from(`${line.length} `, "ascii"), line]);
  }
  assert(false, "the shortest body fits into a syslog message");
}

function headerOf(message: SinkMessage, version: string): string {
  const { timestamp, alert } = readNativeBody(message.body);
  const priority = FACILITY * 8 + SEVERITY[message.severity];
  const host = printUsAscii(hostname(), HOSTNAME_CHARS_MAX);
  const msgId = printUsAscii(message.type, MSGID_CHARS_MAX);
  const facts = {
    webhookId: message.webhookId,
    ...(alert === null
      ? {}
      : {
          alertId: alert.alertId,
          revision: String(alert.revision),
          stage: alert.stage,
          severity: alert.severity,
          action: alert.action,
          chain: alert.chain.id,
          label: alert.watch[0]?.label ?? "",
        }),
  };
  const parameters = Object.entries(facts).map(([name, value]) => `${name}="${escapeParameter(value)}"`);
  const structured = `[origin software="heistwatch" swVersion="${escapeParameter(version)}"][${STRUCTURED_ID} ${parameters.join(" ")}]`;
  return `<${priority}>1 ${timestamp || "-"} ${host} heistwatch ${process.pid} ${msgId} ${structured}`;
}

/** RFC 5424 6.3.3: quote, backslash and closing bracket. Non-ASCII becomes `?`, so that a byte is a character throughout. */
function escapeParameter(text: string): string {
  return nameFrom(printable(text), 64)
    .replace(/[^\x20-\x7e]/gu, "?")
    .replace(/["\\\]]/g, "\\$&");
}

function printUsAscii(text: string, charsMax: number): string {
  return text.replace(/[^\x21-\x7e]/g, "").slice(0, charsMax) || "-";
}

/** JSON in ASCII alone: no byte order mark is needed, and no collector can misread it. */
function asciiJson(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
