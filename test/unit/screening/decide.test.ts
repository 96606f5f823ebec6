/** The decision, over every combination of what may be missing and what may be known. */
import { expect, test } from "@jest/globals";
import { decide } from "../../../src/screening/decide.ts";
import type { Action } from "../../../src/types/alert.ts";
import { ACTIONS } from "../../../src/types/alert.ts";
import {
  type ChainStanding,
  type Finding,
  GAP_CODES,
  type GapCode,
  type ScreenFacts,
  type TransactionBlock,
} from "../../../src/types/screening.ts";

const NOW = 1_800_000_000_000;
const CHAIN: ChainStanding = {
  chain: "eip155:1",
  readAt: NOW,
  followed: true,
  headNumber: 100,
  lagBlocksMax: 2,
  tipAgeMsMax: 300_000,
  covered: { from: 10, to: 100, toHash: "0xaa", toTime: NOW - 12_000 },
  holes: 0,
  listVersions: ["wl_now"],
  trouble: null,
  trust: { quorum: 2, configured: 3, agreed: 2, missing: [], disputed: false, proven: true, traced: true },
  pastScans: 0,
};
const BLOCK: TransactionBlock = {
  number: 90,
  hash: "0xbb",
  timestamp: 1_799_999_000,
  proven: true,
  traced: true,
  operators: ["a", "b"],
  missing: [],
};
const ADDRESS: ScreenFacts = {
  invalid: null,
  chain: CHAIN,
  lists: { version: "wl_now", revision: 7, storeRevision: 7, stale: [] },
  findings: [],
  transaction: null,
  tracesWanted: true,
  now: NOW,
};
const TRANSACTION: ScreenFacts = { ...ADDRESS, transaction: { gap: null, block: BLOCK } };

type Fault = readonly [GapCode, (facts: ScreenFacts) => ScreenFacts];

function ofChain(code: GapCode, change: Partial<ChainStanding>): Fault {
  return [code, (facts) => ({ ...facts, chain: { ...(facts.chain as ChainStanding), ...change } })];
}
function ofTrust(code: GapCode, change: Partial<ChainStanding["trust"]>): Fault {
  return [
    code,
    (facts) => {
      const chain = facts.chain as ChainStanding;
      return { ...facts, chain: { ...chain, trust: { ...chain.trust, ...change } } };
    },
  ];
}
function ofBlock(code: GapCode, change: Partial<TransactionBlock>): Fault {
  return [
    code,
    (facts) => {
      const block = { ...(facts.transaction?.block as TransactionBlock), ...change };
      return { ...facts, transaction: { gap: null, block } };
    },
  ];
}
const STALE: Fault = ["listStale", (facts) => ({ ...facts, lists: { ...facts.lists, stale: ["the list x is old"] } })];
const BEHIND: Fault = ["listsBehind", (facts) => ({ ...facts, lists: { ...facts.lists, storeRevision: 8 } })];

/** Each on its own keeps an address from being clear, and none hides another. */
const OF_ADDRESS: readonly Fault[] = [
  STALE,
  BEHIND,
  ofChain("chainTrouble", { trouble: "the node is away" }),
  ofChain("lagging", { headNumber: 103 }),
  ofChain("headStands", { tipAgeMsMax: 11_999 }),
  ofChain("coverageHole", { holes: 1 }),
  ofChain("rematching", { listVersions: ["wl_now", "wl_before"] }),
  ofChain("retroScanRunning", { pastScans: 1 }),
  ofTrust("quorumLost", { agreed: 1 }),
  ofTrust("disputed", { disputed: true }),
  ofTrust("notProven", { proven: false }),
];
const OF_TRANSACTION: readonly Fault[] = [
  STALE,
  BEHIND,
  ofChain("notFollowed", { followed: false }),
  ofBlock("quorumLost", { operators: ["a"] }),
  ofBlock("notProven", { proven: false }),
  ofBlock("notTraced", { traced: false }),
];
const finding = (action: Action): Finding => ({ code: "listed", severity: "high", action, text: "listed" });
const EXPECTED = { none: null, prepare: "review", review: "review", hold: "hold", report: "hold" } as const;

