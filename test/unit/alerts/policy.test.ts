/** The table of the alert vocabulary, row by row, and every cap on top of it. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { assess } from "../../../src/alerts/assess.ts";
import { confidencePoints, policyOf, severityOfScore } from "../../../src/alerts/policy.ts";
import { ACTIONS, SEVERITIES } from "../../../src/types/alert.ts";
import { ENTRY_BASES, ENTRY_ROLES, type EntryRole, type WatchEntry } from "../../../src/types/watch.ts";
import { entry, entryMatch, ETH, hit, SANCTIONED, SPAM } from "./make.ts";

type Who = Partial<Pick<WatchEntry, "basis" | "independentSources" | "sanctioned">>;

const SAYS: Record<string, readonly Who[]> = {
  sanctions: [
    { basis: "sanctions", sanctioned: SANCTIONED },
    { basis: "explorer", sanctioned: SANCTIONED },
  ],
  official: [{ basis: "notice" }, { basis: "court_filing" }, { basis: "victim_statement" }],
  researchers: [
    { basis: "researcher", independentSources: 2 },
    { basis: "researcher", independentSources: 9 },
  ],
  researcher: [
    { basis: "researcher", independentSources: 1 },
    { basis: "researcher", independentSources: 0 },
  ],
  explorer: [{ basis: "explorer", independentSources: 5 }],
};

/** As in alert.md. "off" is shipped unwatched; whoever switches it on is told quietly. */
const TABLE: readonly (readonly [roles: string, ...cells: string[]])[] = [
  ["theft, exploiter", "critical hold", "critical hold", "high hold", "high review", "medium review"],
  ["laundering, mixer_deposit", "critical hold", "high hold", "high review", "medium review", "low none"],
  ["mixer_withdrawal", "critical hold", "high review", "medium review", "medium review", "info none"],
  ["preparation, exploit_contract", "critical hold", "medium review", "low none", "low none", "info none"],
  ["it_worker_network, it_worker_wallet", "critical hold", "medium review", "low none", "low none", "low none"],
  ["sanctioned_person, sanctioned_entity", "critical hold", "medium review", "low none", "low none", "low none"],
];

const CELLS = TABLE.flatMap(([roles, ...cells]) =>
  roles.split(", ").flatMap((role) =>
    Object.keys(SAYS).map((column, index) => {
      const [severity, action] = (cells[index] as string).split(" ") as [string, string];
      return { role: role as EntryRole, column, severity, action };
    }),
  ),
);

const assessOne = (over: Partial<WatchEntry>, stage: "included" | "retracted" = "included") =>
  assess([hit({ matches: [entryMatch(over)] })], { stage });

describe("the table", () => {
  test.each(CELLS)("$role by $column: $severity, $action", ({ role, column, severity, action }) => {
    for (const who of SAYS[column] as readonly Who[]) {
      expect(policyOf(entry({ role, ...who }))).toEqual({ severity, action });
    }
  });

  test.each(CELLS)("$role by $column: an own address hears it just so, holds for sanctions only", (cell) => {
    for (const who of SAYS[cell.column] as readonly Who[]) {
      const { severity, action, kind } = assessOne({ role: cell.role, ...who });
      // The amount has no price yet: a hold needs more than 100 USD, or a sanctions list.
      const allowed = cell.action === "hold" && cell.column !== "sanctions" ? "review" : cell.action;
      expect({ severity, action, kind }).toEqual({ severity: cell.severity, action: allowed, kind: "exposure" });
    }
  });

  test("every role is in the table, victims and restrained funds are never an alarm", () => {
    const named = TABLE.flatMap(([roles]) => roles.split(", "));
    const never: EntryRole[] = ["victim", "victim_contract", "restrained_funds"];
    expect([...named, ...never].toSorted()).toEqual([...ENTRY_ROLES].toSorted());
    for (const role of never) {
      for (const basis of ENTRY_BASES)
        expect(policyOf(entry({ role, basis }))).toEqual({ severity: "info", action: "none" });
    }
  });
});

