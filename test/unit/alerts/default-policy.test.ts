/**
 * The default policy over every role, basis, match basis and kind of alert. What is expected is typed here from the
 * project's alert vocabulary (docs/alerts.md says the same for users), not read from the code.
 */
import { describe, expect, test } from "@jest/globals";
import { assess } from "../../../src/alerts/assess.ts";
import type { EntryMatch } from "../../../src/types/hit.ts";
import { ENTRY_BASES, ENTRY_ROLES, type EntryRole, type WatchEntry } from "../../../src/types/watch.ts";
import { entryMatch, hit, knownValue, SANCTIONED } from "./make.ts";

type Who = Pick<WatchEntry, "basis" | "independentSources" | "sanctioned">;
type Outcome = `${"critical" | "high" | "medium" | "low" | "info"} ${"hold" | "review" | "none"}`;

/** Columns: sanctions | notice, court, victim | researcher with 2 or more sources | 1 researcher | explorer tag. */
const COLUMNS: readonly (readonly Who[])[] = [
  ENTRY_BASES.map((basis) => ({ basis, independentSources: 1, sanctioned: SANCTIONED })),
  (["notice", "court_filing", "victim_statement"] as const).map((basis) => ({
    basis,
    independentSources: 1,
    sanctioned: null,
  })),
  [2, 5].map((independentSources) => ({ basis: "researcher" as const, independentSources, sanctioned: null })),
  [{ basis: "researcher", independentSources: 1, sanctioned: null }],
  [{ basis: "explorer", independentSources: 3, sanctioned: null }],
];

/** Per role: an exact match that touches an own address, worth far more than 100 USD, in a block. */
const EXACT: Readonly<Record<string, readonly Outcome[]>> = {
  theft: ["critical hold", "critical hold", "high hold", "high review", "medium review"],
  exploiter: ["critical hold", "critical hold", "high hold", "high review", "medium review"],
  laundering: ["critical hold", "high hold", "high review", "medium review", "low none"],
  mixer_deposit: ["critical hold", "high hold", "high review", "medium review", "low none"],
  mixer_withdrawal: ["critical hold", "high review", "medium review", "medium review", "info none"],
  preparation: ["critical hold", "medium review", "low none", "low none", "info none"],
  exploit_contract: ["critical hold", "medium review", "low none", "low none", "info none"],
  it_worker_network: ["critical hold", "medium review", "low none", "low none", "low none"],
  it_worker_wallet: ["critical hold", "medium review", "low none", "low none", "low none"],
  sanctioned_person: ["critical hold", "medium review", "low none", "low none", "low none"],
  sanctioned_entity: ["critical hold", "medium review", "low none", "low none", "low none"],
};

/** Key-equivalent or the same key on another chain: one level lower, never hold, unless sanctioned. */
const LOWER: Readonly<Record<Outcome, Outcome>> = Object.freeze({
  "critical hold": "high review",
  "high hold": "medium review",
  "high review": "medium review",
  "medium review": "low review",
  "low none": "info none",
  "info none": "info none",
} as Record<Outcome, Outcome>);

/** Nobody of ours involved: at most medium, and nothing above review. */
const MOVEMENT: Readonly<Record<string, Outcome>> = {
  "critical hold": "medium review",
  "high hold": "medium review",
  "high review": "medium review",
};

const BASES: readonly EntryMatch["basis"][] = ["exact", "sameKey", "keyEquivalent"];
const A_MILLION = 100_000_000n;

const CASES = Object.entries(EXACT).flatMap(([role, cells]) =>
  COLUMNS.flatMap((whos, column) =>
    whos.flatMap((who) =>
      BASES.flatMap((basis) =>
        [true, false].map((own) => {
          const exact = cells[column] as Outcome;
          const lowered = basis === "exact" || who.sanctioned !== null ? exact : LOWER[exact];
          const expected = own ? lowered : (MOVEMENT[lowered] ?? lowered);
          const says = who.sanctioned === null ? `${who.basis} x${who.independentSources}` : `${who.basis}, sanctioned`;
          return { role: role as EntryRole, who, basis, own, says, kind: own ? "exposure" : "movement", expected };
        }),
      ),
    ),
  ),
);

test("the table has every role that is ever matched, five columns, three match bases and both kinds", () => {
  const never = ["victim", "victim_contract", "restrained_funds"];
  expect([...Object.keys(EXACT), ...never].toSorted()).toEqual([...ENTRY_ROLES].toSorted());
  expect(CASES).toHaveLength(11 * (6 + 3 + 2 + 1 + 1) * 3 * 2);
});

test.each(CASES)("$role by $says, $basis, $kind: $expected", ({ role, who, basis, own, kind, expected }) => {
  const one = hit({ own, worth: A_MILLION, matches: [{ ...entryMatch({ role, ...who }), basis }] });
  const outcome = assess([one], { stage: "included" });
  expect(`${outcome.severity} ${outcome.action}`).toBe(expected);
  expect(outcome.kind).toBe(kind);
});

