/** The `Retry-After` header of an answer in, milliseconds from now out; null when it says nothing we can use. */

// A year: far above every clamp of the schedule, and small enough that the sum with a clock stays a safe integer.
const ASKED_MAX_MS = 365 * 24 * 60 * 60 * 1_000;

const SECONDS = /^\d{1,20}$/;
// Date.parse alone takes "-5" for a day in 2001. Only the date form that HTTP senders must use (RFC 9110 5.6.7) passes.
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Anything hostile or odd (negative, NaN, 1e99, words) is null: the schedule's own wait applies. */
export function parseRetryAfter(header: string | readonly string[] | undefined, now: number): number | null {
  const text = (typeof header === "string" ? header : header?.[0])?.trim() ?? "";
  if (SECONDS.test(text)) return Math.min(Number(text) * 1_000, ASKED_MAX_MS);
  if (!HTTP_DATE.test(text)) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  return Math.min(Math.max(at - now, 0), ASKED_MAX_MS);
}
