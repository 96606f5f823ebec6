/**
 * A failed send in, one plain line for an operator out. What always holds: no URL path, query or secret in it.
 * The line is also how `attempt.ts` knows a timeout: an outcome has no other place for it.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { AddressRefusedError } from "./address-guard.ts";
import { TlsFilesError } from "./tls-files.ts";

const TIMED_OUT = "timed out";

/** The send was cut by us. */
export class SendCut extends Error {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }
}

export function timeoutText(timeoutMs: number): string {
  return `${TIMED_OUT} after ${timeoutMs} ms`;
}

export function isTimeoutText(text: string): boolean {
  return text.startsWith(TIMED_OUT);
}

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed before an answer came",
  EPIPE: "connection closed before an answer came",
  UND_ERR_SOCKET: "connection closed before an answer came",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name could not be looked up (DNS does not answer)",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the host",
  EADDRNOTAVAIL: "no local address or port left to connect from",
  EMFILE: "too many open files on this machine",
  ETIMEDOUT: `${TIMED_OUT} while connecting`,
  UND_ERR_CONNECT_TIMEOUT: `${TIMED_OUT} while connecting`,
  UND_ERR_HEADERS_OVERFLOW: "the answer's headers are too long",
  UND_ERR_DESTROYED: "the sink is closed",
  UND_ERR_CLOSED: "the sink is closed",
};

// OpenSSL's certificate verdicts, as Node names them.
const CERTIFICATE_CODE =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CRL_|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

/** One line about why nothing came back. */
export function failureText(error: unknown): string {
  if (error instanceof SendCut) return error.text;
  if (error instanceof AddressRefusedError || error instanceof TlsFilesError) return error.message;
  const code = codeOf(error);
  if (code !== null) {
    const known = BY_CODE[code];
    if (known !== undefined) return known;
    if (CERTIFICATE_CODE.test(code)) return `TLS certificate not accepted (${code})`;
    if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) {
      return `TLS handshake failed (${code})`;
    }
  }
  // By name: undici leaves this one's code empty.
  if (error instanceof Error && error.name === "HTTPParserError") return "the answer is not valid HTTP";
  return redactText(describeError(error));
}

function codeOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