describe("the score of what is known to be worth so much", () => {
  /** flows: <10: 0, <100: 5, <1k: 12, <10k: 20, <100k: 28, <1M: 34, else 40; share 20, one hop 30, official 10. */
  test.each([
    [999n, 0],
    [1_000n, 5],
    [9_999n, 5],
    [10_000n, 12],
    [99_999n, 12],
    [100_000n, 20],
    [999_999n, 20],
    [1_000_000n, 28],
    [9_999_999n, 28],
    [10_000_000n, 34],
    [99_999_999n, 34],
    [100_000_000n, 40],
    [10n ** 20n, 40],
  ])("%i cents give %i points", (worth, points) => {
    const { score } = assess([hit({ worth, matches: [entryMatch({ basis: "notice" })] })], { stage: "included" });
    expect(score).toMatchObject({ amount: points, share: 20, proximity: 30, confidence: 10 });
    if (points > 0) expect(score.total).toBe(points + 60);
    expect(score.reasons).toHaveLength(4);
  });
});

describe("small amounts", () => {
  const of = (worth: bigint, over: Partial<WatchEntry> = {}) =>
    assess([hit({ worth, matches: [entryMatch({ basis: "notice", ...over })] })], { stage: "included" });
  const listed = { sanctioned: SANCTIONED };

  test("below 10 USD: at most 19, nothing to do", () => {
    expect(of(999n)).toMatchObject({ severity: "info", action: "none", score: { total: 19 } });
    expect(of(999n).score.caps).toContain("worth less than 10 USD: score at most 19");
    expect(of(1_000n)).toMatchObject({ severity: "high", action: "review" });
  });

  test("hold only above 100 USD", () => {
    expect(of(10_000n)).toMatchObject({ action: "review" });
    expect(of(10_000n).score.caps).toContain("worth no more than 100.00 USD: action at most review");
    expect(of(10_001n)).toMatchObject({ action: "hold" });
  });

  test("sanctioned contact from 1 USD on is critical and held, below it a person looks at it", () => {
    expect(of(100n, listed)).toMatchObject({ severity: "critical", action: "hold", score: { total: 80 } });
    expect(of(99n, listed)).toMatchObject({ severity: "high", action: "review", score: { total: 60 } });
    expect(of(99n, listed).score.caps).toContain("worth less than 1 USD: action at most review");
  });

  test("many small legs are the one payment they are", () => {
    const legs = Array.from({ length: 30 }, (_, index) => hit({ key: `log:${index}`, worth: 999n }));
    expect(assess(legs, { stage: "included" })).toMatchObject({ action: "hold", score: { amount: 12 } });
    const dust = legs.map((leg) => ({ ...leg, transfer: { ...leg.transfer, amount: 1n } }));
    expect(assess(dust, { stage: "included" })).toMatchObject({ action: "hold", score: { amount: 12 } });
  });
});

describe("a value that cannot be relied on never lowers an alert below one that is unknown", () => {
  const notice = [entryMatch({ basis: "notice" })];
  const unknown = assess([hit({ matches: notice })], { stage: "included" });

  test.each([0n, 1n, 99n, 999n, 9_999n, 500_000n])("a price compared with no other, %i cents", (cents) => {
    const value = knownValue(cents, null);
    const told = assess([hit({ worth: value, matches: notice })], { stage: "included" });
    expect(told.severity).toBe(unknown.severity);
    expect(told.score.amount).toBe(28);
    expect(told.score.total).toBe(unknown.score.total);
    expect(told.score.caps).toContain("a price compared with no other: amount counted as 10,000 to 100,000 USD");
  });

  test("it may raise one", () => {
    const value = knownValue(10n ** 9n, null);
    expect(assess([hit({ worth: value, matches: notice })], { stage: "included" })).toMatchObject({
      action: "hold",
      score: { amount: 40 },
    });
  });

  test("one leg of unknown value: the others do not make it small, and the reason is told", () => {
    const legs = [hit({ worth: 500n }), hit({ key: "log:1", worth: { usdCents: null, why: "stale" } })];
    const told = assess(legs, { stage: "included" });
    expect(told.score.amount).toBe(28);
    expect(told.score.caps).toContain("value in USD unknown (stale): amount counted as 10,000 to 100,000 USD");
  });

  test("a stranger's token beside a real payment does not hide what that is worth", () => {
    const spam = hit({
      key: "log:1",
      asset: { ...hit().asset, id: "x", listed: false },
      worth: { usdCents: null, why: "x" },
    });
    expect(assess([hit({ worth: 20_000_000n, matches: notice }), spam], { stage: "included" })).toMatchObject({
      action: "hold",
      score: { amount: 34 },
    });
  });

  test("an approval has no value that moved, whatever moved beside it", () => {
    const right = hit({ key: "log:2", matches: [entryMatch({ role: "exploit_contract", basis: "notice" })] });
    const approval = { ...right, transfer: { ...right.transfer, category: "approval" as const } };
    const told = assess([approval], { stage: "included" });
    expect(told.score.amount).toBe(28);
  });
});
