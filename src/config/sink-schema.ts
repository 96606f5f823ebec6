/** What a user writes for the sinks that are not a webhook of one's own. */
import { z } from "zod";
import { BODY_FORMATS } from "../types/sink-config.ts";
import { checkHarmlessUrl, checkHost, checkUrl, CIDR_ALLOWED, HTTP_URL, isCidr } from "./checks.ts";
import type { Check } from "./checks.ts";
import { addRefusal, choice, filePath, list, secret, section, shortName, text, value, wholeNumber } from "./fields.ts";
import type { ReadEnv } from "./secrets.ts";
import { grouping, lane, refuseHalfCertificate, tlsFiles, updates } from "./sink-delivery.ts";

export const heartbeat = () =>
  z
    .boolean({ error: "true or false" })
    .optional()
    .describe(
      "Send system.heartbeat for each chain once a minute: what stops coming tells that heistwatch stopped. Default: false.",
    );

export const allowNetworks = () =>
  list(
    z
      .string({ error: CIDR_ALLOWED })
      .refine(isCidr, { error: CIDR_ALLOWED, params: { found: "a text that is not such a network" } }),
    `a list of ${CIDR_ALLOWED}`,
  )
    .default([])
    .describe(
      "CIDRs of private networks this sink may be in. Loopback and private addresses are refused unless listed.",
    );

export const bodyFormat = () =>
  choice(BODY_FORMATS).describe(
    "native (the default): as docs/alert.schema.json; cloudevents: CloudEvents 1.0, structured; ocsf: OCSF Detection Finding; ecs: Elastic Common Schema (the default of syslog).",
  );

export const allowHttp = () =>
  z.boolean({ error: "true or false" }).default(false).describe("Allow a URL without TLS.");

export const timeoutMs = () =>
  wholeNumber(100, 60_000)
    .default(15_000)
    .describe("An attempt without an answer has failed after this many milliseconds.");

export const concurrency = () =>
  wholeNumber(1, 256).default(4).describe("At most this many attempts under way at once.");

const sinkName = () => shortName().describe("Name in logs, metrics and the delivery record. A new name is a new sink.");

const customerReference = () =>
  z
    .boolean({ error: "true or false" })
    .default(false)
    .describe("Say whose address is touched (customerRef). Off: what leaves the house names the address only.");

const dials = () => ({
  name: sinkName(),
  timeoutMs: timeoutMs(),
  allowNetworks: allowNetworks(),
  ...lane(),
  grouping: grouping(),
  updates: updates(),
});

/** A plain http URL needs a second word, wherever the URL comes from. */
export function refusePlainHttp(
  sink: { readonly [option: string]: unknown },
  context: z.core.$RefinementCtx,
  option: string,
): void {
  // Runs beside other problems of the sink too, so the fields may hold anything.
  const url = sink[option];
  if (typeof url !== "string" || !url.startsWith("http:") || sink["allowHttp"] === true) return;
  addRefusal(
    context,
    { found: "a URL without TLS (http:)", allowed: "https:, or http: together with allowHttp: true" },
    [option],
  );
}

const always = () => true;

const chatHook = <Kind extends string>(readEnv: ReadEnv, kind: Kind, what: string) =>
  section({
    kind: z.literal(kind).describe(what),
    ...dials(),
    url: secret({ readEnv, allowed: HTTP_URL.allowed, check: checkUrl(HTTP_URL) }).describe(
      "The webhook's URL. Whoever has it can post, so it is a secret.",
    ),
    allowHttp: allowHttp(),
    customerReference: customerReference(),
  }).superRefine((sink, context) => refusePlainHttp(sink, context, "url"), { when: always });

const apiUrl = (readEnv: ReadEnv, usual: string) =>
  value({ readEnv, allowed: HTTP_URL.allowed, check: checkUrl(HTTP_URL), checkWritten: checkHarmlessUrl }).prefault(
    usual,
  );

