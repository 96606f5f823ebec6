/**
 * When to try a delivery again: how many attempts were made in, the next moment or `exhausted` out. Pure.
 * What always holds: 17 attempts over about 7.15 days, each wait within 20 % of its step, never earlier than the
 * receiver asked for (up to a clamp).
 */
import type { Severity } from "../types/alert.ts";
import { assert } from "../lib/assert.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The wait before each attempt. Quick at first, because most failures are a deploy or a network blip; a whole week in
 * all, because an exchange's receiver may stay broken over a long weekend and a heist alert must outlive it.
 */
export const RETRY_WAITS_MS: readonly number[] = [
  0,
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  1 * HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  12 * HOUR,
  24 * HOUR,
  24 * HOUR,
  24 * HOUR,
  24 * HOUR,
  24 * HOUR,
  24 * HOUR,
];

export const ATTEMPTS_MAX = RETRY_WAITS_MS.length;

/** Deliveries that failed together must not come back together: plus or minus 20 %, as Svix does. */
const JITTER = 0.2;

/** A receiver that said "too much" or did not answer in time gets at least a minute of quiet, as Svix does. */
const OVERLOAD_WAIT_MS = MINUTE;

/**
 * How long a Retry-After may hold an alert back. An hour for severe ones: stolen funds cross an exchange within hours,
 * so a receiver (or whoever sits in front of it) must not be able to silence a critical alert for a day with one
 * header. A day for the rest: no longer than the schedule's own longest step.
 */
const RETRY_AFTER_MAX_SEVERE_MS = HOUR;
const RETRY_AFTER_MAX_MS = 24 * HOUR;

export interface NextAttemptInput {
  /** Attempts already made; 0 asks for the first one, which is due at once. */
  readonly attemptsMade: number;
  /** What the receiver asked for, null when it asked for nothing. */
  readonly retryAfterMs: number | null;
  /** The last attempt ended in 429 or a timeout. */
  readonly overloaded: boolean;
  readonly severity: Severity;
  /** Multiplies our own waits; 1 in production, small in integration tests. */
  readonly scale: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Unix milliseconds. */
  readonly now: number;
}

export function nextAttemptAfter(input: NextAttemptInput): { readonly atMs: number } | "exhausted" {
  assert(Number.isSafeInteger(input.attemptsMade) && input.attemptsMade >= 0, "attempts are counted from zero");
  const stepMs = RETRY_WAITS_MS[input.attemptsMade];
  if (stepMs === undefined) return "exhausted";
  const roll = input.random();
  const stepWaitMs = stepMs * (1 - JITTER + 2 * JITTER * roll) * input.scale;
  // Jittered upwards only: "at least a minute" is the point.
  const overloadWaitMs = input.overloaded ? OVERLOAD_WAIT_MS * (1 + JITTER * roll) * input.scale : 0;
  const askedMs = clampRetryAfter(input.retryAfterMs, input.severity);
  return { atMs: Math.ceil(input.now + Math.max(stepWaitMs, overloadWaitMs, askedMs)) };
}

/** Never scaled: Retry-After is the receiver's own word about its own clock, in tests as in production. */
function clampRetryAfter(retryAfterMs: number | null, severity: Severity): number {
  if (retryAfterMs === null || !(retryAfterMs > 0)) return 0;
  const severe = severity === "critical" || severity === "high";
  return Math.min(retryAfterMs, severe ? RETRY_AFTER_MAX_SEVERE_MS : RETRY_AFTER_MAX_MS);
}
