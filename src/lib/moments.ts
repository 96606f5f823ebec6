/** Dates as lists write them, UTC: a day, `YYYY-MM-DD`, or a moment, `YYYY-MM-DDThh:mm[:ss[.f]]Z`. Unix milliseconds. */
import type { WatchEntry } from "../types/watch.ts";

const DAY_TEXT_LENGTH = "YYYY-MM-DD".length;
const DAY_MS = 24 * 60 * 60_000;

/** A day begins with its first moment. NaN: no such day or moment. */
export function startOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) return at;
  // Date.parse takes 30 February for 2 March.
  return new Date(at).toJSON().startsWith(text.slice(0, DAY_TEXT_LENGTH)) ? at : Number.NaN;
}

/** The first moment that is over: a day counts to its end. NaN: no such day or moment. */
export function endOf(text: string): number {
  return startOf(text) + (text.length === DAY_TEXT_LENGTH ? DAY_MS : 0);
}

/**
 * When an entry stops to tell by its dates, Infinity: never. Dates never switch off a sanctioned entry: only its delisting
 * does, with a second person's consent.
 */
export function endOfEntry({ validUntil, sanctioned }: Pick<WatchEntry, "validUntil" | "sanctioned">): number {
  return validUntil === undefined || sanctioned !== null ? Infinity : endOf(validUntil);
}
