/** Where following stops, beyond the vectors: each rule named in its test. */
import { describe, expect, test } from "@jest/globals";
import { assertNothingVanished, trailEndsOf } from "../../../src/flow/books.ts";
import { createEngine, type FlowEngine } from "../../../src/flow/engine.ts";
import { saturationBps } from "../../../src/flow/mixers.ts";
import type { FlowBlock } from "../../../src/types/flow-block.ts";
import {
  BTC,
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
} from "./make.ts";

function follow(parts: IncidentParts, ...blocks: readonly FlowBlock[]): FlowEngine {
  const engine = createEngine(incidentOf(parts));
  for (const block of blocks) {
    engine.apply(block);
    assertNothingVanished(engine.ledger);
  }
  return engine;
}

function heldIn({ ledger }: FlowEngine): Record<string, bigint> {
  return Object.fromEntries([...ledger.rows.positions.values()].map(({ holder, tainted }) => [holder, tainted]));
}

function endsIn({ ledger }: FlowEngine): Record<string, bigint> {
  return Object.fromEntries(
    trailEndsOf(ledger).map(({ kind, ref, tainted }) => [ref === "" ? kind : `${kind}:${ref}`, tainted]),
  );
}

describe("budget of positions (BND-5)", () => {
  const parts = { origins: [THEFT], rules: { positionsMax: 3 } };
  const split = blockOf({ number: 2 }, txOf("split", ["Thief -> A: 20", "Thief -> B: 20"]));
  const later = blockOf(
    { number: 3 },
    txOf("small", ["A -> C: 9"]),
    txOf("large", ["B -> D: 10"]),
    txOf("known", ["A -> B: 9"]),
  );

  test("above it a new position must be ten times the floor; known ones are not touched", () => {
    const engine = follow(parts, theftOf(100), split, later);
    expect(heldIn(engine)).toEqual({ Thief: 60n, A: 2n, B: 19n, D: 10n });
    expect(endsIn(engine)).toEqual({ dust: 9n });
    expect([...engine.ledger.rows.tasks.values()].map(({ kind, block }) => [kind, block])).toContainEqual([
      "floorRaised",
      2,
    ]);
  });

  test("it counts from the next block on, so that a recomputation agrees", () => {
    const engine = follow(
      parts,
      theftOf(100),
      blockOf({ number: 2 }, txOf("all", ["Thief -> A: 1", "Thief -> B: 1", "Thief -> C: 1", "Thief -> D: 1"])),
    );
    expect(Object.keys(heldIn(engine))).toHaveLength(5);
  });

  test("each further tenth raises it again, and none takes it down", () => {
    const pay = (number: number, count: number) =>
      blockOf(
        { number },
        txOf(
          `p${number}`,
          Array.from({ length: count }, (_none, n) => `Thief -> N${number}x${n}: 1000`),
        ),
      );
    const engine = follow({ ...parts, rules: { positionsMax: 10 } }, theftOf(100_000), pay(2, 9));
    const level = () => engine.ledger.rows.chains.get(CHAIN)?.floorLevel;
    expect(level()).toBe(1);
    engine.apply(blockOf({ number: 3 }));
    expect(level()).toBe(1);
    engine.apply(pay(4, 1));
    expect(level()).toBe(2);
    engine.apply(blockOf({ number: 5 }, txOf("join", ["N4x0 -> N2x0: 1000", "N2x1 -> N2x0: 1000"])));
    expect(level()).toBe(2);
  });
});

test("a line of too many transactions ends, also where none of them counts as a hop", () => {
  const origin = { kind: "leg" as const, chain: COINS, tx: "t0", leg: "vout:0" };
  const peel = (n: number) => coinsOf(`t${n}`, { inputs: [`t${n - 1}:0 X 1000`], outputs: ["X 1000"] });
  const theft = coinsOf("t0", { inputs: ["v:0 V 1000"], outputs: ["X 1000"] });
  const engine = follow(
    { origins: [origin], rules: { maxSteps: 3 } },
    coinBlockOf(1, theft, peel(1), peel(2), peel(3), peel(4)),
  );
  expect(heldIn(engine)).toEqual({});
  expect(endsIn(engine)).toEqual({ hopLimit: 1_000n });
});

