import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseRetryAfter } from "../../../src/deliver/retry-after.ts";

const NOW = Date.UTC(2026, 10, 22, 10, 0, 0);
const YEAR = 365 * 24 * 3_600_000;

test.each([
  ["0", 0],
  ["120", 120_000],
  [" 7 ", 7_000],
  ["Sun, 22 Nov 2026 10:02:00 GMT", 120_000],
  ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
  ["Sun, 06 Nov 1994 08:49:37 GMT", 0],
  ["Fri, 31 Dec 9999 23:59:59 GMT", YEAR],
  ["99999999999999999999", YEAR],
])("%p means %p ms", (header, expected) => {
  expect(parseRetryAfter(header, NOW)).toBe(expected);
});

test.each([
  undefined,
  "",
  "-5",
  "-0",
  "+5",
  "1.5",
  "1e99",
  "0x10",
  "NaN",
  "Infinity",
  "soon",
  "9".repeat(400),
  "2026-11-22T10:02:00Z",
  "Sun, 99 Nov 2026 10:02:00 GMT",
  "Sun, 22 Nox 2026 10:02:00 GMT",
  "Sun, 22 Nov 2026 10:02:00",
  "١٢٠",
])("%p says nothing", (header) => {
  expect(parseRetryAfter(header, NOW)).toBeNull();
});

test("a repeated header counts once, by its first value", () => {
  expect(parseRetryAfter(["3", "900"], NOW)).toBe(3_000);
  expect(parseRetryAfter([], NOW)).toBeNull();
});

test("no text makes it throw, or answer with anything but a wait of up to a year", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (header) => {
      const ms = parseRetryAfter(header, NOW);
      expect(ms === null || (ms >= 0 && ms <= YEAR)).toBe(true);
    }),
  );
});
