/** Where alerts go, and what came of trying. */
import type { EventType, Severity } from "./alert.ts";

/** One event of one alert on its way to one sink. `body` is the native body; a webhook sends it byte for byte. */
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
 * - `delivered`: the receiver has it: 2xx, or what that service says when it keeps a message.
 * - `retry`: worth trying again, `afterMs` when the receiver asked for a wait.
 * - `rejected`: this delivery is pointless as it stands (the receiver is gone, or says that it will never take this
 *   message); a person must act, then it can be re-driven.
 * - `superseded`: nothing was sent, the receiver has a newer revision of the same alert. Said by the worker, never by a sink.
 */
export type SendOutcome =
  | { readonly result: "delivered"; readonly status: number | null; readonly excerpt: string }
  | { readonly result: "superseded"; readonly status: null; readonly excerpt: string }
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
  /**
   * The receiver keeps one thing per alert (PagerDuty: an incident) that the last word changes. An older revision that
   * came after a newer one would undo it, so the worker leaves it out.
   */
  readonly keepsState: boolean;
  /** Masked, for logs: never a key, never a query. */
  describe(): string;
  send(message: SinkMessage, signal: AbortSignal): Promise<SendOutcome>;
  close(): Promise<void>;
}
