import { describe, expect, test } from "@jest/globals";
import { type ClaimingEntry, findDisagreements } from "../../../src/watchlist/disagreements.ts";
import { A1, B2 } from "./helpers.ts";

const entry = (list: string, more: Partial<ClaimingEntry> = {}): ClaimingEntry => {
  const { chain = "eip155:1", address = A1 } = more;
  return {
    id: `${list}/${chain}/${address}`,
    list,
    chain,
    address,
    label: `as ${list} calls it`,
    role: "theft",
    basis: "researcher",
    confidence: "named_by_researcher",
    default: "on",
    direction: "both",
    incident: "example",
    sanctioned: null,
    ...more,
  };
};

describe("lists that disagree", () => {
  test("each claim that differs is named, and every entry is shown as it is", () => {
    const entries = [entry("a"), entry("b", { role: "victim", default: "never" }), entry("c", { address: B2 })];
    expect(findDisagreements(entries)).toEqual([
      { chain: "eip155:1", address: A1, differs: ["role", "default"], entries: entries.slice(0, 2) },
    ]);
  });

  test.each([
    ["role", { role: "laundering" }],
    ["basis", { basis: "explorer" }],
    ["confidence", { confidence: "confirmed" }],
    ["default", { default: "off" }],
    ["direction", { direction: "to_only" }],
    ["incident", { incident: "other" }],
    ["sanctioned", { sanctioned: { list: "OFAC SDN", source: "x:1" } }],
  ] as const)("a different %s is a disagreement", (claim, more) => {
    expect(findDisagreements([entry("a"), entry("b"), entry("c", more)])[0]?.differs).toEqual([claim]);
  });

  test("other words for the same claim, another chain, and who sanctioned are none", () => {
    const sanctioned = (list: string) => entry(list, { sanctioned: { list, source: "x:1" } });
    expect(findDisagreements([entry("a"), entry("b")])).toEqual([]);
    expect(findDisagreements([sanctioned("OFAC SDN"), sanctioned("EU")])).toEqual([]);
    expect(findDisagreements([entry("a"), entry("b", { chain: "eip155:10", role: "victim" })])).toEqual([]);
  });
});
