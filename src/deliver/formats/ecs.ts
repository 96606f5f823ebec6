/**
 * Elastic Common Schema 8.17 (elastic.co/guide/en/ecs): an alert is `event.kind: alert` with the first watch entry as
 * rule and threat indicator; the native data stands whole under `heistwatch`, a namespace of our own as ECS asks for.
 */
import type { Severity } from "../../types/alert.ts";
import { printable } from "../../lib/outside-text.ts";
import { type AlertFacts, type NativeMessage, unixMsOf, type WatchFacts } from "../native-body.ts";
import type { EventContext } from "./ocsf.ts";

const VERSION = "8.17.0";

/** The numbers Elastic's own detection rules use for these words. */
const SEVERITY: Readonly<Record<Severity, number>> = { info: 1, low: 21, medium: 47, high: 73, critical: 99 };

export function ecsOf(message: NativeMessage, context: EventContext): Record<string, unknown> {
  const { alert, system } = message;
  const facts = alert ?? system;
  const time = new Date(unixMsOf(message.timestamp, context.sentAt)).toISOString();
  const summary = printable(facts?.summary ?? "");
  return {
    "@timestamp": time,
    ecs: { version: VERSION },
    message: summary,
    tags: ["heistwatch", ...(message.test ? ["test"] : []), ...(message.replay ? ["replay"] : [])],
    observer: { vendor: "heistwatch", product: "heistwatch", type: "blockchain-monitor", version: context.version },
    event: {
      ...(alert === null
        ? { kind: "event", dataset: "heistwatch.system" }
        : { kind: "alert", category: ["threat"], type: ["indicator"], dataset: "heistwatch.alert" }),
      module: "heistwatch",
      provider: "heistwatch",
      id: context.webhookId,
      action: message.type,
      created: time,
      severity: SEVERITY[facts?.severity ?? "info"],
      reason: summary,
      ...(alert === null ? {} : { risk_score: alert.score.total, sequence: alert.revision }),
      ...(alert?.evidenceUrl == null ? {} : { url: alert.evidenceUrl }),
    },
    ...(alert === null ? {} : ruleOf(alert)),
    heistwatch: message.data,
  };
}

function ruleOf({ watch }: AlertFacts): Record<string, unknown> {
  const [first] = watch;
  if (first === undefined) return {};
  const reference = first.sources[0];
  return {
    rule: {
      id: first.entry,
      name: printable(first.incidentName ?? first.incident),
      category: first.role,
      ruleset: first.list,
      ...(reference === undefined ? {} : { reference }),
    },
    // `type` is left out: ECS has no value for a wallet.
    threat: {
      indicator: {
        name: first.address,
        description: printable(first.label),
        provider: first.list,
        confidence: confidenceOf(first),
        ...(reference === undefined ? {} : { reference }),
      },
    },
  };
}

/** As the flow engine weighs a basis: official, two sources, one. */
function confidenceOf({ basis, independentSources }: WatchFacts): "High" | "Medium" | "Low" {
  if (basis === "researcher") return independentSources >= 2 ? "Medium" : "Low";
  return basis === "explorer" ? "Low" : "High";
}
