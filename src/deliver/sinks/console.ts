/** A message in, one block a person can read out. The quick start's sink: no receiver, no network, no failure. */
import type { ConsoleSinkConfig } from "../../types/config.ts";
import type { Sink, SinkMessage } from "../../types/sink.ts";
import { describeError } from "../../lib/errors.ts";
import { printable } from "../../lib/outside-text.ts";

export interface ConsoleSinkDeps {
  /** Where the blocks go: standard output in the daemon, an array in a test. */
  readonly write: (text: string) => void;
}

export function createConsoleSink(config: ConsoleSinkConfig, { write }: ConsoleSinkDeps): Sink {
  return {
    name: config.name,
    kind: config.kind,
    keepsState: false,
    describe: () => "console",
    async send(message, signal) {
      if (signal.aborted) return retry("stopped before it was written");
      try {
        write(blockOf(message));
      } catch (error) {
        return retry(`not written: ${describeError(error)}`);
      }
      return { result: "delivered", status: null, excerpt: "" };
    },
    close: () => Promise.resolve(),
  };
}

function retry(error: string) {
  return { result: "retry", status: null, error, afterMs: null, excerpt: "" } as const;
}

/** Fields are looked up, not trusted: a body without them (an operational message) still prints. */
function blockOf(message: SinkMessage): string {
  const data = fieldOf(parseJson(message.body), "data");
  const text = (...path: string[]) => textOf(path.reduce(fieldOf, data));
  const rows: [string, string | null][] = [
    ["action", text("action")],
    ["chain", text("chain", "name") ?? text("chain", "id")],
    ["tx", text("transaction", "hash")],
    ["stage", joined([text("stage"), prefixed("revision ", text("revision"))])],
    ["alert", text("alertId")],
    ["id", message.webhookId],
  ];
  const title = `[${message.severity.toUpperCase()}] ${message.type}`;
  const lines = rows.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(7)}${value}`]));
  const summary = text("summary") ?? text("message");
  return `${[title, ...(summary === null ? [] : [`  ${summary}`]), ...lines].join("\n")}\n\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Token names and labels come from strangers: an escape sequence in one must not reach the terminal. */
function textOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? printable(value) : null;
}

function prefixed(prefix: string, text: string | null): string | null {
  return text === null ? null : `${prefix}${text}`;
}

function joined(texts: readonly (string | null)[]): string | null {
  const present = texts.filter((text) => text !== null);
  return present.length === 0 ? null : present.join(", ");
}