describe("the score", () => {
  test.each([
    [{ basis: "sanctions" }, 10],
    [{ basis: "notice" }, 10],
    [{ basis: "court_filing" }, 10],
    [{ basis: "victim_statement" }, 10],
    [{ basis: "researcher", independentSources: 2 }, 7],
    [{ basis: "researcher", independentSources: 1 }, 4],
    [{ basis: "explorer", independentSources: 3 }, 0],
    [{ basis: "notice", role: "mixer_withdrawal" }, 0],
  ] as const)("%p gives %i points", (over, points) => {
    expect(confidencePoints(entry(over))).toBe(points);
  });

  test.each([
    [100, "critical"],
    [80, "critical"],
    [79, "high"],
    [60, "high"],
    [59, "medium"],
    [40, "medium"],
    [39, "low"],
    [20, "low"],
    [19, "info"],
    [0, "info"],
  ])("%i is %s", (total, severity) => {
    expect(severityOfScore(total)).toBe(severity);
  });

  test("the four parts add up: unknown value 28, all of it 20, one hop 30, and who says so", () => {
    const { score } = assessOne({ basis: "researcher", independentSources: 2 });
    expect(score).toMatchObject({ amount: 28, share: 20, proximity: 30, confidence: 7, total: 85 });
    expect(score.caps).toContain("value in USD unknown: amount counted as 10,000 to 100,000 USD");
  });

  test("a mixer withdrawal matched by research scores at most 59, one named by a notice is not a match", () => {
    for (const independentSources of [1, 4]) {
      const { score } = assessOne({ role: "mixer_withdrawal", basis: "researcher", independentSources });
      expect(score.total).toBe(59);
    }
    expect(assessOne({ role: "mixer_withdrawal", basis: "notice" })).toMatchObject({
      severity: "high",
      action: "review",
    });
    const sanctioned = assessOne({ role: "mixer_withdrawal", basis: "researcher", sanctioned: SANCTIONED });
    expect(sanctioned).toMatchObject({ severity: "critical", action: "hold" });
    expect(sanctioned.score.total).toBe(80);
  });
});

