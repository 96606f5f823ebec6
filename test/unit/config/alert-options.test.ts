import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { DEFAULT_POLICY } from "../../../src/types/policy.ts";
import { CHAINS, load, makeFolder, problemText, removeFolders } from "./support.ts";
import { loadConfig } from "../../../src/config/load.ts";

afterAll(removeFolders);

const SINKS = "sinks: { alerts: [{ kind: console, name: desk }] }";
const configOf = (...lines: string[]) => ({ "heistwatch.yaml": [CHAINS, ...lines].join("\n") });

describe("price feeds", () => {
  test("beside the configuration are used; without the file values are not looked up", () => {
    const folder = makeFolder({ ...configOf(), "price-feeds.yaml": "" });
    const configPath = join(folder, "heistwatch.yaml");
    expect(loadConfig({ configPath, env: {} }).prices).toEqual({
      feeds: join(folder, "price-feeds.yaml"),
      maxAgeHours: 25,
    });
    expect(load(configOf()).prices.feeds).toBeNull();
  });

  test("that are named have to be there: the loader says so; null turns them off", () => {
    expect(load(configOf("prices: { feeds: ./gone.yaml }")).prices.feeds).toMatch(/gone\.yaml$/);
    const folder = makeFolder({ ...configOf("prices: { feeds: null }"), "price-feeds.yaml": "" });
    expect(loadConfig({ configPath: join(folder, "heistwatch.yaml"), env: {} }).prices.feeds).toBeNull();
  });
});

describe("the operator's policy", () => {
  test("is the default where nothing is written", () => {
    expect(load(configOf()).policy).toEqual(DEFAULT_POLICY);
    expect(load(configOf("policy: { holdAboveUsd: 1000 }")).policy).toEqual({ ...DEFAULT_POLICY, holdAboveUsd: 1000 });
  });

  test("fills cells for each role that is named", () => {
    const table =
      "policy: { table: [{ roles: [theft, exploiter], saidBy: researcher, severity: medium, action: review }] }";
    const cell = { saidBy: "researcher", severity: "medium", action: "review" };
    expect(load(configOf(table)).policy.overrides).toEqual([
      { ...cell, role: "theft" },
      { ...cell, role: "exploiter" },
    ]);
  });

  test.each([
    ["what sanctions say", "table: [{ roles: [theft], saidBy: sanctions, severity: low, action: none }]", "saidBy"],
    ["victims", "table: [{ roles: [victim], saidBy: researcher, severity: low, action: none }]", "roles"],
    ["one cell twice", "table: [{ roles: [theft, theft], saidBy: researcher, severity: low, action: none }]", "table"],
    ["thresholds out of order", "severityFrom: { high: 90 }", "critical above high"],
    ["steps that fall", "amountSteps: [{ fromUsd: 0, points: 9 }, { fromUsd: 10, points: 5 }]", "amountSteps"],
    ["steps that begin above nothing", "amountSteps: [{ fromUsd: 10, points: 5 }]", "amountSteps"],
    ["no steps", "amountSteps: []", "amountSteps"],
  ])("may not change %s", (_what, written, told) => {
    expect(problemText(configOf(`policy: { ${written} }`))).toContain(told);
  });
});

describe("routes", () => {
  test("name chains as the operator does, and are kept by their id", () => {
    const { routes } = load(configOf(SINKS, "routes: [{ to: [desk], chains: [ethereum], minSeverity: high }]"));
    expect(routes).toEqual([{ to: ["desk"], chains: ["eip155:1"], minSeverity: "high" }]);
  });

  test.each([
    ["a sink that is not there", "routes: [{ to: [dsk] }]", "routes[0].to[0]"],
    ["a chain that is not followed", "routes: [{ to: [desk], chains: [base] }]", "routes[0].chains[0]"],
    ["nobody", "routes: [{ to: [] }]", "routes[0].to"],
    ["a star in the middle", 'routes: [{ to: [desk], customers: ["a*b"] }]', "routes[0].customers[0]"],
    ["a severity that is none", "routes: [{ to: [desk], minSeverity: hihg }]", "routes[0].minSeverity"],
  ])("to %s are refused", (_what, written, place) => {
    expect(problemText(configOf(SINKS, written))).toContain(place);
  });

  test("without configured sinks, the console is the one there is", () => {
    expect(load(configOf("routes: [{ to: [console], minSeverity: high }]")).routes).toHaveLength(1);
  });
});
