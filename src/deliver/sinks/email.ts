/**
 * Email by SMTP, in plain text. Who has taken a message is remembered, so that a second attempt goes to the others only.
 * - A recipient put off (4xx) is tried again; one refused for good (5xx) makes a dead letter that names them.
 * - Without TLS nothing is sent, unless the configuration says `tls: none`.
 */
import { callbackify } from "node:util";
import { createTransport } from "nodemailer";
import type { SMTPTransportOptions } from "nodemailer/lib/smtp-transport";
import type { EmailSinkConfig } from "../../types/sink-config.ts";
import type { SendOutcome, Sink, SinkMessage } from "../../types/sink.ts";
import { describeError } from "../../lib/errors.ts";
import { printable, shortened } from "../../lib/outside-text.ts";
import type { ResolveAll } from "../address-guard.ts";
import { type Brief, briefOf } from "../brief.ts";
import { withoutSecrets } from "../excerpt.ts";
import { failureText } from "../failure-text.ts";
import { factText } from "../fit.ts";
import { createDial, readPem } from "../guarded-dial.ts";
import { readNativeBody } from "../native-body.ts";
import { type Cut, retryLater, withinTime } from "../send-clock.ts";

// Mail servers unfold and cut longer ones; RFC 5322 allows 998.
const SUBJECT_CHARS_MAX = 200;
const REASON_CHARS_MAX = 300;
/** Messages of which some recipients have theirs. Forgotten: those get it twice, with the same Message-ID. */
const REMEMBERED_MAX = 1_000;

export interface EmailSinkDeps {
  readonly resolve?: ResolveAll;
}