describe("balances below what should be stolen there (ACC-4)", () => {
  test("what came in this block is not held against the balance before it", () => {
    const first = blockOf({ number: 2 }, txOf("first", ["Thief -> A: 10"]));
    const through = blockOf(
      { number: 3, anchors: ["A: 10"] },
      txOf("in", ["Thief -> A: 90"]),
      txOf("out", ["A -> B: 60"]),
    );
    expect(heldIn(follow({ origins: [THEFT] }, theftOf(100), first, through))).toEqual({ A: 40n, B: 60n });
  });

  test("what is missing is lost once in a block, and told with the address", () => {
    const pay = blockOf(
      { number: 2, anchors: ["Thief: 70"] },
      txOf("a", ["Thief -> A: 10"]),
      txOf("b", ["Thief -> B: 10"]),
    );
    const engine = follow({ origins: [THEFT] }, theftOf(100), pay);
    expect([heldIn(engine), endsIn(engine)]).toEqual([{ Thief: 50n, A: 10n, B: 10n }, { untracked: 30n }]);
    expect([...engine.ledger.rows.tasks.values()].map(({ kind, about, tainted }) => [kind, about, tainted])).toEqual([
      ["untracked", "Thief", 30n],
    ]);
  });

  test("a theft from an address whose balance nobody told is a task", () => {
    const origin = { kind: "balance" as const, chain: CHAIN, address: "L", assets: [ETH], block: 1 };
    const engine = follow({ origins: [origin] }, blockOf({ number: 1 }, txOf("x", ["L -> A: 5"])));
    expect([heldIn(engine), [...engine.ledger.rows.tasks.values()].map(({ kind }) => kind)]).toEqual([
      {},
      ["balanceUnknown"],
    ]);
  });
});

describe("services (SVC)", () => {
  test("a label that begins later ends what its address holds, when it pays", () => {
    const exchange = { kind: "exchange" as const, entity: "ex", validFrom: 3 };
    const engine = follow(
      { origins: [THEFT], labels: { A: exchange } },
      theftOf(100),
      blockOf({ number: 2 }, txOf("in", ["Thief -> A: 100"])),
    );
    expect(heldIn(engine)).toEqual({ A: 100n });
    engine.apply(blockOf({ number: 3 }, txOf("out", ["A -> B: 50"])));
    expect([heldIn(engine), endsIn(engine)]).toEqual([{}, { "service:ex": 100n }]);
  });

  test("who has paid one exchange and nobody else is inferred to be its deposit address", () => {
    const labels = {
      Ex: { kind: "exchange" as const, entity: "ex" },
      Ex2: { kind: "exchange" as const, entity: "ex2" },
    };
    const pay = blockOf({ number: 2 }, txOf("a", ["Thief -> A: 10", "Thief -> B: 10", "Thief -> C: 10"]));
    const sweep = blockOf(
      { number: 3 },
      txOf("b", ["A -> Ex: 5", "A -> Ex: 5", "B -> Ex: 5", "B -> D: 1", "C -> Ex: 5", "C -> Ex2: 1"]),
    );
    const engine = follow({ origins: [THEFT], labels }, theftOf(100), pay, sweep);
    const inferred = [...engine.ledger.rows.senders.values()].flatMap(({ address, exchange }) =>
      exchange === null ? [] : [[address, exchange]],
    );
    expect(inferred).toEqual([["A", "ex"]]);
  });

  test("what is destroyed ends as burnt, whether an account or a coin", () => {
    const engine = follow({ origins: [THEFT] }, theftOf(100), blockOf({ number: 2 }, txOf("burn", ["Thief -> -: 40"])));
    expect(endsIn(engine)).toEqual({ "service:burn": 40n });
    const origin = { kind: "leg" as const, chain: COINS, tx: "t0", leg: "vout:0" };
    const theft = coinsOf("t0", { inputs: ["v:0 V 1000"], outputs: ["X 1000"] });
    const burn = coinsOf("t1", { inputs: ["t0:0 X 1000"], outputs: ["- 400", "Y 600"] });
    expect(endsIn(follow({ origins: [origin] }, coinBlockOf(1, theft, burn)))).toEqual({ "service:burn": 400n });
  });

  test("a bridge whose order nobody decoded, and a large sum in an unknown contract, are tasks", () => {
    const labels = { Bridge: { kind: "bridge" as const, entity: "swft" } };
    const out = blockOf(
      { number: 2, contracts: ["Vault", "Tiny"] },
      txOf("x", ["Thief -> Bridge: 10", "Thief -> Vault: 500", "Thief -> Tiny: 99"]),
    );
    const engine = follow({ origins: [THEFT], labels }, theftOf(1_000), out);
    const tasks = [...engine.ledger.rows.tasks.values()].map(
      ({ kind, about, tainted }) => `${kind} ${about} ${tainted}`,
    );
    expect(tasks).toEqual(["bridgeUnresolved Bridge 10", "labelContract Vault 500"]);
    engine.apply(blockOf({ number: 3 }, txOf("y", ["Thief -> Bridge: 5"])));
    const [first] = [...engine.ledger.rows.tasks.values()];
    expect([first?.tainted, first?.block]).toEqual([15n, 2]);
    expect(endsIn(engine)).toEqual({ "bridgeUnresolved:swft": 15n });
  });

  test("a wallet may pay as many as it likes; a suspect loses all its assets, and is not paid any more", () => {
    const asset = `${CHAIN}/erc20:Usd`;
    const origins = [THEFT, { kind: "leg" as const, chain: CHAIN, tx: "theft2", leg: "0" }];
    const blocks = [
      theftOf(100),
      blockOf({ number: 2 }, txOf("theft2", [`Victim -> Thief: 50 ${asset}`])),
      blockOf(
        { number: 3 },
        txOf("pay", ["Thief -> A: 1", "Thief -> B: 1", "Thief -> C: 1"]),
        txOf("back", ["A -> Thief: 1"]),
      ),
    ];
    const rules = { maxFanout: 2 };
    const suspect = follow({ origins, rules }, ...blocks);
    expect(heldIn(suspect)).toEqual({ B: 1n });
    expect(trailEndsOf(suspect.ledger).map(({ asset: of, tainted }) => [of, tainted])).toEqual([
      [ETH, 99n],
      [asset, 50n],
    ]);
    const wallet = follow({ origins, rules, labels: { Thief: { kind: "wallet", entity: "w" } } }, ...blocks);
    expect(heldIn(wallet)).toMatchObject({ B: 1n, C: 1n });
  });
});

