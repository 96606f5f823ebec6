/**
 * CloudEvents 1.0.2 in structured mode (github.com/cloudevents/spec, cloudevents/spec.md and formats/json-format.md).
 * `data` is the native `data`; the envelope's flags are extension attributes, whose names are lower case by the rules.
 */
import type { NativeMessage } from "../native-body.ts";

export function cloudEventOf(message: NativeMessage, webhookId: string): Record<string, unknown> {
  const { alert, system } = message;
  return {
    specversion: "1.0",
    id: webhookId,
    source: alert === null ? "/heistwatch" : `/heistwatch/${encodeURIComponent(alert.chain.id)}`,
    // A reverse domain name of ours, and the version of `data`: a new shape gets a new type.
    type: `io.heistwatch.${message.type}.v1`,
    // An empty subject is not allowed.
    ...subjectOf(alert?.alertId ?? system?.subject ?? ""),
    time: message.timestamp,
    datacontenttype: "application/json",
    replay: message.replay,
    test: message.test,
    data: message.data,
  };
}

function subjectOf(subject: string): { subject?: string } {
  return subject === "" ? {} : { subject };
}
