/** The order of coming and going (FIFO), beyond the vectors. */
import { expect, test } from "@jest/globals";
import { assertNothingVanished } from "../../../src/flow/books.ts";
import { createEngine } from "../../../src/flow/engine.ts";
import type { FlowBlock } from "../../../src/types/flow-block.ts";
import { blockOf, incidentOf, THEFT, theftOf, txOf } from "./make.ts";

function heldAfter(...blocks: readonly FlowBlock[]): Record<string, bigint> {
  const engine = createEngine(incidentOf({ origins: [THEFT], rules: { method: "fifo" } }));
  for (const block of blocks) {
    engine.apply(block);
    assertNothingVanished(engine.ledger);
  }
  return Object.fromEntries([...engine.ledger.rows.positions.values()].map(({ holder, tainted }) => [holder, tainted]));
}

test("what a node says beyond what was seen came last", () => {
  expect(heldAfter(theftOf(3), blockOf({ number: 2, anchors: ["Thief: 10"] }, txOf("a", ["Thief -> A: 5"])))).toEqual({
    A: 3n,
  });
});

test("what is missing left first", () => {
  const clean = blockOf({ number: 2 }, txOf("clean", ["Rich -> Thief: 10"]));
  const pay = blockOf({ number: 3, anchors: ["Thief: 11"] }, txOf("a", ["Thief -> A: 5"]));
  // 13 are expected and 11 are there: 2 of the 3 stolen ones have gone unseen.
  expect(heldAfter(theftOf(3), clean, pay)).toEqual({ A: 1n });
});

test("what is paid beyond all that was seen is clean, and comes last of it", () => {
  const engine = createEngine(incidentOf({ origins: [THEFT, { ...THEFT, tx: "second" }], rules: { method: "fifo" } }));
  engine.apply(theftOf(10));
  engine.apply(blockOf({ number: 2 }, txOf("a", ["Thief -> A: 15"]), txOf("second", ["Victim -> A: 10"])));
  engine.apply(blockOf({ number: 3 }, txOf("b", ["A -> B: 15"]), txOf("c", ["A -> C: 10"])));
  const held = [...engine.ledger.rows.positions.values()].map(({ holder, tainted }) => [holder, tainted]);
  expect(held).toEqual([
    ["B", 10n],
    ["C", 10n],
  ]);
});

test("clean funds that came between two stolen ones stay between them", () => {
  const twice = [THEFT, { ...THEFT, tx: "second" }];
  const engine = createEngine(incidentOf({ origins: twice, rules: { method: "fifo" } }));
  engine.apply(theftOf(10));
  engine.apply(blockOf({ number: 2 }, txOf("clean", ["Rich -> Thief: 5"]), txOf("second", ["Victim -> Thief: 10"])));
  engine.apply(blockOf({ number: 3 }, txOf("a", ["Thief -> A: 15"]), txOf("b", ["Thief -> B: 10"])));
  const held = [...engine.ledger.rows.positions.values()].map(({ holder, tainted }) => [holder, tainted]);
  expect(held).toEqual([
    ["A", 10n],
    ["B", 10n],
  ]);
});

test("what somebody had before the first stolen payment stands in front of it", () => {
  const pay = blockOf({ number: 2, anchors: ["A: 7"] }, txOf("clean", ["Rich -> A: 2"]), txOf("a", ["Thief -> A: 10"]));
  const on = blockOf({ number: 3 }, txOf("b", ["A -> B: 10"]));
  expect(heldAfter(theftOf(10), pay, on)).toEqual({ A: 9n, B: 1n });
});
