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
import { shortened } from "../../lib/outside-text.ts";
import type { ResolveAll } from "../address-guard.ts";
import { type Brief, briefOf } from "../brief.ts";
import { factText } from "../fit.ts";
import { createDial, readPem } from "../guarded-dial.ts";
import { readNativeBody } from "../native-body.ts";
import { type Cut, withinTime } from "../send-clock.ts";
import { outcomeOfError, outcomeOfRefusals, type Refusal } from "../smtp-outcome.ts";

// Mail servers unfold and cut longer ones; RFC 5322 allows 998.
const SUBJECT_CHARS_MAX = 200;
/** Messages of which some recipients have theirs. Forgotten: those get it twice, with the same Message-ID. */
const REMEMBERED_MAX = 1_000;

export interface EmailSinkDeps {
  readonly resolve?: ResolveAll;
}

export function createEmailSink(config: EmailSinkConfig, deps: EmailSinkDeps): Sink {
  const { name, host, port, timeoutMs, to, login } = config;
  const ca = readPem({ name, option: "caFile", path: config.caFile });
  const dial = createDial({ ...config, resolve: deps.resolve });
  const taken = new Map<string, Set<string>>();
  const closing = new AbortController();
  const asked = { recipients: to.length, secrets: login === null ? [] : [login.password] };

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
      return outcomeOfRefusals(rejectedErrors, { ...asked, response });
    } catch (error) {
      return outcomeOfError(error, asked);
    } finally {
      transport.close();
    }
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
