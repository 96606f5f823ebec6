/** Arguments of a call: the socket and HTTP are inputs like any other. */
import type { z } from "zod";
import { AppError } from "../lib/errors.ts";

export class BadCallError extends AppError {
  override readonly code = "bad_call";
}

export function checked<T>(schema: z.ZodType<T>, args: unknown): T {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new BadCallError(`this cannot be asked: ${problems.join("; ")}`);
}
