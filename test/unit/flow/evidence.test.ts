/** Hits, their paths, and how sure the numbers are (HIT, EVD, ACC-5). */
import { describe, expect, test } from "@jest/globals";
import { createEngine, type FlowEngine } from "../../../src/flow/engine.ts";
import { pathOf } from "../../../src/flow/path.ts";
import type { FlowBlock } from "../../../src/types/flow-block.ts";
import type { FlowHit } from "../../../src/types/flow.ts";
import {
  blockOf,
  CHAIN,
  COINS,
  coinBlockOf,
  coinsOf,
  ETH,
  type IncidentParts,
  incidentOf,
  THEFT,
  theftOf,
  txOf,
  USD,
} from "./make.ts";

function follow(parts: Partial<IncidentParts>, ...blocks: readonly FlowBlock[]): FlowEngine {
  const engine = createEngine(incidentOf({ origins: [THEFT], own: ["Ours", "Too"], ...parts }));
  for (const block of blocks) engine.apply(block);
  return engine;
}

function hitsIn({ ledger }: FlowEngine): FlowHit[] {
  return [...ledger.rows.hits.values()];
}

function pathIn(engine: FlowEngine) {
  const [hit] = hitsIn(engine);
  if (hit === undefined) throw new Error("no hit");
  return pathOf(engine.ledger, hit);
}

const theft = theftOf(1_000);

test("payments of one transaction to one own address are one hit; assets, addresses and roles are hits of their own", () => {
  const pay = blockOf(
    { number: 2 },
    txOf("usd", [`V -> Thief: 10 ${USD}`]),
    txOf("pay", [
      "Thief -> Ours: 10",
      "Thief -> Ours: 30",
      "Thief -> Too: 5",
      `Thief -> Ours: 1 ${USD}`,
      "Ours -> Thief: 2",
    ]),
  );
  const engine = follow({ origins: [THEFT, { ...THEFT, tx: "usd" }] }, theft, pay);
  expect(hitsIn(engine).map(({ role, address, asset, amount }) => [role, address, asset, amount])).toEqual([
    ["source", "Ours", ETH, 2n],
    ["destination", "Ours", ETH, 40n],
    ["destination", "Too", ETH, 5n],
    ["destination", "Ours", USD, 1n],
  ]);
  const [, first] = hitsIn(engine);
  // The path is that of the larger payment.
  expect(first?.edge === null || first === undefined ? null : engine.ledger.rows.edges.get(first.edge)?.amount).toBe(
    30n,
  );
});

test("between own addresses nothing is a hit, and a token outside the list does not exist", () => {
  const move = blockOf(
    { number: 2 },
    txOf("in", ["Thief -> Ours: 10"]),
    txOf("sweep", ["Ours -> Too: 10"]),
    txOf("fake", [`Thief -> Ours: 9 ${CHAIN}/erc20:Fake`]),
  );
  expect(hitsIn(follow({}, theft, move)).map(({ tx }) => tx)).toEqual(["in"]);
});

describe("basis", () => {
  const pay = (anchors: readonly string[]) => blockOf({ number: 2, anchors }, txOf("a", ["Thief -> A: 500"]));
  const on = (anchors: readonly string[]) => blockOf({ number: 3, anchors }, txOf("b", ["A -> Ours: 500"]));

  test.each([
    ["every balance was told", ["Thief: 1000"], ["A: 500"], "exact"],
    ["the last one was not", ["Thief: 1000"], [], "observed"],
    ["an earlier one was not", [], ["A: 500"], "observed"],
  ])("%s", (_what, first, last, basis) => {
    expect(hitsIn(follow({}, theft, pay(first), on(last))).map((hit) => hit.basis)).toEqual([basis]);
  });

  test("what came in unseen does not dilute, what was seen does", () => {
    const seen = blockOf({ number: 2 }, txOf("clean", ["Rich -> Thief: 1000"]));
    const out = blockOf({ number: 3 }, txOf("out", ["Thief -> Ours: 500"]));
    expect(hitsIn(follow({}, theft, out)).map(({ tainted }) => tainted)).toEqual([500n]);
    expect(hitsIn(follow({}, theft, seen, out)).map(({ tainted }) => tainted)).toEqual([250n]);
  });

  test("a balance once told is kept up with what moves after it", () => {
    const told = blockOf({ number: 2, anchors: ["Thief: 3000"] }, txOf("x", ["Thief -> A: 1000"]));
    const untold = blockOf({ number: 3 }, txOf("y", ["Thief -> Ours: 1000"]));
    expect(hitsIn(follow({}, theft, told, untold)).map(({ tainted }) => tainted)).toEqual([333n]);
  });
});

