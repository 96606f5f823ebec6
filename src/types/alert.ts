/** What a person is told. Names, levels and stages follow docs/alert.schema.json. */
import type { ChainId } from "./chain.ts";

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
/** Of what a customer's payments within 24 hours are together. */
export type PaymentsEventType = "payments.summed" | "payments.withdrawn";
/** `group.digest`: alerts that were not told one by one. */
export type EventType = AlertEventType | SystemEventType | PaymentsEventType | "group.digest";

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

/** Whom an alert is about, and whether a transfer is told now that was not told before. */
export interface AlertAbout {
  /** Of the own address touched. */
  readonly customerRef: string | null;
  readonly incidents: readonly string[];
  readonly gainedHit: boolean;
}

/** Why alerts are told together; docs/alerts.md, Grouping. */
export type GroupRule = "noise" | "smallSanctioned" | "fanOut" | "repeat";

/** A group an alert belongs to. So many of a window are told one by one; what comes after waits for the group's digest. */
export interface GroupAsk {
  readonly rule: GroupRule;
  /** Alerts of one key are told together. */
  readonly key: string;
  /** For people: whom the group is about. */
  readonly about: string;
  readonly limit: number;
  /** What the limit counts: alerts, or the parties they are about. */
  readonly counts: "alerts" | "subjects";
  readonly windowMs: number;
  /** The first digest leaves at once; else at the window's end. */
  readonly isUrgent: boolean;
}

/** What decides whether an alert is told by itself. */
export interface Grouping {
  /** Those of the message's sinks that take alerts of a group together. */
  readonly sinks: readonly string[];
  /** In this order; the first that is full holds the alert. */
  readonly asks: readonly GroupAsk[];
  /** Nothing of the alert was sent before. */
  readonly isFirst: boolean;
  readonly subject: string;
  /** CAIP-19, of the first movement told. */
  readonly asset: string;
  /** Base units of that asset. */
  readonly amount: bigint;
  /** Null: unknown. */
  readonly usdCents: bigint | null;
  /** Ten times the largest of its group is told by itself; false: never. */
  readonly mayStandOut: boolean;
}

/** The severity of an amount in whole cents: that of the last step it reaches. Ascending, the first at 0. */
export type SeverityLadder = readonly { readonly fromCents: number; readonly severity: Severity }[];

/** What one alert adds to the sums of its customer and one incident. */
export interface Payment {
  readonly alertId: string;
  readonly incident: string;
  /** Null: unknown; then the own address stands for its customer. */
  readonly customerRef: string | null;
  readonly own: string;
  readonly direction: "in" | "out";
  readonly chain: ChainId;
  /** Of its block, Unix ms. */
  readonly at: number;
  /** As far as known; above 0. */
  readonly usdCents: bigint;
  /** Of the alert by itself. */
  readonly severity: Severity;
  /** Which severity its entries give to a larger amount. */
  readonly ladder: SeverityLadder;
}

/** What folding an alert's events gave. */
export interface FoldResult {
  readonly record: AlertRecord;
  /** Null when nothing changed that a receiver can see. */
  readonly message: Message | null;
  /** Names of the sinks the message goes to. */
  readonly sinks: readonly string[];
  /** Of these, those that know of the alert and to which this revision is no news. */
  readonly quiet: readonly string[];
  /** What its case goes by. */
  readonly about: AlertAbout;
  /** Null: told by itself, whatever else there is. */
  readonly grouping: Grouping | null;
  /** What it adds to the sums of its customer; empty: nothing, as long as it does not stand. */
  readonly payments: readonly Payment[];
}

/** A group whose digest is due. Amounts in base units. */
export interface GroupDigest {
  readonly groupId: string;
  readonly rule: GroupRule;
  readonly about: string;
  readonly severity: Severity;
  /** Of this digest within the group, from 1. */
  readonly number: number;
  readonly openedAt: number;
  /** Alerts of the window, also those that were told one by one. */
  readonly alerts: number;
  /** Parties these are about. */
  readonly subjects: number;
  readonly held: number;
  /** Held since the digest before. */
  readonly heldSince: number;
  /** Held ones that were taken back, in all. */
  readonly retracted: number;
  readonly isClosed: boolean;
  /** Of the held ones, by asset, the largest count first. */
  readonly totals: readonly { readonly asset: string; readonly count: number; readonly amount: bigint }[];
  /** The largest held ones. */
  readonly largest: readonly { readonly alertId: string; readonly stage: Stage; readonly summary: string }[];
}
