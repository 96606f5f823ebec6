/**
 * What becomes of a delivery after one attempt. Pure; the worker stores the answer.
 *
 * States: `pending` (due at `nextAttemptAt`), `delivered`, `dead` (kept for ever, a person can re-drive it).
 * No outcome ever disables a sink: a sink that failed for a week still gets the next alert.
 */
import type { Severity } from "../types/alert.ts";
import type { SendOutcome } from "../types/sink.ts";
import { assert } from "../lib/assert.ts";
import { isTimeoutText } from "./failure-text.ts";
import { nextAttemptAfter } from "./retry-schedule.ts";

export type DeliveryState =
  | { readonly state: "delivered" }
  | { readonly state: "pending"; readonly nextAttemptAt: number }
  | { readonly state: "dead"; readonly reason: "exhausted" | "rejected" };

export interface AfterAttemptInput {
  /** `attemptNo` is the attempt that was just made; the first one is 1. */
  readonly delivery: { readonly attemptNo: number; readonly severity: Severity };
  readonly outcome: SendOutcome;
  /** Unix milliseconds. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly scale: number;
}

export function afterAttempt({ delivery, outcome, now, random, scale }: AfterAttemptInput): DeliveryState {
  assert(Number.isSafeInteger(delivery.attemptNo) && delivery.attemptNo >= 1, "the first attempt is number 1");
  if (outcome.result === "delivered" || outcome.result === "superseded") return { state: "delivered" };
  if (outcome.result === "rejected") return { state: "dead", reason: "rejected" };
  const next = nextAttemptAfter({
    attemptsMade: delivery.attemptNo,
    retryAfterMs: outcome.afterMs,
    overloaded: isOverload(outcome),
    severity: delivery.severity,
    scale,
    random,
    now,
  });
  return next === "exhausted" ? { state: "dead", reason: "exhausted" } : { state: "pending", nextAttemptAt: next.atMs };
}

/** 429 is the receiver's own "too much"; 504 is a gateway telling us of the timeout we would have seen without it. */
function isOverload(outcome: Extract<SendOutcome, { result: "retry" }>): boolean {
  if (outcome.status === 429 || outcome.status === 504) return true;
  return outcome.status === null && isTimeoutText(outcome.error);
}
