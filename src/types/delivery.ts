/** One message on its way to one sink. */
import type { EventType, Severity } from "./alert.ts";
import type { JobLane } from "./queue-names.ts";
import type { SendOutcome } from "./sink.ts";

export interface DueDelivery {
  readonly deliveryId: string;
  readonly webhookId: string;
  /** Null for operational messages. */
  readonly alertId: string | null;
  readonly sink: string;
  readonly severity: Severity;
  readonly lane: JobLane;
  /** Attempts already made; the next one has this number. */
  readonly attemptNo: number;
  /** Attempts made since the schedule (re)started. */
  readonly scheduleAttempt: number;
  readonly nextAttemptAt: number;
  readonly type: EventType;
  readonly body: string;
}

/** What is written down after an attempt. */
export interface AttemptRecord {
  readonly at: number;
  readonly durationMs: number;
  readonly result: SendOutcome["result"];
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string;
}

export type AfterAttempt =
  | { readonly state: "delivered" }
  | { readonly state: "pending"; readonly nextAttemptAt: number }
  | { readonly state: "dead"; readonly reason: "exhausted" | "rejected" };