describe("path", () => {
  test("goes by the largest payment before it, and says what it leaves out", () => {
    const engine = follow(
      {},
      theft,
      blockOf({ number: 2 }, txOf("a", ["Thief -> A: 200"]), txOf("b", ["Thief -> B: 300"])),
      blockOf({ number: 3 }, txOf("c", ["A -> C: 200"]), txOf("d", ["B -> C: 300"])),
      blockOf({ number: 4 }, txOf("e", ["C -> Ours: 250"]), txOf("f", ["Thief -> C: 400"])),
    );
    const path = pathIn(engine);
    expect(path?.edges.map(({ tx }) => tx)).toEqual(["theft", "b", "d", "e"]);
    expect([path?.alternatives, path?.coversBps]).toEqual([1, 6_000]);
  });

  test("of equal payments the earliest", () => {
    const engine = follow(
      {},
      theft,
      blockOf(
        { number: 2 },
        txOf("a", ["Thief -> A: 200"]),
        txOf("b", ["Thief -> A: 200"]),
        txOf("c", ["A -> Ours: 400"]),
      ),
    );
    expect(pathIn(engine)?.edges.map(({ tx }) => tx)).toEqual(["theft", "a", "c"]);
  });

  test("names swaps once in a row and mixers that an analyst linked", () => {
    const swap = blockOf(
      { number: 2, contracts: ["Pool"] },
      txOf("s", ["Thief -> Pool: 1000", `Pool -> A: 50 ${USD}`]),
    );
    const back = blockOf({ number: 3, contracts: ["Pool"] }, txOf("t", [`A -> Pool: 50 ${USD}`, "Pool -> A: 900"]));
    const out = blockOf({ number: 4 }, txOf("u", ["A -> Ours: 900"]));
    const engine = follow({ origins: [{ ...THEFT, via: "tornado:1" }] }, theft, swap, back, out);
    expect(pathIn(engine)?.via).toEqual([{ type: "mixer", name: "tornado:1" }, { type: "swap" }]);
    expect(pathIn(engine)?.edges.map(({ tx }) => tx)).toEqual(["theft", "s", "t", "u"]);
  });

  test("of coins spent together follows the largest and counts the others", () => {
    const origins = ["vout:0", "vout:1"].map((leg) => ({ kind: "leg" as const, chain: COINS, tx: "t0", leg }));
    const steal = coinsOf("t0", { inputs: ["v:0 V 1000"], outputs: ["X 300", "Y 700"] });
    const pay = coinsOf("t1", { inputs: ["t0:0 X 300", "t0:1 Y 700"], outputs: ["Ours 1000"] });
    const path = pathIn(follow({ origins }, coinBlockOf(1, steal, pay)));
    expect(path?.edges.map(({ from, to }) => [from.address, to.address])).toEqual([
      ["V", "Y"],
      ["Y", "Ours"],
    ]);
    expect([path?.alternatives, path?.coversBps]).toEqual([1, 7_000]);
  });

  test("a source has none", () => {
    const engine = follow({}, theft, blockOf({ number: 2 }, txOf("a", ["Ours -> Thief: 5"])));
    expect(hitsIn(engine)).toMatchObject([{ role: "source", exposure: "direct", hop: 1, tainted: 0n, shareBps: 0 }]);
    expect(pathIn(engine)).toBeNull();
  });
});
