/** A proof out of a bundle, in the form of its chain family: another form is no proof, whatever it may mean. */
import type { z } from "zod";
import { RefutedError } from "../lib/errors.ts";

/** Throws RefutedError with the first place that is not as the form says. */
export function inForm<T>(schema: z.ZodType<T>, proof: unknown): T {
  const parsed = schema.safeParse(proof);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RefutedError(`the proof is not in its form: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}
