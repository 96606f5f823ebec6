/**
 * OCSF 1.8 (schema.ocsf.io): an alert is a Detection Finding (class 2004) with the incident profile, an operational
 * message a Base Event (class 0). Its captions and numbers: github.com/ocsf/ocsf-schema, events/findings/finding.json,
 * events/findings/detection_finding.json, profiles/incident.json, dictionary.json.
 */
import type { Severity } from "../../types/alert.ts";
import { printable, shortened } from "../../lib/outside-text.ts";
import { type AlertFacts, type NativeMessage, unixMsOf } from "../native-body.ts";

const VERSION = "1.8.0";
const CLASS = 2004;
const OTHER = 99;
const TITLE_CHARS_MAX = 256;
const OBSERVABLES_MAX = 32;

const SEVERITY: Readonly<Record<Severity, { readonly id: number; readonly caption: string }>> = {
  info: { id: 1, caption: "Informational" },
  low: { id: 2, caption: "Low" },
  medium: { id: 3, caption: "Medium" },
  high: { id: 4, caption: "High" },
  critical: { id: 5, caption: "Critical" },
};
const PRIORITY: Readonly<Record<Severity, { readonly id: number; readonly caption: string }>> = {
  info: { id: 1, caption: "Low" },
  low: { id: 1, caption: "Low" },
  medium: { id: 2, caption: "Medium" },
  high: { id: 3, caption: "High" },
  critical: { id: 4, caption: "Critical" },
};

export interface EventContext {
  readonly webhookId: string;
  readonly version: string;
  /** Unix milliseconds of this attempt, for a body whose own time cannot be read. */
  readonly sentAt: number;
}

export function ocsfOf(message: NativeMessage, context: EventContext): Record<string, unknown> {
  return message.alert === null ? baseEvent(message, context) : finding(message, message.alert, context);
}

function finding(message: NativeMessage, alert: AlertFacts, context: EventContext): Record<string, unknown> {
  const time = unixMsOf(message.timestamp, context.sentAt);
  const activity = activityOf(message.type);
  const summary = printable(alert.summary);
  const severity = SEVERITY[alert.severity];
  const priority = PRIORITY[alert.severity];
  const url = alert.evidenceUrl === null ? {} : { src_url: alert.evidenceUrl };
  return {
    class_uid: CLASS,
    class_name: "Detection Finding",
    category_uid: 2,
    category_name: "Findings",
    activity_id: activity.id,
    activity_name: activity.caption,
    type_uid: CLASS * 100 + activity.id,
    time,
    severity_id: severity.id,
    severity: severity.caption,
    // A retracted alert was told in error: the transaction never became final.
    ...(alert.retraction === null ? { status_id: 1, status: "New" } : { status_id: 6, status: "Deleted" }),
    // "Test" is a verdict of its own; everything else is for the people who work on it to say.
    ...(message.test ? { verdict_id: 6, verdict: "Test" } : { verdict_id: 0, verdict: "Unknown" }),
    priority_id: priority.id,
    priority: priority.caption,
    is_alert: alert.retraction === null && !message.test,
    message: summary,
    risk_score: alert.score.total,
    ...url,
    metadata: metadataOf(message, context, alert.revision),
    finding_info: {
      uid: alert.alertId,
      title: shortened(summary, TITLE_CHARS_MAX),
      desc: summary,
      types: [[alert.kind, alert.exposure.type].filter((word) => word !== "").join(".")],
      ...(activity.id === 1 ? { created_time: time } : { modified_time: time }),
      data_sources: [...new Set(alert.watch.map(({ list }) => list))],
      ...url,
    },
    observables: observablesOf(alert),
    unmapped: { heistwatch: { type: message.type, replay: message.replay, test: message.test, ...message.data } },
  };
}

function baseEvent(message: NativeMessage, context: EventContext): Record<string, unknown> {
  const severity = SEVERITY[message.system?.severity ?? "info"];
  return {
    class_uid: 0,
    class_name: "Base Event",
    category_uid: 0,
    category_name: "Uncategorized",
    activity_id: OTHER,
    activity_name: message.type,
    type_uid: OTHER,
    time: unixMsOf(message.timestamp, context.sentAt),
    severity_id: severity.id,
    severity: severity.caption,
    message: printable(message.system?.summary ?? ""),
    metadata: metadataOf(message, context, 0),
    unmapped: { heistwatch: { type: message.type, replay: message.replay, test: message.test, ...message.data } },
  };
}

function activityOf(type: string): { id: number; caption: string } {
  if (type === "alert.created") return { id: 1, caption: "Create" };
  return type === "alert.retracted" ? { id: 3, caption: "Close" } : { id: 2, caption: "Update" };
}

function metadataOf(message: NativeMessage, { webhookId, version }: EventContext, sequence: number) {
  return {
    version: VERSION,
    product: { name: "heistwatch", vendor_name: "heistwatch", version },
    uid: webhookId,
    event_code: message.type,
    sequence,
    profiles: message.alert === null ? [] : ["incident"],
  };
}

/** OCSF knows no wallets: type 99 with a name of our own. */
function observablesOf({ transaction, own, watch, transfers }: AlertFacts): object[] {
  const addresses = [
    { name: "own.address", value: own?.address ?? null },
    ...watch.map(({ address }) => ({ name: "watch.address", value: address })),
    ...transfers.flatMap(({ from, to }) => [
      { name: "transfers.from", value: from },
      { name: "transfers.to", value: to },
    ]),
  ];
  const seen = new Map<string, string>();
  for (const { name, value } of addresses) if (value !== null && !seen.has(value)) seen.set(value, name);
  return [
    ...(transaction.hash === null
      ? []
      : [{ name: "transaction.hash", type_id: OTHER, type: "Transaction Hash", value: transaction.hash }]),
    ...[...seen].map(([value, name]) => ({ name, type_id: OTHER, type: "Cryptocurrency Address", value })),
  ].slice(0, OBSERVABLES_MAX);
}
