/** Bridges beyond the vectors (BRG). */
import { describe, expect, test } from "@jest/globals";
import { assertNothingVanished, booksOf, trailEndsOf } from "../../../src/flow/books.ts";
import { digestOfLedger } from "../../../src/flow/codec.ts";
import { createEngine, type FlowEngine } from "../../../src/flow/engine.ts";
import { statusOf } from "../../../src/flow/handoffs.ts";
import { pathOf } from "../../../src/flow/path.ts";
import type { BridgeEvent, FlowBlock, HandoffDestination } from "../../../src/types/flow-block.ts";
import { blockOf, CHAIN, ETH, type IncidentParts, incidentOf, OTHER, THEFT, theftOf, txOf } from "./make.ts";

const OTHER_ETH = `${OTHER}/slip44:60`;
const TO: HandoffDestination = { chain: OTHER, address: "Dst" };

function event(direction: BridgeEvent["direction"], more: Partial<BridgeEvent> = {}): BridgeEvent {
  return { direction, bridge: "across", key: "k", legs: ["0"], ...more };
}

function follow(parts: Partial<IncidentParts>, ...blocks: readonly FlowBlock[]): FlowEngine {
  const engine = createEngine(incidentOf({ origins: [THEFT], ...parts }));
  for (const block of blocks) {
    engine.apply(block);
    assertNothingVanished(engine.ledger);
  }
  return engine;
}

function heldIn({ ledger }: FlowEngine): Record<string, bigint> {
  return Object.fromEntries([...ledger.rows.positions.values()].map(({ holder, tainted }) => [holder, tainted]));
}

const theft = theftOf(100);
const out = (destination: HandoffDestination = TO) =>
  blockOf(
    { number: 2, anchors: ["Thief: 200"] },
    txOf("out", ["Thief -> Bridge: 200"], { bridge: [event("out", { destination })] }),
  );
const paid = (legs: readonly string[], bridge: readonly BridgeEvent[] = [], timestamp = 100) =>
  blockOf({ number: 1, chain: OTHER, timestamp }, txOf("in", legs, { bridge }));

describe("orders without a key on the other side (BRG-6)", () => {
  const keyless = { asset: OTHER_ETH, minOut: 180n, expected: 200n };
  const to = { ...TO, keyless };
  const at = (amount: number, timestamp = 100) => paid([`Relayer -> Dst: ${amount} ${OTHER_ETH}`], [], timestamp);

  test.each([
    ["within its bounds", 190, 100, { Dst: 95n }],
    ["at the least", 180, 100, { Dst: 90n }],
    ["below the least", 179, 100, {}],
    ["at 2 % above what was expected", 204, 100, { Dst: 102n }],
    ["above that", 205, 100, {}],
    ["after a day", 190, 24 + 86_400, { Dst: 95n }],
    ["later than a day", 190, 25 + 86_400, {}],
    ["before the order", 190, 23, {}],
  ])("a payment %s", (_what, amount, timestamp, held) => {
    expect(heldIn(follow({}, theft, out(to), at(amount, timestamp)))).toEqual(held);
  });

  test("the link is called a guess", () => {
    const engine = follow({ own: ["Dst"] }, theft, out(to), at(190));
    expect([...engine.ledger.rows.deliveries.values()].map(({ link }) => link)).toEqual(["heuristic"]);
    const hit = [...engine.ledger.rows.hits.values()].find(({ stage }) => stage === "included");
    expect(hit === undefined ? null : pathOf(engine.ledger, hit)?.via).toEqual([
      { type: "bridge", name: "across", key: "k", link: "heuristic" },
    ]);
  });

  test("a payment that two orders fit is neither's, in whatever order they are learnt", () => {
    const second = blockOf(
      { number: 3, timestamp: 40 },
      txOf("theft2", ["Victim -> Thief: 200"]),
      txOf("out2", ["Thief -> Bridge: 200"], { bridge: [event("out", { key: "k2", destination: to })] }),
    );
    const origins = [THEFT, { ...THEFT, tx: "theft2" }];
    const engine = follow({ origins }, theft, out(to), at(190));
    expect(heldIn(engine)).toEqual({ Dst: 95n });
    engine.apply(second);
    expect(heldIn(engine)).toEqual({});
    engine.orphan(CHAIN, 2);
    expect(heldIn(engine)).toEqual({ Dst: 95n });
  });

  test("an order pays once", () => {
    const twice = paid([`Relayer -> Dst: 190 ${OTHER_ETH}`, `Relayer -> Dst: 190 ${OTHER_ETH}`]);
    expect(heldIn(follow({}, theft, out(to), twice))).toEqual({ Dst: 190n });
    const again = blockOf(
      { number: 2, chain: OTHER, timestamp: 120 },
      txOf("in2", [`Relayer -> Dst: 190 ${OTHER_ETH}`]),
    );
    expect(heldIn(follow({}, theft, out(to), at(190), again))).toEqual({ Dst: 95n });
  });
});

