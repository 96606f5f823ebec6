/** Fields of a node's answer, checked where they enter. What does not fit throws, and is asked for again. */
import { AppError } from "../lib/errors.ts";

export class MalformedAnswerError extends AppError {
  override readonly code = "malformed_answer";
  override readonly retryable = true;
}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new MalformedAnswerError(`${what} is not an object`);
  return value as Fields;
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new MalformedAnswerError(`${what} is not a list`);
  return value;
}
