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
  return `${url.protocol}//${url.host}${tail}`;
}

const URL_IN_TEXT = /\b(?:https?|wss?|rediss?|postgres(?:ql)?):\/\/[^\s"'<>)\]}]+/gi;
const WEBHOOK_SECRET = /\bwh(?:sec|sk)_[A-Za-z0-9+/=_-]+/g;

/** A text with every URL and webhook secret in it redacted. */
export function redactText(text: string): string {
  return text.replace(URL_IN_TEXT, (url) => redactUrl(url)).replace(WEBHOOK_SECRET, "whsec_…");
}
