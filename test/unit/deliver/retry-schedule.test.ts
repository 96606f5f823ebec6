import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ATTEMPTS_MAX, nextAttemptAfter, RETRY_WAITS_MS } from "../../../src/deliver/retry-schedule.ts";
import { SEVERITIES } from "../../../src/types/alert.ts";

const HOUR = 3_600_000;
const NOW = 1_795_000_000_000;
const MIDDLE = () => 0.5;

type Input = Parameters<typeof nextAttemptAfter>[0];

function waitOf(over: Partial<Input>): number {
  const input: Input = {
    attemptsMade: 1,
    retryAfterMs: null,
    overloaded: false,
    severity: "high",
    scale: 1,
    random: MIDDLE,
    now: NOW,
    ...over,
  };
  const next = nextAttemptAfter(input);
  if (next === "exhausted") throw new Error("exhausted");
  return next.atMs - input.now;
}

describe("the schedule", () => {
  test("17 attempts over a little more than seven days", () => {
    const seconds = Array.from({ length: 17 }, (_, attemptsMade) => waitOf({ attemptsMade }) / 1_000);
    const day = 86_400;
    expect(seconds).toEqual([
      0,
      5,
      30,
      120,
      600,
      1_800,
      3_600,
      7_200,
      14_400,
      28_800,
      43_200,
      day,
      day,
      day,
      day,
      day,
      day,
    ]);
    expect(ATTEMPTS_MAX).toBe(17);
    expect(seconds.reduce((sum, wait) => sum + wait, 0) / day).toBeCloseTo(7.15, 2);
  });

  test("after the 17th attempt it is exhausted, whatever the receiver asks for", () => {
    for (const attemptsMade of [17, 18, 1_000]) {
      const input = { retryAfterMs: 1, overloaded: true, severity: "critical", scale: 1, random: MIDDLE } as const;
      expect(nextAttemptAfter({ ...input, attemptsMade, now: NOW })).toBe("exhausted");
    }
  });

  test("the first attempt is due at once", () => {
    expect(waitOf({ attemptsMade: 0, random: () => 0.999 })).toBe(0);
  });

  test("jitter spreads a wait over 80 to 120 percent", () => {
    expect(waitOf({ attemptsMade: 10, random: () => 0 })).toBeCloseTo(0.8 * 12 * HOUR, -1);
    expect(waitOf({ attemptsMade: 10, random: () => 0.999_999_999_9 })).toBeCloseTo(1.2 * 12 * HOUR, -1);
  });
});

describe("what the receiver says", () => {
  test("Retry-After is never undercut, also when the schedule is quicker", () => {
    expect(waitOf({ attemptsMade: 1, retryAfterMs: 90_000 })).toBe(90_000);
    expect(waitOf({ attemptsMade: 1, retryAfterMs: 90_000, random: () => 0 })).toBe(90_000);
  });

  test("Retry-After shorter than the schedule changes nothing", () => {
    expect(waitOf({ attemptsMade: 6, retryAfterMs: 1_000 })).toBe(HOUR);
  });

  test.each([
    ["critical", HOUR],
    ["high", HOUR],
    ["medium", 24 * HOUR],
    ["low", 24 * HOUR],
    ["info", 24 * HOUR],
  ] as const)("a %s alert is held back %i ms at most", (severity, expected) => {
    expect(waitOf({ severity, retryAfterMs: 30 * 24 * HOUR })).toBe(expected);
  });

  test("the clamp on Retry-After does not shorten the schedule's own wait", () => {
    expect(waitOf({ attemptsMade: 10, severity: "critical", retryAfterMs: 30 * 24 * HOUR })).toBe(12 * HOUR);
  });

  test.each([Number.NaN, -5, 0, Number.NEGATIVE_INFINITY])("a Retry-After of %p is ignored", (retryAfterMs) => {
    expect(waitOf({ retryAfterMs })).toBe(5_000);
  });

  test("an endless Retry-After ends at the clamp", () => {
    expect(waitOf({ retryAfterMs: Number.POSITIVE_INFINITY })).toBe(HOUR);
  });

  test("an overloaded receiver gets at least a minute, also at the lowest roll", () => {
    expect(waitOf({ attemptsMade: 1, overloaded: true, random: () => 0 })).toBe(60_000);
    expect(waitOf({ attemptsMade: 1, overloaded: true, random: () => 0.5 })).toBe(66_000);
    expect(waitOf({ attemptsMade: 6, overloaded: true })).toBe(HOUR);
  });
});

describe("scale", () => {
  test("shrinks the schedule and the overload wait, never what the receiver asked for", () => {
    expect(waitOf({ attemptsMade: 6, scale: 0.001 })).toBe(3_600);
    expect(waitOf({ overloaded: true, scale: 0.001, random: () => 0 })).toBe(60);
    expect(waitOf({ retryAfterMs: 2_000, scale: 0.001 })).toBe(2_000);
  });
});

test("every wait stays within its bounds", () => {
  fc.assert(
    fc.property(
      fc.record({
        attemptsMade: fc.integer({ min: 0, max: 16 }),
        retryAfterMs: fc.option(fc.double({ min: -1e300, max: 1e300 })),
        overloaded: fc.boolean(),
        severity: fc.constantFrom(...SEVERITIES),
        scale: fc.double({ min: 1e-6, max: 10, noNaN: true }),
        roll: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        now: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      }),
      ({ roll, ...input }) => {
        const wait = waitOf({ ...input, random: () => roll });
        const severe = input.severity === "critical" || input.severity === "high";
        const step = (RETRY_WAITS_MS[input.attemptsMade] ?? 0) * input.scale;
        const overload = input.overloaded ? 60_000 * input.scale : 0;
        const asked = Math.min(Math.max(input.retryAfterMs || 0, 0), severe ? HOUR : 24 * HOUR);
        expect(Number.isSafeInteger(input.now + wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(Math.max(0.8 * step, overload, asked) - 1e-3);
        expect(wait).toBeLessThanOrEqual(Math.max(1.2 * step, 1.2 * overload, asked) + 1);
      },
    ),
  );
});
