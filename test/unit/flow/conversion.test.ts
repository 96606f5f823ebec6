/** Exchanges beyond the vectors (CNV). */
import { expect, test } from "@jest/globals";
import { assertNothingVanished } from "../../../src/flow/books.ts";
import { createEngine, type FlowEngine } from "../../../src/flow/engine.ts";
import type { FlowBlock } from "../../../src/types/flow-block.ts";
import { blockOf, CHAIN, ETH, type IncidentParts, incidentOf, THEFT, theftOf, txOf, USD } from "./make.ts";

const LP = `${CHAIN}/erc20:Pool`;

function follow(parts: Partial<IncidentParts>, ...blocks: readonly FlowBlock[]): FlowEngine {
  const engine = createEngine(incidentOf({ origins: [THEFT], ...parts }));
  for (const block of blocks) {
    engine.apply(block);
    if (parts.rules?.method !== "poison") assertNothingVanished(engine.ledger);
  }
  return engine;
}

function heldIn({ ledger }: FlowEngine): [holder: string, asset: string, tainted: bigint][] {
  return [...ledger.rows.positions.values()].map(({ holder, asset, tainted }) => [holder, asset, tainted]);
}

const both = [THEFT, { ...THEFT, tx: "usd" }];
const usd = (amount: number) => blockOf({ number: 2 }, txOf("usd", [`Victim -> Thief: ${amount} ${USD}`]));

test("of two assets given the one with the larger part of stolen funds decides, not the one with more of them", () => {
  const add = blockOf(
    { number: 3, anchors: ["Thief: 1000", `Thief: 20 ${USD}`], contracts: ["Pool"] },
    txOf("add", ["Thief -> Pool: 1000", `Thief -> Pool: 20 ${USD}`, `- -> Thief: 100 ${LP}`]),
  );
  // 300 of 1,000 ETH and 10 of 20 USD are stolen.
  expect(heldIn(follow({ origins: both }, theftOf(300), usd(10), add))).toEqual([["Thief", LP, 50n]]);
});

test("an outsider gets the same part, one hop further, and its path begins at the largest giver", () => {
  const add = blockOf(
    { number: 3, anchors: ["Thief: 1000", `Thief: 20 ${USD}`], contracts: ["Pool"] },
    txOf("add", ["Thief -> Pool: 1000", `Thief -> Pool: 20 ${USD}`, `- -> Ours: 100 ${LP}`]),
  );
  const engine = follow({ origins: both, own: ["Ours"] }, theftOf(300), usd(10), add);
  const [hit] = [...engine.ledger.rows.hits.values()];
  expect([hit?.tainted, hit?.hop, hit?.shareBps]).toEqual([50n, 1, 5_000]);
  expect(engine.ledger.rows.edges.get(hit?.edge ?? "")?.from.asset).toBe(USD);
});

test("a settlement that keeps nothing is no exchange: what was stolen goes to whoever got it", () => {
  const settle = blockOf(
    { number: 2, contracts: ["Settle"] },
    txOf("batch", [
      "Thief -> Settle: 100",
      `Settle -> Thief: 10 ${USD}`,
      "Settle -> Honest: 100",
      `Honest -> Settle: 10 ${USD}`,
    ]),
  );
  const labels = { Settle: { kind: "settlement" as const, entity: "cow" } };
  expect(heldIn(follow({ labels }, theftOf(100), settle))).toEqual([["Honest", ETH, 100n]]);
});

test("a machine that was paid in the theft never gives more than it was paid", () => {
  const labels = { Weth: { kind: "wrapper" as const, entity: "weth" } };
  const weth = `${CHAIN}/erc20:Weth`;
  const theft = blockOf({ number: 1 }, txOf("theft", ["Victim -> Weth: 100"]));
  const unwrap = txOf("unwrap", [`Any -> -: 90 ${weth}`, "Weth -> Any: 90"]);
  const plain = txOf("plain", ["Weth -> A: 5"]);
  const block = blockOf({ number: 2, anchors: ["Weth: 100"] }, unwrap, plain);
  expect(heldIn(follow({ labels }, theft, block))).toEqual([
    ["Weth", ETH, 95n],
    ["A", ETH, 5n],
  ]);
});

test("with the order kept, what a swap gives is stolen first and clean behind", () => {
  const swap = blockOf(
    { number: 2, anchors: ["Thief: 200"], contracts: ["Pool"] },
    txOf("swap", ["Thief -> Pool: 200", `Pool -> Thief: 50 ${USD}`]),
  );
  const pay = blockOf(
    { number: 3, anchors: [`Thief: 50 ${USD}`] },
    txOf("pay", [`Thief -> A: 20 ${USD}`, `Thief -> B: 20 ${USD}`]),
  );
  expect(heldIn(follow({ rules: { method: "fifo" } }, theftOf(100), swap, pay))).toEqual([
    ["A", USD, 20n],
    ["B", USD, 5n],
  ]);
});

test("poison carries all of it through a swap", () => {
  const swap = blockOf(
    { number: 2, anchors: ["Thief: 200"], contracts: ["Pool"] },
    txOf("swap", ["Thief -> Pool: 150", `Pool -> Thief: 60 ${USD}`]),
  );
  expect(heldIn(follow({ rules: { method: "poison" } }, theftOf(1), swap))).toEqual([
    ["Thief", ETH, 50n],
    ["Thief", USD, 60n],
  ]);
});

test("an outsider who gets what others gave goes by those who gave it", () => {
  const labels = { Settle: { kind: "settlement" as const, entity: "cow" } };
  const settle = txOf("batch", [
    "Thief -> Settle: 100",
    `Honest -> Settle: 50 ${USD}`,
    `Settle -> Outsider: 30 ${USD}`,
    `Settle -> Thief: 10 ${LP}`,
  ]);
  expect(heldIn(follow({ labels }, theftOf(100), blockOf({ number: 2 }, settle)))).toEqual([["Thief", LP, 10n]]);
});
