/** pino: JSON in production, pretty on a terminal; every text passes the redactor. */
import { pino, type Logger } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../types/config.ts";
import { redactText } from "../lib/redact.ts";

export function createLogger(config: Config["log"], isTerminal: boolean): Logger {
  const usePretty = config.format === "pretty" || (config.format === "auto" && isTerminal);
  const options = {
    level: config.level,
    base: {},
    formatters: { log: redactFacts },
    serializers: {},
  };
  return usePretty
    ? pino(options, pretty({ colorize: isTerminal, translateTime: "SYS:HH:MM:ss", ignore: "pid,hostname", sync: true }))
    : pino(options);
}

/** Keys in URLs and webhook secrets never reach a log, whatever field they hide in. */
function redactFacts(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, redactValue(value)]));
}

function redactValue(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (value instanceof Error) return redactText(value.stack ?? value.message);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  return JSON.parse(
    redactText(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner))),
  ) as unknown;
}
