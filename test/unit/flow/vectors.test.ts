/**
 * The numbers of the specification, worked out by hand: what each history of blocks must come to. Every section of the file is
 * named below, so that none is left out unseen.
 */
import { describe, expect, test } from "@jest/globals";
import { scoreExposure } from "../../../src/alerts/exposure-score.ts";
import { apportion } from "../../../src/flow/arithmetic.ts";
import { assertNothingVanished, trailEndsOf } from "../../../src/flow/books.ts";
import { detectCoinJoin } from "../../../src/flow/coinjoin.ts";
import { digestOfLedger } from "../../../src/flow/codec.ts";
import { createEngine, type FlowEngine, type FlowStep } from "../../../src/flow/engine.ts";
import { bookedOf, statusOf } from "../../../src/flow/handoffs.ts";
import { pathOf } from "../../../src/flow/path.ts";
import { differencesOf, recompute } from "../../../src/flow/recompute.ts";
import type { FlowHit, FlowRows } from "../../../src/types/flow.ts";
import { centsOf } from "../../../src/value/round.ts";
import {
  assetOf,
  blockOf,
  camelOf,
  chainOf,
  coinsOf,
  type Expectation,
  incidentOf,
  type Step,
  type Vector,
  VECTORS,
} from "./vectors.ts";

/** Sections that other tests take up; a section that nobody names fails the first test. */
const ELSEWHERE = ["memos", "topics", "decoders", "aggregation"];
const HERE = ["vectors", "apportion", "coinjoins", "scores", "valuation"];

test("every section of the vectors is known", () => {
  const sections = Object.keys(VECTORS).filter((name) => Array.isArray(VECTORS[name]));
  expect(sections.toSorted()).toEqual([...HERE, ...ELSEWHERE].toSorted());
  expect(VECTORS.vectors).toHaveLength(50);
});

/** A history being played. */
class Play {
  engine: FlowEngine;
  readonly outbox: { hit: string; stage: string }[] = [];
  readonly digests = new Map<string, string>();
  readonly #vector: Vector;
  #origins: Vector["origins"];

  constructor(vector: Vector) {
    this.#vector = vector;
    this.#origins = vector.origins;
    this.engine = createEngine(incidentOf(vector));
  }

  step(step: Step): void {
    if (step.block !== undefined) this.#tell(this.engine.apply(blockOf(step.block, this.#vector.contracts)));
    if (step.undo !== undefined) this.#tell(this.engine.orphan(chainOf(step.undo.chain), step.undo.toNumber));
    if (step.addOrigin !== undefined) this.#learn(step.addOrigin);
    if (step.snapshot !== undefined) this.digests.set(step.snapshot, digestOfLedger(this.engine.ledger));
    if (step.sameAs !== undefined) expect(digestOfLedger(this.engine.ledger)).toBe(this.digests.get(step.sameAs));
    if (step.check !== undefined) expectState(this, step.check);
    if (this.#vector.method !== "poison") assertNothingVanished(this.engine.ledger);
  }

  #tell({ changes }: FlowStep): void {
    for (const { table, before, after } of changes) {
      if (table !== "hits" || (before !== undefined && after !== undefined)) continue;
      const hit = (after ?? before) as FlowRows["hits"];
      this.outbox.push({ hit: hitName(hit), stage: after === undefined ? "retracted" : hit.stage });
    }
  }

  #learn(origin: Vector["origins"][number]): void {
    this.#origins = [...this.#origins, origin];
    const shadow = recompute(incidentOf(this.#vector, this.#origins), this.engine.blocks());
    const { retroactive, retracted } = differencesOf(this.engine.ledger, shadow.ledger);
    this.outbox.push(...retroactive.map((hit) => ({ hit: hitName(hit), stage: hit.stage })));
    this.outbox.push(...retracted.map((hit) => ({ hit: hitName(hit), stage: "retracted" })));
    this.engine = shadow;
  }
}

function hitName({ chain, tx, address, asset, role }: FlowHit): string {
  return [chain, tx, address, asset, role].join("|");
}

/** `chain|tx|address|asset|role` as the vectors write it. */
function mappedHit(text: string): string {
  const [chain = "", tx = "", address = "", asset = "", role = ""] = text.split("|");
  return [chainOf(chain), tx, address, assetOf(asset), role].join("|");
}

function sorted<T>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function mappedKeys(amounts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(amounts).map(([key, amount]) => {
      const [chain = "", asset = ""] = key.split("|");
      return [`${chainOf(chain)}|${assetOf(asset)}`, amount];
    }),
  );
}

function expectState(play: Play, expected: Expectation): void {
  const { ledger } = play.engine;
  if (expected.positions !== undefined) {
    const found = [...ledger.rows.positions.values()].map(({ chain, holder, asset, tainted, hop }) => ({
      chain,
      holder,
      asset,
      tainted: String(tainted),
      hop,
    }));
    const wanted = expected.positions.map((one) => ({ ...one, chain: chainOf(one.chain), asset: assetOf(one.asset) }));
    expect(sorted(found)).toEqual(sorted(wanted));
  }
  if (expected.sinks !== undefined) {
    const found = trailEndsOf(ledger).map(({ kind, ref, chain, asset, tainted }) => ({
      kind,
      ref,
      chain,
      asset,
      amount: String(tainted),
    }));
    const wanted = expected.sinks.map(({ kind, ref, chain, asset, amount }) => ({
      kind: camelOf(kind),
      // Own addresses have no tenants here.
      ref: kind === "own" ? "" : ref,
      chain: chainOf(chain),
      asset: assetOf(asset),
      amount,
    }));
    expect(sorted(found)).toEqual(sorted(wanted));
  }
  expectHits(play, expected);
  expectBooks(play, expected);
}