/** One recipient's "no", as nodemailer tells it. */
interface Refusal {
  readonly recipient?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

export function createEmailSink(config: EmailSinkConfig, deps: EmailSinkDeps): Sink {
  const { name, host, port, timeoutMs, to, login } = config;
  const ca = readPem({ name, option: "caFile", path: config.caFile });
  const dial = createDial({ ...config, resolve: deps.resolve });
  const taken = new Map<string, Set<string>>();
  const closing = new AbortController();

  async function deliver(message: SinkMessage, cut: Cut): Promise<SendOutcome> {
    const done = takenBy(taken, message.webhookId);
    const waiting = to.filter((address) => !done.has(address));
    const transport = createTransport(transportOptions({ config, ca, dial, cut }));
    try {
      const mail = { ...mailOf(message, config), to: [...to], envelope: { from: config.from, to: waiting } };
      const sent = transport.sendMail({ ...mail, signal: cut.signal });
      sent.catch(() => undefined);
      const { response, rejectedErrors = [] } = (await Promise.race([sent, cut.happened])) as {
        response: string;
        rejectedErrors?: readonly Refusal[];
      };
      const refused = new Set(rejectedErrors.map(({ recipient }) => recipient));
      for (const address of waiting) if (!refused.has(address)) done.add(address);
      // Nobody waits any more: sent again, it is meant for all.
      if (refused.size === 0) taken.delete(message.webhookId);
      return outcomeOf(rejectedErrors, { of: to.length, excerpt: said(response) });
    } catch (error) {
      return outcomeOfError(error, { of: to.length });
    } finally {
      transport.close();
    }
  }

  const said = (text: string) =>
    shortened(printable(withoutSecrets(text, login === null ? [] : [login.password])), REASON_CHARS_MAX);

  function outcomeOf(refusals: readonly Refusal[], of: { of: number; excerpt: string }): SendOutcome {
    const [first] = refusals;
    if (first === undefined) return { result: "delivered", status: 250, excerpt: of.excerpt };
    // Whoever was only put off is asked again first: a refusal for good waits until nobody else is.
    const putOff = refusals.filter(({ responseCode = 0 }) => responseCode < 500);
    const told = putOff.length > 0 ? putOff : refusals;
    const names = told.map(({ recipient = "", response = "" }) => `${recipient} (${said(response)})`).join(", ");
    const error = `${told.length} of ${of.of} recipients ${putOff.length > 0 ? "put off" : "refused"}: ${shortened(names, REASON_CHARS_MAX)}`;
    const status = told[0]?.responseCode ?? null;
    return putOff.length > 0
      ? { result: "retry", status, error, afterMs: null, excerpt: of.excerpt }
      : { result: "rejected", status, error, excerpt: of.excerpt };
  }

  function outcomeOfError(error: unknown, of: { of: number }): SendOutcome {
    const { rejectedErrors, responseCode, code, response } = error as {
      rejectedErrors?: readonly Refusal[];
      responseCode?: number;
      code?: string;
      response?: string;
    };
    if (rejectedErrors !== undefined && rejectedErrors.length > 0)
      return outcomeOf(rejectedErrors, { ...of, excerpt: "" });
    if (typeof responseCode !== "number") return retryLater(said(failureText(error)));
    const answer = `answered ${said(response ?? describeError(error))}`;
    // The sender or the message; a login or a greeting that is refused can be put right, and then this goes out.
    if (responseCode >= 500 && (code === "EENVELOPE" || code === "EMESSAGE"))
      return { result: "rejected", status: responseCode, error: answer, excerpt: "" };
    return { result: "retry", status: responseCode, error: answer, afterMs: null, excerpt: "" };
  }

  return {
    name,
    kind: config.kind,
    keepsState: false,
    describe: () => `email ${host}, port ${port}, to ${to.length} ${to.length === 1 ? "address" : "addresses"}`,
    send: (message, signal) =>
      withinTime({ caller: AbortSignal.any([signal, closing.signal]), timeoutMs }, (cut) => deliver(message, cut)),
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

function transportOptions(of: {
  readonly config: EmailSinkConfig;
  readonly ca: string | undefined;
  readonly dial: ReturnType<typeof createDial>;
  readonly cut: Cut;
}): SMTPTransportOptions {
  const { config, ca, dial, cut } = of;
  const { host, port, tls, login, timeoutMs } = config;
  return {
    host,
    port,
    secure: tls === "tls",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 0,
    // What is told is in memory: no part of a mail may name a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: ca === undefined ? {} : { ca },
    // The name is looked up and checked by our dial; nodemailer only speaks on the connection.
    getSocket: callbackify(async (_options: SMTPTransportOptions) => ({ connection: await dial(cut) })),
  };
}

/** No word from outside is in a header but the sanitized summary's, and nodemailer folds and encodes it. */
function mailOf(message: SinkMessage, of: EmailSinkConfig) {
  const brief = briefOf(message.body, of);
  const { alert } = readNativeBody(message.body);
  const thread =
    alert === null ? {} : { references: `<${alert.alertId}@heistwatch>`, inReplyTo: `<${alert.alertId}@heistwatch>` };
  return {
    from: { name: "heistwatch", address: of.from },
    subject: shortened(`[heistwatch] ${brief.title}`, SUBJECT_CHARS_MAX),
    // The same at every attempt: a mailbox that has it already can tell.
    messageId: `<${message.webhookId}@heistwatch>`,
    ...thread,
    headers: { "Auto-Submitted": "auto-generated", "X-Heistwatch-Severity": brief.severity },
    text: emailText(brief),
  };
}

export function emailText({ title, summary, facts, footer, link }: Brief): string {
  const lines = [
    title,
    "",
    ...(summary === "" ? [] : [summary, ""]),
    ...facts.map((fact) => `${fact.name}: ${factText(fact)}`),
    ...(link === null ? [] : ["", link]),
    "",
    // The signature mark of mail programs.
    "-- ",
    footer,
  ];
  return `${lines.join("\n")}\n`;
}

function takenBy(taken: Map<string, Set<string>>, webhookId: string): Set<string> {
  const known = taken.get(webhookId) ?? new Set<string>();
  taken.delete(webhookId);
  taken.set(webhookId, known);
  const [oldest] = taken.keys();
  if (taken.size > REMEMBERED_MAX && oldest !== undefined) taken.delete(oldest);
  return known;
}