describe("caps", () => {
  const strongest: Partial<WatchEntry> = { role: "theft", basis: "notice" };
  const listed: Partial<WatchEntry> = { role: "theft", basis: "sanctions", sanctioned: SANCTIONED };

  test("movement, no own address: at most medium, review, also when sanctioned", () => {
    for (const over of [strongest, listed]) {
      const result = assess([hit({ own: false, matches: [entryMatch(over)] })], { stage: "included" });
      expect(result).toMatchObject({ kind: "movement", severity: "medium", action: "review" });
      expect(result.score.caps).toContain("no own address touched: at most medium");
    }
  });

  test("a disputed attribution: at most medium, review, unless sanctioned", () => {
    const disputed = { disputed: true };
    const of = (over: Partial<WatchEntry>) =>
      assess([hit({ matches: [entryMatch(over, disputed)] })], { stage: "included" });
    expect(of(strongest)).toMatchObject({ severity: "medium", action: "review" });
    expect(of(strongest).score.caps).toContain("attribution of the incident is disputed: at most medium");
    expect(of(listed)).toMatchObject({ severity: "critical", action: "hold" });
    expect(assess([hit({ matches: [entryMatch(strongest)] })], { stage: "included" }).severity).toBe("critical");
  });

  test.each(["sameKey", "keyEquivalent"] as const)("%s: one level lower and never hold, unless sanctioned", (basis) => {
    const of = (over: Partial<WatchEntry>) =>
      assess([hit({ matches: [{ ...entryMatch(over), basis }] })], { stage: "included" });
    for (const cell of CELLS) {
      for (const who of SAYS[cell.column] as readonly Who[]) {
        const exact = assessOne({ role: cell.role, ...who });
        const { severity, action } = of({ role: cell.role, ...who });
        if (who.sanctioned) {
          expect([severity, action]).toEqual([exact.severity, exact.action]);
          continue;
        }
        const lower = Math.max(0, SEVERITIES.indexOf(exact.severity) - 1);
        expect(severity).toBe(SEVERITIES[lower]);
        expect(ACTIONS.indexOf(action)).toBeLessThanOrEqual(ACTIONS.indexOf("review"));
      }
    }
    const why =
      basis === "sameKey" ? "the listed account on another chain" : "another address of the listed address's key";
    const { caps } = of({ basis: "notice" }).score;
    expect(caps).toContain(`${why}: at most high`);
    expect(caps).toContain(`${why}: action at most review`);
  });

  test("an exact match beside a sameKey one is not lowered", () => {
    const matches = [
      { ...entryMatch({ basis: "notice" }), basis: "sameKey" as const },
      entryMatch({ basis: "notice" }),
    ];
    expect(assess([hit({ matches })], { stage: "included" }).severity).toBe("critical");
  });

  test("a token outside the list: info and nothing to do, whoever it is", () => {
    for (const over of [strongest, listed]) {
      const result = assess([hit({ asset: SPAM, matches: [entryMatch(over)] })], { stage: "included" });
      expect(result).toMatchObject({ severity: "info", action: "none" });
    }
  });

  test("dust: at most 19 and nothing to do, unless sanctioned: then at least 80", () => {
    const amount = ETH.dustBelow - 1n;
    const of = (over: Partial<WatchEntry>, value = amount) =>
      assess([hit({ amount: value, matches: [entryMatch(over)] })], { stage: "included" });
    expect(of(strongest)).toMatchObject({ severity: "info", action: "none", score: { total: 19 } });
    expect(of(strongest, ETH.dustBelow)).toMatchObject({ severity: "critical", action: "review" });
    expect(of(listed)).toMatchObject({ severity: "critical", action: "hold" });
    expect(of({ ...listed, role: "mixer_withdrawal" }).score.total).toBe(80);
  });

  test("retracted: nothing left to do, the severity stays", () => {
    expect(assessOne(listed, "retracted")).toMatchObject({ severity: "critical", action: "none" });
  });

  test("the strongest of several entries and transfers counts, and one own address makes it an exposure", () => {
    const weak = entryMatch({ role: "preparation", basis: "explorer" });
    const strong = entryMatch({ ...listed, id: "b" });
    const own = hit({ matches: [weak] });
    const foreign = hit({ key: "log:1", own: false, matches: [weak, strong] });
    for (const hits of [
      [own, foreign],
      [foreign, own],
    ]) {
      expect(assess(hits, { stage: "included" })).toMatchObject({
        kind: "exposure",
        severity: "critical",
        action: "hold",
      });
    }
  });

  test("whatever meets: no cap is exceeded, and a hold is a sanctioned one", () => {
    const whos = fc.record({
      role: fc.constantFrom(...ENTRY_ROLES),
      basis: fc.constantFrom(...ENTRY_BASES.filter((basis) => basis !== "sanctions")),
      independentSources: fc.nat(4),
      sanctioned: fc.constantFrom(null, null, SANCTIONED),
    });
    const cases = fc.record({
      who: whos,
      own: fc.boolean(),
      disputed: fc.boolean(),
      spam: fc.boolean(),
      dust: fc.boolean(),
    });
    const above = (order: readonly string[], value: string, most: string) => order.indexOf(value) > order.indexOf(most);
    fc.assert(
      fc.property(cases, ({ who, own, disputed, spam, dust }) => {
        const asset = spam ? SPAM : ETH;
        const amount = dust && !spam ? 1n : 10n ** 18n;
        const one = hit({ own, asset, amount, matches: [entryMatch(who, { disputed })] });
        const { severity, action, score, kind } = assess([one], { stage: "included" });
        const policy = policyOf(entry(who));
        expect(above(SEVERITIES, severity, policy.severity)).toBe(false);
        expect(above(ACTIONS, action, policy.action)).toBe(false);
        if (!own) expect(above(SEVERITIES, severity, "medium") || above(ACTIONS, action, "review")).toBe(false);
        if (spam) expect([severity, action]).toEqual(["info", "none"]);
        if (disputed && who.sanctioned === null) expect(above(SEVERITIES, severity, "medium")).toBe(false);
        if (action === "hold") expect(who.sanctioned).not.toBeNull();
        if (who.sanctioned !== null && own && !spam && policy.action === "hold") expect(severity).toBe("critical");
        expect(kind).toBe(own ? "exposure" : "movement");
        // Whatever was lowered says so.
        const lowered = severity !== severityOfScore(score.total) || action !== policy.action;
        if (lowered) expect(score.caps.length).toBeGreaterThan(1);
      }),
      { numRuns: 500 },
    );
  });
});