function expectHits({ engine, outbox }: Play, expected: Expectation): void {
  const { hits, mixers } = engine.ledger.rows;
  if (expected.hits !== undefined) {
    const found = [...hits.values()].map((hit) => ({
      role: hit.role,
      chain: hit.chain,
      tx: hit.tx,
      address: hit.address,
      asset: hit.asset,
      amount: String(hit.amount),
      tainted: String(hit.tainted),
      hop: hit.hop,
      exposure: hit.exposure,
      shareBps: hit.shareBps,
    }));
    const wanted = expected.hits.map((hit) => ({ ...hit, chain: chainOf(hit.chain), asset: assetOf(hit.asset) }));
    expect(sorted(found)).toEqual(sorted(wanted));
  }
  if (expected.outbox !== undefined)
    expect(outbox).toEqual(expected.outbox.map(({ hit, stage }) => ({ hit: mappedHit(hit), stage })));
  if (expected.path !== undefined) {
    const hit = hits.get(mappedHit(expected.path.hit));
    const path = hit === undefined ? null : pathOf(engine.ledger, hit);
    expect(path?.edges.map(({ tx, from, to }) => [tx, from.address, to.address])).toEqual(expected.path.edges);
  }
  if (expected.mixerDeposits !== undefined) {
    const found = [...mixers.values()].map(({ pool, asset, deposits, tainted }) => ({
      pool,
      asset,
      deposits,
      tainted: String(tainted),
    }));
    expect(sorted(found)).toEqual(sorted(expected.mixerDeposits.map((one) => ({ ...one, asset: assetOf(one.asset) }))));
  }
}

function expectBooks({ engine: { ledger } }: Play, expected: Expectation): void {
  for (const { key, ...fields } of expected.handoffs ?? []) {
    const handoff = ledger.rows.handoffs.get(key);
    if (handoff === undefined) throw new Error(`no handoff ${key}`);
    const found: Record<string, unknown> = {
      status: statusOf(ledger, handoff, { now: handoff.at, isFollowed: () => true }),
      amount: String(handoff.amount),
      tainted: String(handoff.tainted),
      dstAddress: handoff.destination?.address,
      delivered: [...ledger.rows.deliveries.values()].map(({ chain, asset, amount, tainted }) => ({
        chain,
        asset,
        amount: String(amount),
        tainted: String(tainted),
      })),
    };
    const delivered = fields["delivered"] as { chain: string; asset: string }[] | undefined;
    const mapped = delivered?.map((one) => ({ ...one, chain: chainOf(one.chain), asset: assetOf(one.asset) }));
    const wanted = { ...fields, ...(mapped === undefined ? {} : { delivered: mapped }) };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, found[name]]))).toEqual(wanted);
  }
  if (expected.totals === undefined) return;
  const totals = [...ledger.rows.totals.values()];
  const bridged = [...ledger.rows.handoffs.values()].map((one) => ({ ...one, convOut: bookedOf(ledger, one).convOut }));
  const sumOf = (rows: readonly { chain: string; asset: string; amount: bigint }[]) => {
    const sums: Record<string, string> = {};
    for (const { chain, asset, amount } of rows)
      if (amount > 0n) sums[`${chain}|${asset}`] = String(BigInt(sums[`${chain}|${asset}`] ?? 0) + amount);
    return sums;
  };
  expect({
    injected: sumOf(totals.map((one) => ({ ...one, amount: one.injected }))),
    convIn: sumOf(totals.map((one) => ({ ...one, amount: one.convIn }))),
    convOut: sumOf([...totals, ...bridged].map((one) => ({ ...one, amount: one.convOut }))),
  }).toEqual({
    injected: mappedKeys(expected.totals.injected),
    convIn: mappedKeys(expected.totals.convIn),
    convOut: mappedKeys(expected.totals.convOut),
  });
}

test.each(VECTORS.vectors.map((vector) => [vector.id, vector.title, vector] as const))(
  "%s: %s",
  (_id, _title, vector) => {
    const play = new Play(vector);
    for (const step of vector.steps) play.step(step);
    expectState(play, vector.expect);
  },
);

describe("apportion", () => {
  test.each(VECTORS.apportion)("$taint over $parts", ({ taint, parts, expect: wanted }) => {
    expect(apportion(BigInt(taint), parts.map(BigInt)).map(String)).toEqual(wanted);
  });
});

describe("coinjoins", () => {
  test.each(VECTORS.coinjoins)("$id", ({ tx, expect: wanted }) => {
    const found = detectCoinJoin(coinsOf(tx));
    expect(found === null ? null : { type: found.type, denominations: found.denominations.map(String) }).toEqual(
      wanted,
    );
  });
});

describe("valuation", () => {
  test.each(VECTORS.valuation)(
    "$amount with $decimals decimals",
    ({ amount, decimals, priceMicroUsd, expectUsdCents }) => {
      expect(String(centsOf(BigInt(amount), decimals, { value: BigInt(priceMicroUsd), decimals: 6 }))).toBe(
        expectUsdCents,
      );
    },
  );
});

describe("scores", () => {
  test.each(VECTORS.scores)("$id", ({ input, expect: wanted }) => {
    const { total: score, ...parts } = scoreExposure({ ...input, usdCents: BigInt(input.usdCents) });
    expect({ ...parts, score }).toEqual(wanted);
  });
});
