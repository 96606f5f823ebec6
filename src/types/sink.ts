/** Where alerts go, and what came of trying. */
import type { EventType, Severity } from "./alert.ts";

/** One event of one alert on its way to one sink. `body` is sent byte for byte. */
export interface SinkMessage {
  readonly webhookId: string;
  readonly type: EventType;
  readonly severity: Severity;
  readonly body: string;
  /** Unix seconds of this attempt; part of the signature. */
  readonly timestamp: number;
}

/**
 * What the receiver did. An expected "no" is a value, not an exception.
 * - `delivered`: 2xx.
 * - `retry`: worth trying again, `afterMs` when the receiver asked for a wait.
 * - `rejected`: this delivery is pointless as it stands (410); a person must act, then it can be re-driven.
 */
export type SendOutcome =
  | { readonly result: "delivered"; readonly status: number | null; readonly excerpt: string }
  | {
      readonly result: "retry";
      readonly status: number | null;
      readonly error: string;
      readonly afterMs: number | null;
      readonly excerpt: string;
    }
  | { readonly result: "rejected"; readonly status: number | null; readonly error: string; readonly excerpt: string };

/** A configured sink, ready to send. When to try again is the delivery worker's decision. */
export interface Sink {
  readonly name: string;
  readonly kind: string;
  /** Masked, for logs: never a key, never a query. */
  describe(): string;
  send(message: SinkMessage, signal: AbortSignal): Promise<SendOutcome>;
  close(): Promise<void>;
}
