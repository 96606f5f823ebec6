/** What an operator may change, and that each alert it changes says so. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { assess } from "../../../src/alerts/assess.ts";
import { DEFAULT_POLICY, type Policy } from "../../../src/types/policy.ts";
import { ENTRY_BASES, ENTRY_ROLES, type WatchEntry } from "../../../src/types/watch.ts";
import { entryMatch, hit, SANCTIONED } from "./make.ts";

const judge = (policy: Partial<Policy>, over: Partial<WatchEntry> = {}, worth = 50_000_000n) =>
  assess([hit({ worth, matches: [entryMatch({ basis: "notice", ...over })] })], {
    stage: "included",
    policy: { ...DEFAULT_POLICY, ...policy },
  });

test("a cell of the table, lower or higher", () => {
  const overrides = [
    { role: "theft", saidBy: "official", severity: "low", action: "none" },
    { role: "laundering", saidBy: "explorer", severity: "critical", action: "hold" },
  ] as const;
  const lower = judge({ overrides });
  expect(lower).toMatchObject({ severity: "low", action: "none" });
  expect(lower.score.caps).toContain(
    "operator policy: theft by official is at most low, none; by default critical, hold",
  );
  const higher = judge({ overrides }, { role: "laundering", basis: "explorer" });
  expect(higher).toMatchObject({ severity: "critical", action: "hold" });
  expect(higher.score.caps.join()).toContain("operator policy: laundering by explorer is at most critical, hold");
});

test("severity thresholds", () => {
  const severityFrom = { critical: 100, high: 99, medium: 98, low: 97 };
  const result = judge({ severityFrom });
  expect(result).toMatchObject({ severity: "info" });
  expect(result.score.caps).toContain("operator policy: a score of 94 is info, by default critical");
});

test("points for amounts", () => {
  const result = judge({ amountSteps: [{ fromUsd: 0, points: 0 }] });
  expect(result.score.amount).toBe(0);
  expect(result.score.caps).toContain("operator policy: worth 500,000.00 USD counts 0 points, by default 34");
});

test("the least that is held", () => {
  const result = judge({ holdAboveUsd: 500_000 });
  expect(result.action).toBe("review");
  expect(result.score.caps).toContain(
    "operator policy: worth no more than 500,000.00 USD, by default 100 USD: action at most review",
  );
  expect(judge({ holdAboveUsd: 499_999 }).action).toBe("hold");
});

test("the default policy is never called the operator's", () => {
  expect(judge({}).score.caps.join()).not.toContain("operator policy");
});

describe("what a sanctions list says", () => {
  const policies: fc.Arbitrary<Policy> = fc.record({
    severityFrom: fc.constant({ critical: 100, high: 99, medium: 98, low: 97 }),
    amountSteps: fc.constant([{ fromUsd: 0, points: 0 }]),
    holdAboveUsd: fc.constantFrom(0, 1_000_000),
    overrides: fc.constant(
      ENTRY_ROLES.flatMap((role) =>
        (["official", "researchers", "researcher", "explorer"] as const).map((saidBy) => ({
          role,
          saidBy,
          severity: "info" as const,
          action: "none" as const,
        })),
      ),
    ),
  });

  test("is judged as if there were no operator's policy", () => {
    const entries = fc.record({
      role: fc.constantFrom(...ENTRY_ROLES),
      basis: fc.constantFrom(...ENTRY_BASES),
      sanctioned: fc.constant(SANCTIONED),
    });
    fc.assert(
      fc.property(policies, entries, fc.bigInt({ min: 0n, max: 10n ** 10n }), (policy, over, worth) => {
        expect(judge(policy, over, worth)).toEqual(judge({}, over, worth));
      }),
    );
    // Partner: anybody else hears of it.
    fc.assert(
      fc.property(policies, (policy) => {
        expect(judge(policy).severity).toBe("info");
      }),
    );
  });
});
