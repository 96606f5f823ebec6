/**
 * PagerDuty, Events API v2: one incident per alert. Every revision is told under the same key, a retraction resolves it.
 * Limits and answers: developer.pagerduty.com/docs/events-api-v2 (summary 1,024 characters, key 255, event 512 kB;
 * 202 taken, 400 never, 429 too many).
 */
import type { Severity } from "../../types/alert.ts";
import type { PagerdutySinkConfig } from "../../types/sink-config.ts";
import type { Sink } from "../../types/sink.ts";
import { hashId } from "../../lib/ids.ts";
import { shortened } from "../../lib/outside-text.ts";
import { redactUrl } from "../../lib/redact.ts";
import { briefOf } from "../brief.ts";
import { factText } from "../fit.ts";
import { readNativeBody } from "../native-body.ts";
import {
  answerField,
  checkedUrl,
  createHttpSink,
  type HttpAnswer,
  type HttpSinkDeps,
  outcomeOfService,
  postJson,
} from "../http-sink.ts";

const SUMMARY_CHARS_MAX = 1_024;

const SEVERITY: Readonly<Record<Severity, string>> = {
  critical: "critical",
  high: "error",
  medium: "warning",
  low: "info",
  info: "info",
};

export function createPagerdutySink(config: PagerdutySinkConfig, deps: HttpSinkDeps): Sink {
  const base = checkedUrl({ ...config, url: config.apiUrl });
  const url = new URL(`${base.href.replace(/\/$/, "")}/v2/enqueue`);
  const service = {
    description: `pagerduty ${redactUrl(config.apiUrl)}`,
    keepsState: true,
    secrets: [config.routingKey],
    request: ({ body }: { readonly body: string }) =>
      postJson(url, { routing_key: config.routingKey, ...pagerdutyEvent(body, config) }),
    outcomeOf: (answer: HttpAnswer) => outcomeOfService(answer, { url, now: deps.now(), reason: reasonOf(answer) }),
  };
  return createHttpSink(service, config, deps);
}

/** Everything but the key that says whose event it is. */
export function pagerdutyEvent(body: string, of: { readonly customerReference: boolean }): object {
  const { type, timestamp, alert, system } = readNativeBody(body);
  const brief = briefOf(body, of);
  // What has recovered has the subject of what was degraded; two alarms of one subject are one incident.
  const key = alert?.alertId ?? hashId("sys", [system?.subject ?? ""]);
  if (brief.isRetraction || type.endsWith(".recovered") || type.endsWith(".withdrawn"))
    return { event_action: "resolve", dedup_key: key };
  return {
    event_action: "trigger",
    dedup_key: key,
    client: "heistwatch",
    payload: {
      summary: shortened(`${brief.title}. ${brief.summary}`, SUMMARY_CHARS_MAX),
      source: alert === null ? "heistwatch" : `heistwatch ${alert.chain.name}`,
      severity: SEVERITY[brief.severity],
      timestamp,
      class: alert?.kind ?? type,
      custom_details: Object.fromEntries<string>([
        ...brief.facts.map((fact) => [fact.name, factText(fact)] as const),
        ["Id", brief.footer],
      ]),
    },
    ...(brief.link === null ? {} : { links: [{ href: brief.link, text: "Evidence" }] }),
  };
}

function reasonOf(answer: HttpAnswer): string {
  if (answer.status < 400) return "";
  const errors = answerField(answer, "errors");
  const message = answerField(answer, "message");
  const texts = [message, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return texts.filter((text) => typeof text === "string").join(", ");
}