test.each([
  ["an address", ADDRESS, OF_ADDRESS],
  ["a transaction", TRANSACTION, OF_TRANSACTION],
] as const)("every combination of faults and findings of %s", (_name, sound, faults) => {
  for (let mask = 0; mask < 2 ** faults.length; mask += 1) {
    const chosen = faults.filter((_fault, place) => ((mask >> place) & 1) === 1);
    const facts = chosen.reduce((before, [, apply]) => apply(before), sound);
    const codes = chosen.map(([code]) => code).toSorted();
    for (const action of [undefined, ...ACTIONS]) {
      const findings = action === undefined ? [] : [finding(action)];
      const { verdict, reasons, ...rest } = decide({ ...facts, findings });
      const byFinding = action === undefined ? null : EXPECTED[action];
      expect(verdict).toBe(byFinding ?? (codes.length > 0 ? "unknown" : "clear"));
      expect(rest).toEqual({ action: action ?? "none", severity: action === undefined ? null : "high" });
      // What is missing is told also where a finding decides.
      expect(
        reasons
          .map(({ code }) => code)
          .filter((code) => code !== "listed")
          .toSorted(),
      ).toEqual(codes);
    }
  }
});

test.each<[string, ScreenFacts, readonly GapCode[]]>([
  ["no address", { ...ADDRESS, invalid: "invalidAddress" }, ["invalidAddress"]],
  ["no transaction", { ...TRANSACTION, invalid: "invalidTransaction" }, ["invalidTransaction"]],
  ["a chain without an adapter", { ...ADDRESS, chain: "noAdapter" }, ["noAdapter"]],
  ["a chain that is not configured", { ...ADDRESS, chain: "notConfigured" }, ["notConfigured"]],
  ["the same, with a stale list", STALE[1]({ ...ADDRESS, chain: "notConfigured" }), ["notConfigured", "listStale"]],
  ["a transaction of a chain without an adapter", { ...TRANSACTION, chain: "noAdapter" }, ["noAdapter"]],
  ["a chain nobody leads", ofChain("notFollowed", { followed: false })[1](ADDRESS), ["notFollowed"]],
  ["a chain of which nothing is scanned", ofChain("notFollowed", { covered: null })[1](ADDRESS), ["notFollowed"]],
  ["a head that no node tells", ofChain("lagging", { headNumber: null })[1](ADDRESS), ["lagging"]],
  ["an operator too many away", ofTrust("quorumLost", { missing: ["a", "b"] })[1](ADDRESS), ["quorumLost"]],
  ["one operator away, and enough left", ofTrust("quorumLost", { missing: ["a"] })[1](ADDRESS), []],
  ["as far behind as is allowed", ofChain("lagging", { headNumber: 102 })[1](ADDRESS), []],
  ["a newest block as old as is allowed", ofChain("headStands", { tipAgeMsMax: 12_000 })[1](ADDRESS), []],
  ["a store behind our lists", { ...ADDRESS, lists: { ...ADDRESS.lists, revision: 8 } }, []],
  [
    "no traces, and none wanted",
    { ...ofBlock("notTraced", { traced: false })[1](TRANSACTION), tracesWanted: false },
    [],
  ],
  // What a proven block holds does not depend on how far the chain is followed by now.
  ["a transaction while the past is read", ofChain("retroScanRunning", { pastScans: 1 })[1](TRANSACTION), []],
])("%s", (_name, facts, codes) => {
  const { verdict, reasons } = decide(facts);
  expect(reasons.map(({ code }) => code)).toEqual(codes);
  expect(verdict).toBe(codes.length === 0 ? "clear" : "unknown");
});

test.each(GAP_CODES)("%s of a transaction is unknown, and says why", (gap) => {
  const facts: ScreenFacts = { ...TRANSACTION, transaction: { gap, block: null, detail: "block 12" } };
  const { verdict, reasons } = decide(facts);
  expect([verdict, reasons.map(({ code }) => code)]).toEqual(["unknown", [gap]]);
  expect(reasons[0]?.text).toMatch(/^.{20,} \(block 12\)$/);
});

test("of several findings the one that asks for most decides, whatever their order", () => {
  const findings: Finding[] = [
    { code: "listed", severity: "critical", action: "review", text: "a" },
    { code: "exposed", severity: "low", action: "hold", text: "b" },
    { code: "listed", severity: "medium", action: "hold", text: "c" },
    { code: "listed", severity: "info", action: "none", text: "d" },
  ];
  for (let turn = 0; turn < findings.length; turn += 1) {
    const turned = [...findings.slice(turn), ...findings.slice(0, turn)];
    expect(decide({ ...ADDRESS, findings: turned })).toMatchObject({
      verdict: "hold",
      action: "hold",
      severity: "medium",
    });
  }
});
