/** A mail server on this machine (smtp-server, by the makers of nodemailer): real SMTP, real TLS. */
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came, headers and all. */
  readonly raw: string;
  readonly secure: boolean;
  readonly user: string | null;
}

export interface SmtpStub {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** The answer to a recipient from now on; code 0 takes it. */
  answerRecipient(address: string, code: number): void;
  /** The answer to the message itself from now on; code 0 takes it. */
  answerMessage(code: number): void;
  stop(): Promise<void>;
}

export const SMTP_LOGIN = { user: "alerts", password: "smtp-password-canary" };

export async function startSmtp(options: SMTPServerOptions): Promise<SmtpStub> {
  const mails: ReceivedMail[] = [];
  const recipients = new Map<string, number>();
  let messageCode = 0;
  const server = new SMTPServer({
    size: 1_000_000,
    onAuth: ({ username, password }, _session, answer) =>
      username === SMTP_LOGIN.user && password === SMTP_LOGIN.password
        ? answer(null, { user: username })
        : answer(refusal(535, `Authentication failed for ${password ?? ""}`)),
    onRcptTo: ({ address }, _session, answer) => {
      const refused = recipients.get(address) ?? 0;
      return answer(refused === 0 ? null : refusal(refused, `No: ${address}`));
    },
    onData: (stream, session, answer) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (messageCode !== 0) return answer(refusal(messageCode, "Message not taken"));
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
          secure: session.secure,
          user: typeof session.user === "string" ? session.user : null,
        });
        answer(null, "Message taken");
      });
    },
    ...options,
  });
  // A client that does not trust us hangs up in the middle of the handshake.
  server.on("error", () => undefined);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    answerRecipient: (address, code) => void recipients.set(address, code),
    answerMessage: (code) => void (messageCode = code),
    stop: () => new Promise((stopped) => server.close(() => stopped())),
  };
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