/** Printable, without spaces: whatever a service calls its keys. */
const key = (allowed: string, pattern: RegExp): { allowed: string; check: Check } => ({
  allowed,
  check: (written) => (pattern.test(written) ? null : { found: "something else", allowed }),
});

const TELEGRAM_TOKEN = key("a bot token such as 123456:ABC-DEF", /^\d{1,20}:[A-Za-z0-9_-]{20,100}$/);
const TELEGRAM_CHAT = key('a chat id in quotes such as "-1001234567890", or @channel', /^(-?\d{1,20}|@\w{1,64})$/);

const telegram = (readEnv: ReadEnv) =>
  section({
    kind: z.literal("telegram").describe("A Telegram chat, through a bot of yours."),
    ...dials(),
    token: secret({ readEnv, ...TELEGRAM_TOKEN }).describe("The bot's token."),
    chatId: value({ readEnv, ...TELEGRAM_CHAT }).describe("The chat, group or channel."),
    apiUrl: apiUrl(readEnv, "https://api.telegram.org").describe("The Bot API; another one where you run your own."),
    allowHttp: allowHttp(),
    customerReference: customerReference(),
  }).superRefine((sink, context) => refusePlainHttp(sink, context, "apiUrl"), { when: always });

const ROUTING_KEY = key("an integration key of 32 characters", /^[A-Za-z0-9]{32}$/);

const pagerduty = (readEnv: ReadEnv) =>
  section({
    kind: z.literal("pagerduty").describe("PagerDuty, Events API v2: one incident per alert, resolved when retracted."),
    ...dials(),
    routingKey: secret({ readEnv, ...ROUTING_KEY }).describe("Integration key of the service (Events API v2)."),
    apiUrl: apiUrl(readEnv, "https://events.pagerduty.com").describe(
      "https://events.eu.pagerduty.com for accounts in the EU.",
    ),
    allowHttp: allowHttp(),
    customerReference: customerReference(),
  }).superRefine((sink, context) => refusePlainHttp(sink, context, "apiUrl"), { when: always });

const HEC_TOKEN = key("a token such as 12345678-1234-1234-1234-123456789012", /^[!-~]{8,128}$/);

const splunk = (readEnv: ReadEnv) =>
  section({
    kind: z.literal("splunk").describe("Splunk, HTTP Event Collector."),
    ...dials(),
    url: value({
      readEnv,
      allowed: HTTP_URL.allowed,
      check: checkUrl(HTTP_URL),
      checkWritten: checkHarmlessUrl,
    }).describe("The collector, without a path: https://splunk.example.com:8088."),
    token: secret({ readEnv, ...HEC_TOKEN }).describe("Token of the collector's input."),
    format: bodyFormat().default("native"),
    concurrency: concurrency(),
    index: text(/^[a-z0-9][a-z0-9_-]{0,79}$/, "the name of an index")
      .nullable()
      .default(null)
      .describe("Index; null: as the token says."),
    sourcetype: text(/^[\w:-]{1,64}$/, "a source type such as _json")
      .default("_json")
      .describe("Source type. _json keeps events of any length."),
    acknowledge: z
      .boolean({ error: "true or false" })
      .default(true)
      .describe("Delivered once the indexers have it (the token needs indexer acknowledgement); false: once taken."),
    ...tlsFiles(),
    allowHttp: allowHttp(),
    heartbeat: heartbeat(),
  }).superRefine(
    (sink, context) => {
      refuseHalfCertificate(sink, context);
      refusePlainHttp(sink, context, "url");
    },
    { when: always },
  );

const host = (readEnv: ReadEnv) => value({ readEnv, allowed: "an IP address or host name", check: checkHost });
const port = () => wholeNumber(1, 65_535);
const pemFile = () => filePath().nullable().default(null);

