/** What a person is told. Names, levels and stages follow docs/alert.schema.json. */

export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ACTIONS = ["none", "prepare", "review", "hold", "report"] as const;
export type Action = (typeof ACTIONS)[number];

export type Stage = "announced" | "pending" | "included" | "final" | "retracted";
export type RetractionReason = "reorg" | "replaced" | "dropped" | "recomputed" | "entryWithdrawn";
export type AlertKind = "exposure" | "movement";

export type AlertEventType = "alert.created" | "alert.updated" | "alert.finalized" | "alert.retracted";
export type SystemEventType =
  | "system.degraded"
  | "system.recovered"
  | "system.heartbeat"
  | "endpoint.failing"
  | "endpoint.recovered"
  | "coverage.gap"
  | "provider.dispute"
  | "watchlist.changed"
  | "watchlist.importRefused"
  | "watchlist.due"
  | "watchlist.scanned";
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

/** An alert as stored. `state` is the fold's own memory, opaque to the store. */
export interface AlertRecord {
  readonly alertId: string;
  readonly chain: string;
  readonly txHash: string;
  readonly subject: string;
  readonly revision: number;
  readonly kind: AlertKind;
  readonly stage: Stage;
  readonly severity: Severity;
  readonly action: Action;
  readonly summary: string;
  readonly state: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What folding an alert's events gave. */
export interface FoldResult {
  readonly record: AlertRecord;
  /** Null when nothing changed that a receiver can see. */
  readonly message: Message | null;
  /** Names of the sinks the message goes to. */
  readonly sinks: readonly string[];
}
