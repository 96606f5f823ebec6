/** Waits for something to become true, with a deadline; the error says what was seen last. */
import { inspect } from "node:util";

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

type Truthy<T> = Exclude<T, null | undefined | false | 0 | "">;

/**
 * Polls `probe` until it answers with something truthy, and returns that. A probe that throws is asked again: a server
 * that is starting refuses connections. `what` completes the sentence "timed out waiting for ...".
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 25 }: WaitOptions = {},
): Promise<Truthy<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look(probe);
    if (seen.value) return seen.value as Truthy<T>;
    if (Date.now() >= deadline) {
      const last = seen.error === undefined ? inspect(seen.value, { depth: 6 }) : `threw ${inspect(seen.error)}`;
      throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}; last seen: ${last}`);
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

async function look<T>(probe: () => T | Promise<T>): Promise<{ value?: T; error?: unknown }> {
  try {
    return { value: await probe() };
  } catch (error) {
    return { error: error ?? "nothing" };
  }
}
