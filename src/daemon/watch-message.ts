/** A change of what is watched, as operators are told of it: stored in the transaction of the change, so never lost. */
import { randomUUID } from "node:crypto";
import type { SystemBody } from "../alerts/body-schema.ts";
import { hashId } from "../lib/ids.ts";
import type { Message, Severity, SystemEventType } from "../types/alert.ts";

type WatchEventType = Extract<SystemEventType, "watchlist.changed" | "watchlist.importRefused" | "watchlist.due">;

export function watchMessage(of: {
  /** Default: `watchlist.changed`. */
  readonly type?: WatchEventType;
  readonly subject: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>;
  readonly now: number;
}): Message {
  const at = new Date(of.now).toISOString();
  const body: SystemBody = {
    type: of.type ?? "watchlist.changed",
    timestamp: at,
    schemaVersion: "1",
    replay: false,
    test: false,
    data: { subject: of.subject, severity: of.severity, summary: of.summary, since: at, detail: { ...of.detail } },
  };
  const text = JSON.stringify(body);
  return {
    webhookId: hashId("msg", [text, randomUUID()]),
    type: body.type,
    body: text,
    severity: of.severity,
    alertId: null,
    revision: 0,
  };
}
