/** What a person is told. Names, levels and stages follow docs/alert.schema.json. */

export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ACTIONS = ["none", "prepare", "review", "hold", "report"] as const;
export type Action = (typeof ACTIONS)[number];

export type Stage = "announced" | "pending" | "included" | "final" | "retracted";
export type RetractionReason = "reorg" | "replaced" | "dropped" | "recomputed" | "entryWithdrawn";
export type AlertKind = "exposure" | "movement";

export type AlertEventType = "alert.created" | "alert.updated" | "alert.finalized" | "alert.retracted";
export type SystemEventType = "system.degraded" | "system.recovered" | "endpoint.failing" | "endpoint.recovered" | "coverage.gap";
export type EventType = AlertEventType | SystemEventType;

/** A message as stored and sent: `body` is the exact text that is signed. */
export interface Message {
  /** The `webhook-id`: hashed from alert, revision and the core of the body. */
  readonly webhookId: string;
  readonly type: EventType;
  readonly body: string;
  readonly severity: Severity;
  readonly alertId: string | null;
  readonly revision: number;
}
