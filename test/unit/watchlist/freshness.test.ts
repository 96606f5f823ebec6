import { expect, test } from "@jest/globals";
import { describeStale, freshnessOf } from "../../../src/watchlist/freshness.ts";

const rule = (ageMaxDays: number | null) => ({ ageMaxDays, keys: [], canaries: [] });
const of = (version: string | null, ageMaxDays: number | null = 3) =>
  freshnessOf({
    rules: new Map([["ofac", rule(ageMaxDays)]]),
    versions: new Map(version === null ? [] : [["ofac", version]]),
    today: "2026-11-22",
  });

test.each<[string | null, boolean, number | null]>([
  ["2026-11-22.4", true, 0],
  ["2026-11-19", true, 3],
  ["2026-11-18", false, 4],
  // Neither here nor dated: whoever screens must not take it for fresh.
  [null, false, null],
  ["2026-99-99", false, null],
])("a list of %p that may be three days old is fresh: %p", (version, fresh, ageDays) => {
  expect(of(version)).toEqual({ fresh, lists: [{ list: "ofac", version, ageDays, ageMaxDays: 3, fresh }] });
});

test("a list without a maximum age has none, and one stale list among others is enough", () => {
  expect(of("2001-01-01", null)).toEqual({ fresh: true, lists: [] });
  const rules = new Map([
    ["b", rule(9)],
    ["a", rule(1)],
  ]);
  const versions = new Map([
    ["a", "2026-11-20"],
    ["b", "2026-11-20"],
  ]);
  const both = freshnessOf({ rules, versions, today: "2026-11-22" });
  expect([both.fresh, both.lists.map(({ list, fresh }) => [list, fresh])]).toEqual([
    false,
    [
      ["a", false],
      ["b", true],
    ],
  ]);
  expect(both.lists.map(describeStale)[0]).toBe("the list a is of 2026-11-20, 2 days ago; at most 1 are allowed");
});
