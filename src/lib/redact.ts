/** Nothing secret in a log, a metric or an error text. */

/** A URL with credentials, path and query removed: providers put keys in all three. */
export function redactUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "(not a URL)";
  }
  const tail = (url.pathname === "/" || url.pathname === "") && url.search === "" ? "" : "/…";
  // An `@` behind the host: the password may hold a `/`, `?` or `#` that was not escaped, and the host be a part of it.
  const host = `${url.pathname}${url.search}${url.hash}`.includes("@") ? "hidden" : url.host;
  return `${url.protocol}//${host}${tail}`;
}

// Up to the next blank, quote or angle bracket: a password may hold any other sign. Marks that close a sentence or a
// bracket around the URL are given back.
const URL_IN_TEXT = /(?:https?|wss?|rediss?|postgres(?:ql)?):\/\/[^\s"<>]+/gi;
// The look-behind keeps it linear: only the start of a run of marks is tried.
const CLOSING_MARKS = /(?<![)\]}'.,;:!])[)\]}'.,;:!]+$/;
const WEBHOOK_SECRET = /wh(?:sec|sk)_[A-Za-z0-9+/=_-]+/g;
const EVIDENCE_KEY = /hwsk_[A-Za-z0-9+/=_-]+/g;

/** A text with every URL, webhook secret and evidence key in it redacted. */
export function redactText(text: string): string {
  return text
    .replace(URL_IN_TEXT, (found) => {
      const closing = CLOSING_MARKS.exec(found)?.[0] ?? "";
      return redactUrl(found.slice(0, found.length - closing.length)) + closing;
    })
    .replace(WEBHOOK_SECRET, "whsec_…")
    .replace(EVIDENCE_KEY, "hwsk_…");
}

// Shorter parts of a URL are words such as `v2` or `rpc`.
const KEY_CHARS_MIN = 8;

/** A text in which no part of `url` that may be a key stands by itself: user, password, path, query. */
export function hideKeysOf(url: string, text: string): string {
  if (!URL.canParse(url)) return text;
  const { username, password, pathname, searchParams, hash } = new URL(url);
  const parts = [username, password, ...pathname.split("/"), ...searchParams.values(), hash.slice(1)];
  return parts
    .flatMap((part) => [part, decoded(part)])
    .filter((part) => part.length >= KEY_CHARS_MIN)
    .reduce((hidden, part) => hidden.replaceAll(part, "…"), text);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // Not percent-encoded after all.
  }
}
