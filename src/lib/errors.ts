/** Errors an operator can meet. Everything else is a bug and stops the process. */

export interface AppErrorOptions {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected failure: `code` for machines, `retryable` for retry loops, `details` for the person who must act. */
export class AppError extends Error {
  readonly code: string = "error";
  readonly retryable: boolean = false;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
  }
}

/** The operator must change something: exit code 1. */
export class ConfigError extends AppError {
  override readonly code = "config";
}

/** A dependency is away or refused; trying again may help: exit code 75 where nothing waits for it. */
export class UnavailableError extends AppError {
  override readonly code = "unavailable";
  override readonly retryable = true;
}

/** What was asked for is not there. */
export class NotFoundError extends AppError {
  override readonly code = "not_found";
}

/** A claim that its own proof does not bear out, or that is not written in its one way. The message says why. */
export class RefutedError extends AppError {
  override readonly code = "refuted";
}

/** One line about any thrown value, causes included. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current !== undefined && current !== null; depth += 1) {
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    const text = textOf(current).replace(/\s+/g, " ").trim();
    if (text !== "" && !parts.includes(text)) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  try {
    return String(thrown);
  } catch {
    return "an object without a text"; // For example one without a prototype.
  }
}