const syslog = (readEnv: ReadEnv) =>
  section({
    kind: z.literal("syslog").describe("Syslog, RFC 5424 over TLS (RFC 5425)."),
    ...dials(),
    host: host(readEnv).describe("Host of the collector."),
    port: port().default(6514).describe("TCP port."),
    format: bodyFormat().default("ecs"),
    caFile: pemFile().describe("PEM file of the authorities to trust; null: the system's."),
    certFile: pemFile().describe("PEM file of our own certificate, where the collector asks for one."),
    keyFile: pemFile().describe("PEM file of its key."),
    heartbeat: heartbeat(),
  }).superRefine(
    (sink, context) => {
      if ((sink.certFile === null) === (sink.keyFile === null)) return;
      addRefusal(context, { found: "one of certFile and keyFile", allowed: "both, or neither" }, []);
    },
    // Beside other problems they may not even be there.
    { when: ({ issues }) => issues.length === 0 },
  );

const ADDRESS_ALLOWED = "an address such as alerts@example.com";
// No quotes, spaces or control characters: nothing that could end a header or an SMTP command.
const mailbox = () => text(/^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}$/, ADDRESS_ALLOWED);

const email = (readEnv: ReadEnv) =>
  section({
    kind: z.literal("email").describe("Email by SMTP."),
    ...dials(),
    host: host(readEnv).describe("Host of the mail server."),
    port: port().default(587).describe("TCP port: 587 for starttls, 465 for tls."),
    tls: choice(["starttls", "tls", "none"])
      .default("starttls")
      .describe("starttls, tls: refuse to go on in clear. none: only for a relay on this machine; no login then."),
    login: section({
      user: text(/^[!-~]{1,256}$/, "a user name without spaces").describe("User name."),
      password: secret({
        readEnv,
        ...key("a password of 1 to 512 visible characters", /^[ -~]{1,512}$/),
      }).describe("Its password."),
    })
      .nullable()
      .default(null)
      .describe("Null: the server takes mail without a login."),
    from: mailbox().describe("Sender."),
    to: list(mailbox(), `a list of ${ADDRESS_ALLOWED}`)
      .min(1, { error: "at least one address" })
      .max(50, { error: "at most 50 addresses: use a mailing list" })
      .describe("Recipients."),
    caFile: pemFile().describe("PEM file of the authorities to trust; null: the system's."),
    customerReference: customerReference(),
  }).superRefine(
    (sink, context) => {
      if (sink.tls !== "none" || sink.login === null) return;
      addRefusal(context, { found: "a login over a connection in clear", allowed: "tls: starttls or tls" }, ["login"]);
    },
    { when: ({ issues }) => issues.length === 0 },
  );

const file = () =>
  section({
    kind: z.literal("file").describe("A file of JSON lines, synced to disk before a message counts as delivered."),
    name: sinkName(),
    grouping: grouping(),
    updates: updates(),
    path: filePath().describe("The file. Its folder must exist. Rotate it by renaming; it is opened anew each time."),
    format: bodyFormat().default("native"),
    heartbeat: heartbeat(),
  });

const stdout = () =>
  section({
    kind: z.literal("stdout").describe("JSON lines on standard output, for a log collector."),
    grouping: grouping(),
    updates: updates(),
    name: shortName().default("stdout").describe("Name in logs, metrics and the delivery record."),
    format: bodyFormat().default("native"),
    heartbeat: heartbeat(),
  });

/** All of them, for the union over `kind`. */
export const furtherSinks = (readEnv: ReadEnv) =>
  [
    chatHook(readEnv, "slack", "A Slack channel, by an incoming webhook."),
    chatHook(readEnv, "teams", "A Microsoft Teams channel, by a webhook of Workflows."),
    chatHook(readEnv, "discord", "A Discord channel, by a webhook."),
    telegram(readEnv),
    pagerduty(readEnv),
    splunk(readEnv),
    syslog(readEnv),
    email(readEnv),
    file(),
    stdout(),
  ] as const;
