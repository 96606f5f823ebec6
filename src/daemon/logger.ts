/** pino: JSON in production, pretty on a terminal; every text passes the redactor. */
import { pino, type Logger, type LoggerOptions } from "pino";
import pretty from "pino-pretty";
import type { Config } from "../types/config.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";

export function createLogger(config: Config["log"], isTerminal: boolean): Logger {
  const usePretty = config.format === "pretty" || (config.format === "auto" && isTerminal);
  const options: LoggerOptions = {
    level: config.level,
    base: {},
    formatters: { log: redactFacts },
    serializers: {},
    hooks: {
      logMethod(args, method) {
        method.apply(this, redactArguments(args) as typeof args);
      },
    },
  };
  return withRedactedChildren(
    usePretty
      ? pino(
          options,
          pretty({ colorize: isTerminal, translateTime: "SYS:HH:MM:ss", ignore: "pid,hostname", sync: true }),
        )
      : pino(options),
  );
}

/** The message and its arguments. An error logged without a message gets its own text as one: given here, redacted. */
function redactArguments([first, ...others]: readonly unknown[]): unknown[] {
  if (typeof first === "string") return [first, ...others].map((one) => redactValue(one, 0));
  const error = first instanceof Error ? first : (first as { err?: unknown } | null | undefined)?.err;
  const message = others.length === 0 && error instanceof Error ? [error.message] : others;
  return [first, ...message.map((one) => redactValue(one, 0))];
}

/** pino formats the facts of a line, but not those that a child logger adds to each of its lines. */
function withRedactedChildren(log: Logger): Logger {
  const child = log.child.bind(log);
  return Object.assign(log, {
    child: (...[bindings, options]: Parameters<typeof child>) =>
      withRedactedChildren(child(redactFacts(bindings), options) as unknown as Logger),
  });
}

/** Keys in URLs and webhook secrets never reach a log, whatever field they hide in. */
function redactFacts(facts: Record<string, unknown>): Record<string, unknown> {
  return redactFields(facts, 0);
}

// Deeper than any fact we log; also where a value that holds itself ends.
const DEPTH_MAX = 8;

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return redactText(textOf(value));
  if (depth >= DEPTH_MAX) return "…";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return redactValue([...value], depth);
  const { toJSON } = value as { toJSON?: unknown };
  // Called here, not by pino afterwards: what it returns is a text like any other (a URL object, a date).
  if (typeof toJSON === "function") return redactValue((toJSON as () => unknown).call(value), depth + 1);
  return redactFields(value, depth);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [redactText(key), redactValue(value, depth + 1)]),
  );
}

function textOf(error: Error): string {
  const cause = error.cause === undefined ? "" : `\ncaused by: ${describeError(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
