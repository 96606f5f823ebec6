/** Checks of single values. Each answers null, or what is wrong without ever quoting the value: it may be a secret. */
import { isIP } from "node:net";
import type { Refusal } from "./problems.ts";
import { looksSecret } from "./problems.ts";

export type Check = (text: string) => Refusal | null;

const KNOWN_SCHEMES = [
  "http",
  "https",
  "ws",
  "wss",
  "postgres",
  "postgresql",
  "redis",
  "rediss",
  "mysql",
  "ftp",
  "file",
];

interface UrlRule {
  readonly schemes: readonly string[];
  /** Databases carry their password in the URL; HTTP headers exist for everything else. */
  readonly credentials: "allowed" | "refused";
  readonly allowed: string;
}

export const HTTP_URL: UrlRule = {
  schemes: ["http", "https"],
  credentials: "refused",
  allowed: "a URL that starts with http:// or https://",
};
export const WS_URL: UrlRule = {
  schemes: ["ws", "wss"],
  credentials: "refused",
  allowed: "a URL that starts with ws:// or wss://",
};
export const DATABASE_URL: UrlRule = {
  schemes: ["postgres", "postgresql"],
  credentials: "allowed",
  allowed: "a URL that starts with postgres:// or postgresql://",
};
export const REDIS_URL: UrlRule = {
  schemes: ["redis", "rediss"],
  credentials: "allowed",
  allowed: "a URL that starts with redis:// or rediss://",
};

export function checkUrl(rule: UrlRule): Check {
  return (text) => {
    const url = parseUrl(text);
    if (url === null) return { found: "a text that is not a URL", allowed: rule.allowed };
    const scheme = url.protocol.slice(0, -1);
    if (!rule.schemes.includes(scheme)) {
      const shown = KNOWN_SCHEMES.includes(scheme) ? `a URL that starts with ${scheme}:` : "a text with another scheme";
      return { found: shown, allowed: rule.allowed };
    }
    if (!text.toLowerCase().startsWith(`${scheme}://`)) return { found: "a URL without //", allowed: rule.allowed };
    if (rule.credentials === "refused" && (url.username !== "" || url.password !== "")) {
      return {
        found: "a URL with a user name or password in it",
        allowed: `${rule.allowed}, without credentials before the host`,
      };
    }
    return null;
  };
}

/** What may stand in a file that is committed and mailed around: no password, no query, nothing that looks like a key. */
export const checkHarmlessUrl: Check = (text) => {
  const url = parseUrl(text);
  if (url === null) return null;
  const allowed = "{ env: NAME } for a URL that holds a secret, so that it does not stand in the file";
  if (url.password !== "") return { found: "a URL with a password written in the file", allowed };
  if (url.search !== "") return { found: "a URL with a query written in the file: keys are sent there", allowed };
  if (url.pathname.split("/").some(looksSecret))
    return { found: "a URL with what looks like a key in its path", allowed };
  return null;
};

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

export const WEBHOOK_SECRET_ALLOWED =
  "whsec_ followed by the base64 of 24 to 64 random bytes, or whsk_ followed by the base64 of an ed25519 key";

/** Standard Webhooks 1.0: `whsec_` and base64 of 24..64 bytes (v1), `whsk_` and base64 of 32 or 64 bytes (v1a). */
export const checkWebhookSecret: Check = (text) => {
  const allowed = WEBHOOK_SECRET_ALLOWED;
  const prefix = /^(?:whsec_|whsk_)/.exec(text)?.[0];
  if (text.startsWith("whpk_")) return { found: "the receiver's public key", allowed };
  if (prefix === undefined) return { found: "a secret without the prefix whsec_ or whsk_", allowed };
  const base64 = text.slice(prefix.length);
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    return { found: `a secret whose part after ${prefix} is not base64`, allowed };
  }
  const bytes = Buffer.from(base64, "base64").length;
  const isRight = prefix === "whsec_" ? bytes >= 24 && bytes <= 64 : bytes === 32 || bytes === 64;
  return isRight ? null : { found: `a secret of ${bytes} bytes`, allowed };
};

export const EVIDENCE_KEY_ALLOWED = "hwsk_ followed by the base64 of 32 bytes, as heistwatch evidence keygen prints it";

export const checkEvidenceKey: Check = (text) => {
  const allowed = EVIDENCE_KEY_ALLOWED;
  if (text.startsWith("hwpk_")) return { found: "the public key", allowed };
  if (!text.startsWith("hwsk_")) return { found: "a key without the prefix hwsk_", allowed };
  const encoded = text.slice("hwsk_".length);
  const bytes = Buffer.from(encoded, "base64");
  return bytes.length === 32 && bytes.toString("base64") === encoded ? null : { found: "something else", allowed };
};

/** A header value goes out as it is; a line break in it would start another header. */
export const checkHeaderValue: Check = (text) => {
  const allowed = "printable ASCII characters, at most 4096";
  if (text.length > 4096) return { found: `a value of ${text.length} characters`, allowed };
  return /^[\x20-\x7e]+$/.test(text) ? null : { found: "a value with control or non-ASCII characters", allowed };
};

export const checkHost: Check = (text) => {
  const isName =
    text.length <= 253 &&
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(
      text,
    );
  // `300.1.1.1` has the form of a name too, but nobody means that.
  if (isIP(text) !== 0 || (isName && !/^[\d.]+$/.test(text))) return null;
  return {
    found: "a text that is neither an IP address nor a host name",
    allowed: "an IP address or host name, for example 127.0.0.1",
  };
};

export const CIDR_ALLOWED = "a network such as 10.20.0.0/16 or fd00:1::/32";

/** `/0` is refused: it would switch the guard off in one line. */
export function isCidr(text: string): boolean {
  const match = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text);
  const version = isIP(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  return version !== 0 && prefix >= 1 && prefix <= (version === 4 ? 32 : 128);
}

export const START_ALLOWED = "latest, a block number, or an ISO 8601 date such as 2025-02-21 or 2025-02-21T12:00:00Z";

/** Unix seconds of an ISO 8601 date, or null. A time needs its zone: local time differs between two machines. */
export function parseIsoDate(text: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  if (match === null) return null;
  // Date.parse takes 2025-02-30 for 2 March.
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

export const DECIMAL_ALLOWED = 'a decimal number as a text in quotes, such as "0.0001"';

/** A decimal text as base units; null when it has more digits after the point than the asset. */
export function parseDecimal(text: string, decimals: number): bigint | null {
  const match = /^(0|[1-9]\d{0,30})(?:\.(\d{1,30}))?$/.exec(text);
  const fraction = match?.[2] ?? "";
  if (match === null || fraction.length > decimals) return null;
  return BigInt(`${match[1]}${fraction.padEnd(decimals, "0")}`);
}