describe("mixers (MIX)", () => {
  const labels = { Pool: { kind: "mixer" as const, entity: "tornado:1" } };

  test("deposits are counted with their times, and what comes out is not followed", () => {
    const deposit = (number: number) => blockOf({ number }, txOf(`d${number}`, ["Thief -> Pool: 10"]));
    const out = blockOf({ number: 4 }, txOf("w", ["Pool -> Fresh: 10"]));
    const engine = follow({ origins: [THEFT], labels }, theftOf(100), deposit(2), deposit(3), out);
    expect([...engine.ledger.rows.mixers.values()]).toEqual([
      { chain: CHAIN, pool: "tornado:1", asset: ETH, deposits: 2, tainted: 20n, firstAt: 24, lastAt: 36 },
    ]);
    expect(heldIn(engine)).toEqual({ Thief: 80n });
  });

  test("how full a pool is of ours is told in basis points", () => {
    expect(saturationBps({ ours: 30, deposits: 500, withdrawals: 400 })).toBe(3_000);
    expect(saturationBps({ ours: 1, deposits: 3, withdrawals: 0 })).toBe(3_333);
    expect(saturationBps({ ours: 1, deposits: 3, withdrawals: 3 })).toBe(0);
  });
});

describe("coins", () => {
  const origin = { kind: "leg" as const, chain: COINS, tx: "t0", leg: "vout:0" };
  const theft = coinBlockOf(1, coinsOf("t0", { inputs: ["v:0 V 100000000"], outputs: ["X 100000000"] }));
  const others = (from: number, to: number, amount: number) =>
    Array.from({ length: to - from }, (_none, n) => `m:${from + n} M${from + n} ${amount}`);

  test("a Wasabi 1 mix stops the trail, its equal outputs are kept for analysts", () => {
    const equal = Array.from({ length: 10 }, (_none, n) => `O${n} 10010000`);
    const mix = coinsOf("mix", {
      inputs: ["t0:0 X 100000000", ...others(1, 10, 12_000_000)],
      outputs: [...equal, "C 1000", "D 2000"],
    });
    const engine = follow({ origins: [origin] }, theft, coinBlockOf(2, mix));
    expect(endsIn(engine)).toEqual({ "mixer:coinjoin:wasabi1": 100_000_000n });
    expect([...engine.ledger.rows.coinjoins.values()][0]).toMatchObject({
      type: "wasabi1",
      candidates: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    });
  });

  test("a Wasabi 2 mix has several denominations, and one that an exchange pays into is none", () => {
    const outputs = [6_000, 6_000, 7_000, 7_000, 8_000, 8_000, 9_999].map((amount, n) => `O${n} ${amount}`);
    const mix = coinsOf("mix", { inputs: ["t0:0 X 100000000", ...others(1, 20, 50_000)], outputs });
    expect(endsIn(follow({ origins: [origin] }, theft, coinBlockOf(2, mix)))).toEqual({
      "mixer:coinjoin:wasabi2": 100_000_000n,
    });
    const labels = { M3: { kind: "exchange" as const, entity: "ex" } };
    expect(endsIn(follow({ origins: [origin], labels }, theft, coinBlockOf(2, mix)))["fee"]).toBeGreaterThan(0n);
  });

  test("of two changes that fit one payer neither is believed", () => {
    const equal = ["A 30000000", "B 30000000", "C 30000000"];
    const inputs = ["t0:0 X 100000000", "m:1 M1 60000000", "m:2 M2 70000000"];
    const mix = coinsOf("mix", { inputs, outputs: [...equal, "D 69990000", "E 69980000"] });
    expect(endsIn(follow({ origins: [origin] }, theft, coinBlockOf(2, mix)))).toEqual({
      "mixer:coinjoin:joinmarket": 100_000_000n,
    });
  });

  test("change that fits two payers is nobody's", () => {
    const equal = ["A 30000000", "B 30000000", "C 30000000"];
    const inputs = ["t0:0 X 100000000", "m:1 M1 100000000", "m:2 M2 40000000"];
    const engine = follow(
      { origins: [origin] },
      theft,
      coinBlockOf(2, coinsOf("mix", { inputs, outputs: [...equal, "D 69990000"] })),
    );
    expect(endsIn(engine)).toEqual({ "mixer:coinjoin:joinmarket": 100_000_000n });
  });

  test("what is left beside a payment counts as no hop from four times its size on", () => {
    const hops = (...outputs: readonly string[]) => {
      const pay = coinsOf("t1", { inputs: ["t0:0 X 100000000"], outputs });
      const engine = follow({ origins: [origin] }, theft, coinBlockOf(2, pay));
      return [...engine.ledger.rows.positions.values()].map(({ hop }) => hop);
    };
    expect(hops("A 20000000", "B 80000000")).toEqual([1, 0]);
    expect(hops("A 20000001", "B 79999999")).toEqual([1, 1]);
    expect(hops("A 10000000", "B 80000000", "C 10000000")).toEqual([1, 1, 1]);
  });

  test("coins of several hops spent together are as near as the nearest", () => {
    const pay = coinsOf("t1", { inputs: ["t0:0 X 100000000"], outputs: ["A 40000000", "B 30000000", "C 30000000"] });
    const on = coinsOf("t2", { inputs: ["t1:0 A 40000000"], outputs: ["D 20000000", "E 20000000"] });
    const both = coinsOf("t3", { inputs: ["t2:0 D 20000000", "t1:1 B 30000000"], outputs: ["F 50000000"] });
    const engine = follow({ origins: [origin] }, theft, coinBlockOf(2, pay, on, both));
    expect(engine.ledger.rows.positions.get(`${COINS}|t3:0|${BTC}`)).toMatchObject({
      hop: 2,
      steps: 2,
      tainted: 50_000_000n,
    });
  });

  test("paying an own address and a holder's coin are hits of both roles", () => {
    const pay = coinsOf("t1", { inputs: ["t0:0 X 100000000"], outputs: ["Ours 60000000", "Y 30000000", "- 0"] });
    const back = coinsOf("t2", { inputs: ["t1:0 Ours 60000000"], outputs: ["Y 50000000", "Ours 9000000"] });
    const engine = follow({ origins: [origin], own: ["Ours"] }, theft, coinBlockOf(2, pay), coinBlockOf(3, back));
    const hits = [...engine.ledger.rows.hits.values()].map(({ role, tx, amount, hop, exposure }) => [
      role,
      tx,
      amount,
      hop,
      exposure,
    ]);
    expect(hits).toEqual([
      ["destination", "t1", 60_000_000n, 1, "direct"],
      // The other of the two outputs went to us, so Y's is the rest, and no hop.
      ["source", "t2", 50_000_000n, 1, "direct"],
    ]);
    expect([...engine.ledger.rows.positions.values()][0]?.asset).toBe(BTC);
  });
});