describe("an order to an own address", () => {
  test("is announced before anything arrives, and both are retracted with it", () => {
    const engine = follow({ own: ["Dst"] }, theft, out());
    expect([...engine.ledger.rows.hits.values()]).toMatchObject([
      {
        stage: "announced",
        chain: OTHER,
        tx: "k",
        address: "Dst",
        tainted: 100n,
        hop: 1,
        shareBps: 5_000,
        block: null,
      },
    ]);
    engine.apply(paid([`Relayer -> Dst: 190 ${OTHER_ETH}`], [event("in")]));
    const stages = () => [...engine.ledger.rows.hits.values()].map(({ stage, tx }) => [stage, tx]);
    expect(stages()).toEqual([
      ["announced", "k"],
      ["included", "in"],
    ]);
    const { changes } = engine.orphan(CHAIN, 1);
    expect(changes.flatMap(({ table, after }) => (table === "hits" ? [after] : []))).toEqual([undefined, undefined]);
    expect(stages()).toEqual([]);
  });
});

test("how an order stands follows from both sides, and from the time", () => {
  const status = (engine: FlowEngine, now: number, followed = true) => {
    const [handoff] = [...engine.ledger.rows.handoffs.values()];
    return handoff === undefined ? null : statusOf(engine.ledger, handoff, { now, isFollowed: () => followed });
  };
  const pending = follow({}, theft, out());
  expect(status(pending, 24 + 7 * 86_400)).toBe("pending");
  expect(status(pending, 25 + 7 * 86_400)).toBe("expired");
  expect(status(pending, 24, false)).toBe("outOfScope");
  expect(status(follow({}, theft, out(), paid([`R -> Dst: 1 ${OTHER_ETH}`], [event("in")])), 0)).toBe("matched");
});

test("what is given back never exceeds the order, and what was paid elsewhere too is booked once", () => {
  const back = (number: number) =>
    blockOf({ number }, txOf(`back${number}`, ["Bridge -> Thief: 150"], { bridge: [event("refund")] }));
  const twice = follow({}, theft, out(), back(3), back(4));
  expect(heldIn(twice)).toEqual({ Thief: 100n });
  expect(trailEndsOf(twice.ledger)).toEqual([]);
  const both = follow({}, theft, out(), back(3), paid([`R -> Dst: 50 ${OTHER_ETH}`], [event("in")]));
  expect(heldIn(both)).toEqual({ Thief: 75n, Dst: 25n });
  expect(booksOf(both.ledger).map(({ asset, convOut, convIn }) => [asset, convOut, convIn])).toEqual([
    [ETH, 25n, 0n],
    [OTHER_ETH, 0n, 25n],
  ]);
});

test("a second transaction under the same key is no order that can be followed", () => {
  const again = blockOf(
    { number: 3 },
    txOf("again", ["Thief -> Bridge: 10"], { bridge: [event("out", { destination: TO })] }),
  );
  const first = blockOf(
    { number: 2, anchors: ["Thief: 100"] },
    txOf("out", ["Thief -> Bridge: 50"], { bridge: [event("out", { destination: TO })] }),
  );
  const engine = follow({}, theft, first, again);
  expect(trailEndsOf(engine.ledger).map(({ kind, ref, tainted }) => [kind, ref, tainted])).toEqual([
    ["bridgeUnresolved", "across", 10n],
  ]);
  expect([...engine.ledger.rows.handoffs.values()].map(({ amount, tainted }) => [amount, tainted])).toEqual([
    [50n, 50n],
  ]);
});

test("orders that share a payment split it by what they are worth, or evenly where one does not say", () => {
  const share = (...amounts: readonly (bigint | undefined)[]) => {
    const orders = amounts.map((amount, n) =>
      event("out", { key: `k${n}`, destination: TO, ...(amount === undefined ? {} : { amount }) }),
    );
    const engine = follow(
      {},
      theft,
      blockOf({ number: 2, anchors: ["Thief: 200"] }, txOf("out", ["Thief -> Bridge: 200"], { bridge: orders })),
    );
    return [...engine.ledger.rows.handoffs.values()].map(({ amount, tainted }) => [amount, tainted]);
  };
  expect(share(150n, 50n)).toEqual([
    [150n, 75n],
    [50n, 25n],
  ]);
  expect(share(150n, undefined)).toEqual([
    [100n, 50n],
    [100n, 50n],
  ]);
});

test("what a bridge pays into a contract is there before the contract swaps it", () => {
  const usd = `${OTHER}/erc20:Usd`;
  const handler = blockOf(
    { number: 1, chain: OTHER, timestamp: 100, contracts: ["Handler", "Pool"] },
    txOf(
      "in",
      [`Relayer -> Handler: 200 ${OTHER_ETH}`, `Handler -> Pool: 200 ${OTHER_ETH}`, `Pool -> User: 400 ${usd}`],
      {
        bridge: [event("in")],
      },
    ),
  );
  const engine = follow({}, theft, out(), handler);
  expect(
    [...engine.ledger.rows.positions.values()].map(({ holder, asset, tainted, hop }) => [holder, asset, tainted, hop]),
  ).toEqual([["User", usd, 200n, 2]]);
});

test("clocks that disagree change nothing: who pays out has read the order", () => {
  const early = paid([`Relayer -> Dst: 190 ${OTHER_ETH}`], [event("in")], 1);
  const digests = [
    [theft, out(), early],
    [early, theft, out()],
    [theft, early, out()],
  ].map((blocks) => digestOfLedger(follow({}, ...blocks).ledger));
  expect(new Set(digests).size).toBe(1);
  expect(heldIn(follow({}, early, theft, out()))).toEqual({ Dst: 95n });
});
