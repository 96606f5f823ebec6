import { expect, test } from "@jest/globals";
import { endOf, endOfEntry, startOf } from "../../../src/lib/moments.ts";

const at = (text: string) => Date.parse(text);

test("a day counts from its first moment to its last, a moment is itself", () => {
  expect([startOf("2026-12-31"), endOf("2026-12-31")]).toEqual([
    at("2026-12-31T00:00:00Z"),
    at("2027-01-01T00:00:00Z"),
  ]);
  for (const moment of ["2026-12-31T23:59:59Z", "2026-12-31T10:00Z", "2026-12-31T10:00:00.123Z"])
    expect([startOf(moment), endOf(moment)]).toEqual([at(moment), at(moment)]);
});

test.each(["2026-02-30", "2026-13-01", "2026-00-10", "2026-01-01T25:00:00Z", "2026-02-30T10:00:00Z", "soon", ""])(
  "%p is no day and no moment",
  (text) => expect([startOf(text), endOf(text)]).toEqual([NaN, NaN]),
);

test("no date ends a sanctioned entry, or one that has none", () => {
  const validUntil = "2020-01-01";
  expect(endOfEntry({ validUntil, sanctioned: null })).toBe(at("2020-01-02T00:00:00Z"));
  expect(endOfEntry({ validUntil, sanctioned: { list: "OFAC SDN", source: "x" } })).toBe(Infinity);
  expect(endOfEntry({ sanctioned: null })).toBe(Infinity);
});
