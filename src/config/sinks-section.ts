/** Whom to tell: webhooks of one's own, the console, and every other kind of sink. */
import { z } from "zod";
import {
  checkHarmlessUrl,
  checkHeaderValue,
  checkUrl,
  checkWebhookSecret,
  HTTP_URL,
  WEBHOOK_SECRET_ALLOWED,
} from "./checks.ts";
import { list, secret, section, shortName, value } from "./fields.ts";
import type { ReadEnv } from "./secrets.ts";
import { grouping, lane, oldSecrets, refuseHalfCertificate, tlsFiles, updates } from "./sink-delivery.ts";
import {
  allowHttp,
  allowNetworks,
  bodyFormat,
  concurrency,
  furtherSinks,
  heartbeat,
  refusePlainHttp,
  timeoutMs,
} from "./sink-schema.ts";

const always = () => true;

const webhookSink = (readEnv: ReadEnv) =>
  section({
    kind: z.literal("webhook").describe("Signed HTTP POST (Standard Webhooks)."),
    name: shortName().describe("Name in logs, metrics and the delivery record. A new name is a new sink."),
    url: value({
      readEnv,
      allowed: HTTP_URL.allowed,
      check: checkUrl(HTTP_URL),
      checkWritten: checkHarmlessUrl,
    }).describe("Where to POST."),
    secrets: list(
      secret({ readEnv, allowed: WEBHOOK_SECRET_ALLOWED, check: checkWebhookSecret }),
      "a list of one or two { env: NAME }",
    )
      .min(1, { error: "a list of one or two { env: NAME }" })
      .max(2, { error: "at most 2 secrets: the new one first, the old one until the receiver has changed over" })
      .describe(
        `Signing keys: ${WEBHOOK_SECRET_ALLOWED}. Each signs: one of each kind, or two during a rotation, the new one first.`,
      ),
    oldSecrets: oldSecrets(readEnv),
    timeoutMs: timeoutMs(),
    concurrency: concurrency(),
    ...lane(),
    ...tlsFiles(),
    headers: z
      .record(
        z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/),
        value({ readEnv, allowed: "a header value", check: checkHeaderValue }),
        {
          error: (issue) =>
            issue.code === "invalid_key" ? "the name of an HTTP header" : "a mapping of header names to values",
        },
      )
      .default({})
      .describe("Extra request headers. Secret ones as { env: NAME }."),
    allowNetworks: allowNetworks(),
    allowHttp: allowHttp(),
    heartbeat: heartbeat(),
    grouping: grouping(),
    updates: updates(),
    format: bodyFormat().optional(),
  }).superRefine(
    (sink, context) => {
      refuseHalfCertificate(sink, context);
      refusePlainHttp(sink, context, "url");
    },
    { when: always },
  );

const consoleSink = () =>
  section({
    kind: z.literal("console").describe("One line on standard output."),
    name: shortName().default("console").describe("Name in logs, metrics and the delivery record."),
    heartbeat: heartbeat(),
    grouping: grouping(),
    updates: updates(),
  });

const SINK_KINDS = "webhook, console, slack, teams, discord, telegram, pagerduty, splunk, syslog, email, file, stdout";

const sinkList = (readEnv: ReadEnv) =>
  list(
    z.discriminatedUnion("kind", [webhookSink(readEnv), consoleSink(), ...furtherSinks(readEnv)], {
      error: `a mapping with kind: ${SINK_KINDS}`,
    }),
    "a list of sinks",
  ).default([]);

export const sinks = (readEnv: ReadEnv) =>
  section({
    alerts: sinkList(readEnv).describe("Alerts go to all of these. None: to the console."),
    operations: sinkList(readEnv).describe("Alarms about heistwatch itself go to these. None: to the console."),
  });
