/**
 * What a new version of a list must survive before it replaces the old one. Pure: the caller knows the list it has and the
 * day. A refusal keeps the old version; what may be done about it is the caller's.
 */
import type { WatchEntryInput } from "../types/watchlist-format.ts";

export interface GuardRules {
  /** Share of the old entries that may be missing, in percent. */
  readonly shrinkMaxPercent: number;
  /** Texts that must stand in some address, label or note: names and coins that never leave the real list. */
  readonly canaries: readonly string[];
  /** Days from the list's own date; null: it may have any age. */
  readonly ageMaxDays: number | null;
}

export const DEFAULT_RULES: GuardRules = { shrinkMaxPercent: 20, canaries: [], ageMaxDays: null };

export interface PreviousList {
  readonly version: string;
  /** `chain/address` of its entries. */
  readonly keys: ReadonlySet<string>;
}

export type RefusalCode = "shrinks" | "lacksCanary" | "rollback" | "tooOld" | "fromTheFuture" | "noDate";

export interface Refusal {
  readonly code: RefusalCode;
  /** One line for a person. */
  readonly text: string;
}

export interface GuardedList {
  readonly list: string;
  readonly version: string;
  readonly entries: readonly Pick<WatchEntryInput, "chain" | "address" | "label" | "note">[];
}

export interface GuardedImport {
  readonly next: GuardedList;
  /** Null: the list is new here. */
  readonly previous: PreviousList | null;
  readonly rules: GuardRules;
  /** UTC, `YYYY-MM-DD`. */
  readonly today: string;
}

/** Every reason to refuse, none when the list may be taken. */
export function checkImport({ next, previous, rules, today }: GuardedImport): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (code: RefusalCode, text: string) => refusals.push({ code, text: `${next.list}: ${text}` });
  if (previous !== null) {
    const lost = lostKeys(next, previous);
    const percent = previous.keys.size === 0 ? 0 : (100 * lost) / previous.keys.size;
    if (percent > rules.shrinkMaxPercent)
      refuse(
        "shrinks",
        `${lost} of ${previous.keys.size} entries would go (${percent.toFixed(0)} %); at most ${rules.shrinkMaxPercent} % may`,
      );
    if (compareVersions(next.version, previous.version) < 0)
      refuse("rollback", `version ${next.version} is older than ${previous.version}, which is here`);
  }
  for (const canary of rules.canaries)
    if (!hasText(next, canary)) refuse("lacksCanary", `${JSON.stringify(canary)} stands nowhere in it`);
  const age = listAge(next.version, today);
  if (rules.ageMaxDays !== null && age > rules.ageMaxDays)
    refuse("tooOld", `version ${next.version} is ${age} days old; at most ${rules.ageMaxDays} are allowed`);
  // Neither old nor new: every comparison with it would be false.
  if (Number.isNaN(age)) refuse("noDate", `version ${next.version} is not of a day that exists`);
  // A version of next year would make every honest one after it a rollback. One day: time zones.
  if (age < -1) refuse("fromTheFuture", `version ${next.version} is after today, ${today}`);
  return refusals;
}

/** Counted by address, not by number: a list whose every row was swapped has not shrunk in size. */
function lostKeys(next: GuardedList, { keys }: PreviousList): number {
  const kept = new Set(next.entries.map(({ chain, address }) => `${chain}/${address}`));
  let lost = 0;
  for (const key of keys) if (!kept.has(key)) lost += 1;
  return lost;
}

function hasText({ entries }: GuardedList, text: string): boolean {
  return entries.some(({ address, label, note }) => [address, label, note ?? ""].some((one) => one.includes(text)));
}

/** Whole days from the date of a version to a day; past the maximum, screening with this list is degraded. */
export function listAge(version: string, today: string): number {
  return Math.round((Date.parse(today) - Date.parse(version.slice(0, 10))) / 86_400_000);
}

/** Versions are a day and a number in it. Negative: `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [dayA, dayB] = [a.slice(0, 10), b.slice(0, 10)];
  if (dayA !== dayB) return dayA < dayB ? -1 : 1;
  return Number(a.slice(11) || "0") - Number(b.slice(11) || "0");
}
