import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { describeRouting, type RouteFacts, sinksFor } from "../../../src/alerts/route.ts";
import type { HitEvent } from "../../../src/types/hit.ts";
import type { Route } from "../../../src/types/policy.ts";
import { foldAlert } from "../../../src/alerts/fold.ts";
import { CHAIN, context, entryMatch, event, foldEach, foldGroups, hit } from "./make.ts";

const FACTS: RouteFacts = {
  severity: "high",
  kind: "exposure",
  action: "review",
  chain: CHAIN,
  incidents: ["radiant-2024", "bybit-2025"],
  customers: ["vip-7"],
};
const sinks = ["pager", "desk", "archive"];

describe("a route", () => {
  test.each([
    ["without conditions", {}, true],
    ["its severity", { minSeverity: "high" }, true],
    ["a lower one", { minSeverity: "low" }, true],
    ["a higher one", { minSeverity: "critical" }, false],
    ["its kind", { kinds: ["movement", "exposure"] }, true],
    ["another kind", { kinds: ["movement"] }, false],
    ["its action", { actions: ["review"] }, true],
    ["another action", { actions: ["hold"] }, false],
    ["one of its incidents", { incidents: ["bybit-2025"] }, true],
    ["another incident", { incidents: ["rain-2024"] }, false],
    ["no incident at all", { incidents: [] }, false],
    ["its chain", { chains: [CHAIN] }, true],
    ["another chain", { chains: ["eip155:56"] }, false],
    ["its customer", { customers: ["vip-7"] }, true],
    ["the beginning of its customer, without a star", { customers: ["vip"] }, false],
    ["the beginning of its customer", { customers: ["vip-*"] }, true],
    ["every customer", { customers: ["*"] }, true],
    ["two conditions, one of them not met", { minSeverity: "low", chains: ["eip155:56"] }, false],
  ] as const)("with %s: %s", (_what, conditions, matches) => {
    const routes: Route[] = [{ to: ["pager"], ...conditions }];
    expect(sinksFor(FACTS, { sinks, routes }).includes("pager")).toBe(matches);
  });

  test("an alert without a customer is no customer's", () => {
    const routes: Route[] = [{ to: ["pager"], customers: ["*"] }];
    expect(sinksFor({ ...FACTS, customers: [] }, { sinks, routes })).toEqual(["desk", "archive"]);
  });
});

test("a sink that no route names gets everything; one that two name gets what either matches", () => {
  const routes: Route[] = [
    { to: ["pager", "desk"], minSeverity: "critical" },
    { to: ["desk"], kinds: ["exposure"] },
  ];
  expect(sinksFor(FACTS, { sinks, routes })).toEqual(["desk", "archive"]);
  expect(sinksFor({ ...FACTS, severity: "critical" }, { sinks, routes })).toEqual(sinks);
  expect(sinksFor({ ...FACTS, kind: "movement" }, { sinks, routes })).toEqual(["archive"]);
});

test("whatever the routes are, no alert goes nowhere", () => {
  const route = fc.record(
    {
      to: fc.subarray(sinks, { minLength: 1 }),
      minSeverity: fc.constantFrom("info", "high", "critical"),
      kinds: fc.subarray(["exposure", "movement"]),
      chains: fc.subarray([CHAIN, "eip155:56"]),
      customers: fc.subarray(["vip-*", "other"]),
    },
    { requiredKeys: ["to"] },
  ) as fc.Arbitrary<Route>;
  fc.assert(
    fc.property(fc.array(route, { maxLength: 6 }), fc.subarray(sinks, { minLength: 1 }), (routes, configured) => {
      expect(sinksFor(FACTS, { sinks: configured, routes }).length).toBeGreaterThan(0);
    }),
  );
});

test("routes are told in words, and that nobody is the default too", () => {
  const routes: Route[] = [
    { to: ["pager"], minSeverity: "high", chains: [CHAIN], customers: ["vip-*"] },
    { to: ["desk"] },
  ];
  expect(describeRouting({ sinks, routes }, () => "ethereum")).toEqual([
    "alerts to pager: high and above, chain ethereum, customer vip-*",
    "alerts to desk: all",
    "every alert to archive",
  ]);
  const [, , last] = describeRouting({ sinks: ["pager", "desk"], routes }, () => "ethereum");
  expect(last).toBe("every sink has a route: what none of them matches goes to all of them");
  expect(describeRouting({ sinks, routes: [] }, () => "")).toEqual([]);
});

describe("whoever was told of an alert", () => {
  const routes: Route[] = [
    { to: ["pager"], minSeverity: "high" },
    { to: ["desk"], minSeverity: "critical" },
  ];
  const told = (events: readonly HitEvent[], over: Partial<Parameters<typeof context>[0]> = {}) =>
    foldEach(events, { sinks, routes, ...over }).map((result) => result.sinks);
  const strong = hit({ matches: [entryMatch({ basis: "notice" })] });
  const weak = hit({ matches: [entryMatch({ basis: "explorer" })] });

  test("is told of its revisions and its retraction where the route does not match any more", () => {
    const events = [event("included", strong), event("rematched", weak), event("removed", weak)];
    expect(told(events)).toEqual([sinks, sinks, sinks]);
  });

  test("and whoever was not, is not", () => {
    const events = [event("included", weak), event("removed", weak)];
    expect(told(events)).toEqual([["archive"], ["archive"]]);
  });

  test("comes to know it late, and then all that follows", () => {
    const events = [
      event("included", weak),
      event("rematched", strong),
      event("rematched", weak),
      event("removed", weak),
    ];
    expect(told(events)).toEqual([["archive"], sinks, sinks, sinks]);
  });

  test("of an alert below the least severity, nobody is", () => {
    expect(told([event("included", weak)], { minSeverity: "high" })).toEqual([[]]);
  });

  test("of one that an older version stored, all were", () => {
    const [first] = foldGroups([[event("included", strong)]], { sinks, routes: [] });
    const codec = context();
    const { sentTo: _newer, ...state } = codec.decode(first?.record.state ?? "");
    const older = codec.encode({ ...state, wasSent: true });
    const record = { ...(first?.record as NonNullable<typeof first>["record"]), state: older };

    const result = foldAlert(
      record,
      [event("removed", strong)],
      context({ sinks, routes: [{ to: sinks, minSeverity: "critical", kinds: [] }] }),
    );
    expect(result.sinks).toEqual(sinks);
  });
});
