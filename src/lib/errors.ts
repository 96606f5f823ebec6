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

/** One line about any thrown value, causes included. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current !== undefined && current !== null; depth += 1) {
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    const text = current instanceof Error ? current.message || current.name : String(current);
    // A wrapper often quotes its cause: said once is enough.
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}
