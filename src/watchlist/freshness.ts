/** Whether the lists are as new as the configuration asks. Pure. */
import type { ListRules } from "../types/config.ts";
import { listAge } from "./import-guards.ts";

export interface ListFreshness {
  readonly list: string;
  /** As last imported; null: it never was. */
  readonly version: string | null;
  /** Days since the date of that version; null: it is not here, or its version is no date. */
  readonly ageDays: number | null;
  readonly ageMaxDays: number;
  readonly fresh: boolean;
}

export interface Freshness {
  /** False: whoever screens with these lists must say that they may be out of date. */
  readonly fresh: boolean;
  /** Lists that have a maximum age, by id. */
  readonly lists: readonly ListFreshness[];
}

/**
 * Counted from the list's own date, not from when somebody looked for a newer one: who serves an old file for ever must be
 * found out. `versions`: as last imported. `today`: UTC, `YYYY-MM-DD`.
 */
export function freshnessOf(of: {
  readonly rules: ReadonlyMap<string, ListRules>;
  readonly versions: ReadonlyMap<string, string>;
  readonly today: string;
}): Freshness {
  const lists = [...of.rules].flatMap(([list, { ageMaxDays }]): ListFreshness[] => {
    if (ageMaxDays === null) return [];
    const version = of.versions.get(list) ?? null;
    const age = version === null ? Number.NaN : listAge(version, of.today);
    const ageDays = Number.isNaN(age) ? null : age;
    return [{ list, version, ageDays, ageMaxDays, fresh: ageDays !== null && ageDays <= ageMaxDays }];
  });
  return {
    fresh: lists.every(({ fresh }) => fresh),
    lists: lists.toSorted((a, b) => (a.list < b.list ? -1 : 1)),
  };
}

export function describeStale({ list, version, ageDays, ageMaxDays }: ListFreshness): string {
  if (version === null) return `the list ${list} is not here, and must be at most ${ageMaxDays} days old`;
  return `the list ${list} is of ${version}, ${ageDays ?? "an unknown number of"} days ago; at most ${ageMaxDays} are allowed`;
}
