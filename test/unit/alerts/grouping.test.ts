/** Which alerts are told together, and by what they are counted. */
import { describe, expect, test } from "@jest/globals";
import { type Groupable, groupingOf } from "../../../src/alerts/grouping.ts";
import type { GroupAsk } from "../../../src/types/alert.ts";
import { entryMatch, ETH, hit, OURS, SANCTIONED, SPAM, THIEF } from "./make.ts";

function asksOf(over: Partial<Groupable> = {}): GroupAsk[] {
  const of = { subject: OURS, severity: "high", usdCents: null, isFirst: true, sinks: ["desk"], ...over } as const;
  return [...groupingOf({ hits: [hit()], ...of }).asks];
}

const rules = (over?: Partial<Groupable>) => asksOf(over).map(({ rule, limit, counts }) => ({ rule, limit, counts }));
const sanctioned = [entryMatch({ basis: "sanctions", sanctioned: SANCTIONED })];
const dust = ETH.dustBelow - 1n;

describe("rules", () => {
  test("an own address touched: 20 parties of an entry, then 5 alerts of a party", () => {
    expect(rules()).toEqual([
      { rule: "fanOut", limit: 20, counts: "subjects" },
      { rule: "repeat", limit: 5, counts: "alerts" },
    ]);
  });

  test("watched wallets that move: 5 alerts of a wallet", () => {
    expect(rules({ hits: [hit({ own: false })], subject: THIEF, severity: "medium" })).toEqual([
      { rule: "repeat", limit: 5, counts: "alerts" },
    ]);
  });

  test.each([
    ["below 100 USD", { usdCents: 9_999n, hits: [hit({ matches: sanctioned })] }, "smallSanctioned"],
    ["of 100 USD", { usdCents: 10_000n, hits: [hit({ matches: sanctioned })] }, "fanOut"],
    [
      "of unknown value, dust",
      { usdCents: null, hits: [hit({ matches: sanctioned, amount: dust })] },
      "smallSanctioned",
    ],
    ["of unknown value, not dust", { usdCents: null, hits: [hit({ matches: sanctioned })] }, "fanOut"],
    [
      "of dust worth more than it seems",
      { usdCents: 10_000n, hits: [hit({ matches: sanctioned, amount: dust })] },
      "fanOut",
    ],
  ] as const)("sanctioned contact %s", (_what, over, first) => {
    expect(asksOf({ severity: "critical", ...over })[0]?.rule).toBe(first);
  });

  test("a small payment of somebody who is not sanctioned has no group of its own", () => {
    expect(asksOf({ usdCents: 1n })[0]?.rule).toBe("fanOut");
  });

  test("dust and unlisted tokens wait for the day's digest, all of them or none", () => {
    const noise = [hit({ asset: SPAM }), hit({ amount: dust })];
    expect(asksOf({ severity: "info", hits: noise })).toEqual([
      expect.objectContaining({ rule: "noise", limit: 0, isUrgent: false, windowMs: 86_400_000 }),
    ]);
    expect(asksOf({ severity: "info", hits: [...noise, hit()] })[0]?.rule).toBe("fanOut");
    expect(asksOf({ severity: "low", hits: noise })[0]?.rule).toBe("fanOut");
  });
});

describe("keys", () => {
  const keys = (over: Partial<Groupable>) => asksOf(over).map(({ key }) => key);

  test("severities never share a group: harmless alerts use up nothing of a severe one's", () => {
    for (const key of keys({ severity: "low" })) expect(keys({ severity: "high" })).not.toContain(key);
  });

  test("a critical alert is counted by counterparty too", () => {
    const other = "0x1111111111111111111111111111111111111111";
    const by = (address: string) => hit({ matches: [entryMatch({ id: `x/${address}`, address })] });
    const [, ours] = keys({ severity: "critical", hits: [by(THIEF)] });
    const [, theirs] = keys({ severity: "critical", hits: [by(other)] });
    expect(ours).not.toBe(theirs);
    expect(keys({ severity: "high", hits: [by(THIEF)] })[1]).toBe(keys({ severity: "high", hits: [by(other)] })[1]);
  });
});

test("harmless and unlisted ones never stand out, however large", () => {
  const standsOut = (over: Partial<Groupable>) =>
    groupingOf({ hits: [hit()], subject: OURS, severity: "high", usdCents: null, isFirst: true, sinks: [], ...over })
      .mayStandOut;
  expect(standsOut({})).toBe(true);
  expect(standsOut({ severity: "info" })).toBe(false);
  expect(standsOut({ hits: [hit({ asset: SPAM })] })).toBe(false);
});

test("an alert weighs what its movements of the first asset add up to", () => {
  const hits = [
    hit({ amount: 3n }),
    hit({ key: "log:1", amount: 4n }),
    hit({ key: "log:2", asset: SPAM, amount: 99n }),
  ];
  expect(groupingOf({ hits, subject: OURS, severity: "low", usdCents: null, isFirst: true, sinks: [] })).toMatchObject({
    asset: ETH.id,
    amount: 7n,
  });
});
