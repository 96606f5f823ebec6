/** The order of blocks, undoing, and what is learnt late. */
import { describe, expect, test } from "@jest/globals";
import { assertNothingVanished } from "../../../src/flow/books.ts";
import { digestOfLedger } from "../../../src/flow/codec.ts";
import { createEngine, type FlowEngine, FlowOrderError, restoreEngine } from "../../../src/flow/engine.ts";
import { differencesOf, inOrderOfTime, recompute } from "../../../src/flow/recompute.ts";
import type { FlowBlock } from "../../../src/types/flow-block.ts";
import { blockOf, CHAIN, incidentOf, OTHER, THEFT, theftOf, txOf } from "./make.ts";

const INCIDENT = incidentOf({ origins: [THEFT], own: ["Ours"] });

function follow(...blocks: readonly FlowBlock[]): FlowEngine {
  const engine = createEngine(INCIDENT);
  for (const block of blocks) engine.apply(block);
  return engine;
}

function refused(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof FlowOrderError) return error.message;
    throw error;
  }
  return "";
}

const theft = theftOf(100);
const second = blockOf({ number: 2 }, txOf("a", ["Thief -> A: 50"]));
const third = blockOf({ number: 3 }, txOf("b", ["A -> Ours: 50"]));

describe("blocks that do not fit change nothing", () => {
  test.each([
    ["another block at a known height", { ...second, hash: "other" }, "must be orphaned first"],
    ["a block on another parent", { ...third, parentHash: "other", number: 4, hash: "x" }, "has another parent"],
    ["a block that its successor does not name", { ...theft, number: 0, hash: "x" }, "not the parent of its successor"],
  ])("%s", (_what, block, why) => {
    const engine = follow(theft, second, third);
    const before = digestOfLedger(engine.ledger);
    expect(refused(() => engine.apply(block))).toContain(why);
    expect(digestOfLedger(engine.ledger)).toBe(before);
  });

  test("the same block again", () => {
    const engine = follow(theft, second);
    expect(engine.apply(second)).toEqual({ changes: [], undone: [], applied: [] });
  });
});

describe("final blocks", () => {
  test("are let go of, and can neither come late nor be undone", () => {
    const engine = follow(theft, second, third);
    engine.forget(CHAIN, 2);
    expect(engine.blocks()).toEqual([third]);
    expect(refused(() => engine.orphan(CHAIN, 1))).toContain("final");
    expect(refused(() => engine.apply({ ...theft, number: 2, hash: "late" }))).toContain("recompute");
    engine.forget(CHAIN, 1);
    expect(refused(() => engine.apply({ ...theft, number: 2, hash: "late" }))).toContain("recompute");
  });

  test("are forgotten after a restart too, and what is not can be undone", () => {
    const engine = follow(theft, second, third);
    engine.forget(CHAIN, 2);
    const restored = restoreEngine(INCIDENT, engine.snapshot());
    expect(digestOfLedger(restored.ledger)).toBe(digestOfLedger(engine.ledger));
    expect(refused(() => restored.orphan(CHAIN, 1))).toContain("final");
    restored.orphan(CHAIN, 2);
    expect(digestOfLedger(restored.ledger)).toBe(digestOfLedger(follow(theft, second).ledger));
  });
});

test("a step names the blocks it undid and applied, in the order of the work", () => {
  const engine = follow(theft, third);
  const step = engine.apply(second);
  expect(step.undone.map(({ number }) => number)).toEqual([3]);
  expect(step.applied.map(({ block }) => block.number)).toEqual([2, 3]);
  const hit = step.changes.filter(({ table }) => table === "hits");
  expect(hit.map(({ before, after }) => [before === undefined, after === undefined])).toEqual([[true, false]]);
});

test("a block that touches nobody changes only how far its chain is", () => {
  const { changes } = follow(theft).apply(blockOf({ number: 2 }, txOf("x", ["B -> C: 5", "C -> D: 5"])));
  expect(changes.map(({ table }) => table)).toEqual(["chains"]);
});

test("a clock that goes back does not take the time of its chain back", () => {
  const engine = follow({ ...theft, timestamp: 500 }, { ...second, timestamp: 400 });
  expect(engine.ledger.rows.chains.get(CHAIN)?.keyTime).toBe(500);
});

describe("what is learnt late", () => {
  test("a label is a recomputation whose differences are told", () => {
    const engine = follow(theft, second, third);
    const incident = incidentOf({ origins: [THEFT], own: ["Ours"], labels: { A: { kind: "exchange", entity: "ex" } } });
    const shadow = recompute(incident, engine.blocks());
    const { retroactive, changed, retracted } = differencesOf(engine.ledger, shadow.ledger);
    expect([retroactive.length, changed.length, retracted.map(({ tx }) => tx)]).toEqual([0, 0, ["b"]]);
  });

  test("a hit that is worth something else now is changed, a new one retroactive", () => {
    const before = follow(theft, second, third, blockOf({ number: 4 }, txOf("c", ["B -> Ours: 9"])));
    const origins = [THEFT, { kind: "controlled" as const, chain: CHAIN, address: "B", sinceBlock: 4 }];
    const more = [...origins, { kind: "controlled" as const, chain: CHAIN, address: "A", sinceBlock: 3 }];
    const shadow = recompute(incidentOf({ origins: more, own: ["Ours"] }), before.blocks());
    const { retroactive, changed, retracted } = differencesOf(before.ledger, shadow.ledger);
    expect(retroactive.map(({ tx }) => tx)).toEqual(["c"]);
    // A's own now, so one hop.
    expect(changed).toEqual([]);
    expect(retracted).toEqual([]);
  });

  test("blocks are put in the order of time, each chain by height", () => {
    const at = (chain: string, number: number, timestamp: number) => blockOf({ chain, number, timestamp });
    const blocks = [at(OTHER, 7, 30), at(CHAIN, 2, 5), at(CHAIN, 1, 30), at(OTHER, 6, 10)];
    expect(inOrderOfTime(blocks).map(({ chain, number }) => [chain, number])).toEqual([
      [OTHER, 6],
      [CHAIN, 1],
      [CHAIN, 2],
      [OTHER, 7],
    ]);
  });
});

test("a digest tells ledgers apart that differ in one number only", () => {
  const engine = follow(theft, second);
  const before = digestOfLedger(engine.ledger);
  const [key, position] = [...engine.ledger.rows.positions.entries()][0] ?? [];
  if (key === undefined || position === undefined) throw new Error("nothing is held");
  engine.ledger.rows.positions.set(key, { ...position, hop: position.hop + 1 });
  expect(digestOfLedger(engine.ledger)).not.toBe(before);
  engine.ledger.rows.positions.set(key, position);
  expect(digestOfLedger(engine.ledger)).toBe(before);
});

test("what is missing from the books is named, with its asset and the sums", () => {
  const { ledger } = follow(theft, second);
  const [key, position] = [...ledger.rows.positions.entries()][0] ?? [];
  if (key === undefined || position === undefined) throw new Error("nothing is held");
  ledger.rows.positions.set(key, { ...position, tainted: position.tainted - 7n });
  expect(() => assertNothingVanished(ledger)).toThrow(
    /taint is missing: 7 of eip155:1\/slip44:60 on eip155:1 \(injected 100/,
  );
});
