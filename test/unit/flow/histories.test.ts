/**
 * Goal: whatever happens on the chains, in whatever order it is learnt, the ledger loses nothing, invents nothing, and is the
 * one that an engine would have that had learnt it in order, at once, and from the start.
 *
 * Method: seeded worlds (world.ts) of swaps, bridges, fees, failures, services, CoinJoins and bad clocks, with all three methods;
 * haircut ones are followed by an oracle that shares no code with the engine (naive.ts).
 *
 * FLOW_HISTORIES=1000000 follows more worlds; FLOW_SEED=123 replays one.
 */
import { describe, expect, test } from "@jest/globals";
import { needsOf } from "../../../src/flow/block-needs.ts";
import { assertNothingVanished, trailEndsOf } from "../../../src/flow/books.ts";
import { digestOfLedger, encode } from "../../../src/flow/codec.ts";
import { createEngine, type FlowEngine, type FlowStep, restoreEngine } from "../../../src/flow/engine.ts";
import { pathOf } from "../../../src/flow/path.ts";
import { differencesOf, inOrderOfTime, recompute } from "../../../src/flow/recompute.ts";
import type { FlowBlock } from "../../../src/types/flow-block.ts";
import type { FlowIncident, RowBefore } from "../../../src/types/flow.ts";
import { createRandom, type Random } from "../chains/proof/mutants.ts";
import { followNaively } from "./naive.ts";
import { makeWorld, type World } from "./world.ts";
import { COIN_CHAIN, shuffled } from "./world-parts.ts";

const COUNT = Number(process.env["FLOW_HISTORIES"] ?? 2_000);
const ONLY = process.env["FLOW_SEED"];
const SEEDS = ONLY === undefined ? Array.from({ length: COUNT }, (_none, n) => n + 1) : [Number(ONLY)];
// The other checks undo by journals too; this one looks at each.
const JOURNALS_EVERY = 5;
// 20 ms a world on a free core; ten times that on a busy one.
const TIMEOUT_MS = 60_000 + SEEDS.length * 200;

function follow(incident: FlowIncident, blocks: readonly FlowBlock[]): FlowEngine {
  const engine = createEngine(incident);
  for (const block of blocks) engine.apply(block);
  return engine;
}

/** What the worlds contained, so that a generator that makes nothing cannot pass. */
const seen = {
  hits: 0,
  handoffs: 0,
  deliveries: 0,
  refunds: 0,
  ends: new Set<string>(),
  suspects: 0,
  mixes: 0,
  swaps: 0,
  paths: 0,
};

function count({ ledger }: FlowEngine): void {
  seen.hits += ledger.rows.hits.size;
  seen.handoffs += ledger.rows.handoffs.size;
  seen.deliveries += ledger.rows.deliveries.size;
  seen.mixes += ledger.rows.coinjoins.size;
  for (const { refunds } of ledger.rows.handoffs.values()) seen.refunds += refunds;
  for (const { kind } of trailEndsOf(ledger)) seen.ends.add(kind);
  for (const { suspected } of ledger.rows.senders.values()) seen.suspects += Number(suspected);
  for (const { kind } of ledger.rows.edges.values()) seen.swaps += Number(kind === "conversion");
}

function expectBounds({ balances, coins, hasAllAnchors, incident }: World, { ledger }: FlowEngine): void {
  for (const [key, { chain, holder, asset, tainted }] of ledger.rows.positions.entries()) {
    const have = (chain === COIN_CHAIN ? coins.get(holder) : balances.get(`${chain}|${holder}|${asset}`)) ?? 0n;
    // A machine that was paid in a theft pays out in exchanges only, which leave what it holds alone (docs/flow.md).
    const isTold = chain === COIN_CHAIN || (hasAllAnchors && holder !== "Weth");
    if (tainted <= 0n || (isTold && tainted > have)) throw new Error(`${tainted} of ${have} at ${key}`);
  }
  for (const [key, { role, tainted, amount, shareBps }] of ledger.rows.hits.entries())
    if (tainted > amount || shareBps > 10_000 || (role === "destination" && tainted <= 0n))
      throw new Error(`${tainted} of ${amount} in ${key}`);
  if (incident.rules.method === "poison") return;
  for (const hit of ledger.rows.hits.values()) {
    const path = pathOf(ledger, hit);
    if (path === null) continue;
    seen.paths += 1;
    expect(path.edges[0]?.kind).toBe("origin");
    expect(path.coversBps).toBeGreaterThanOrEqual(0);
    expect(path.coversBps).toBeLessThanOrEqual(10_000);
  }
}

/** A store that writes what a step changed and undoes by journals must have the ledger's rows. */
class Mirror {
  readonly #rows = new Map<string, string>();

  write({ changes }: FlowStep): void {
    for (const { table, key, before, after } of changes) {
      const was = before === undefined ? undefined : encode(before);
      if (this.#rows.get(`${table} ${key}`) !== was) throw new Error(`${table} ${key} was ${was}`);
      this.#put({ table, key, before: after });
    }
  }

  undo(journal: readonly RowBefore[]): void {
    for (const row of journal.toReversed()) this.#put(row);
  }

  text(): string {
    return textOf([...this.#rows]);
  }

  #put({ table, key, before: row }: RowBefore): void {
    if (row === undefined) this.#rows.delete(`${table} ${key}`);
    else this.#rows.set(`${table} ${key}`, encode(row));
  }
}

function textOf(rows: readonly [key: string, row: string][]): string {
  return rows
    .map(([key, row]) => `${key} ${row}\n`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join("");
}

function rowsOf({ ledger }: FlowEngine): string {
  const all = Object.entries(ledger.rows).flatMap(([table, rows]) =>
    [...rows.entries()].map(([key, row]): [string, string] => [`${table} ${key}`, encode(row)]),
  );
  return textOf(all);
}

/** Learns the blocks in any order, forgets and learns again, stops and starts: ends like one that learnt them in order. */
function expectAnyOrder(world: World, wanted: string, random: Random): void {
  const { incident, blocks } = world;
  const mirror = new Mirror();
  let engine = createEngine(incident);
  for (const block of shuffled(blocks, random)) {
    mirror.write(engine.apply(block));
    if (incident.rules.method !== "poison") assertNothingVanished(engine.ledger);
    if (random.below(8) === 0) engine = restoreEngine(incident, engine.snapshot());
    if (random.below(6) > 0) continue;
    const known = engine.blocks().filter(({ chain }) => chain === block.chain);
    const step = engine.orphan(block.chain, block.number - 1 - random.below(3));
    mirror.write(step);
    const gone = known.filter(({ number }) =>
      step.undone.some((one) => one.chain === block.chain && one.number === number),
    );
    const left = engine.blocks();
    for (const one of gone.toReversed()) if (!left.includes(one)) mirror.write(engine.apply(one));
  }
  expect(digestOfLedger(engine.ledger)).toBe(wanted);
  expect(mirror.text()).toBe(rowsOf(engine));
}

/** A reorg leaves the ledger of an engine that never saw the blocks, and telling them again gives the old one back. */
function expectUndone(world: World, wanted: string, random: Random): void {
  const { incident, blocks } = world;
  const engine = follow(incident, blocks);
  const { chain, number } = random.pick(blocks);
  const isGone = (block: FlowBlock) => block.chain === chain && block.number > number;
  engine.orphan(chain, number);
  expect(digestOfLedger(engine.ledger)).toBe(
    digestOfLedger(
      follow(
        incident,
        blocks.filter((block) => !isGone(block)),
      ).ledger,
    ),
  );
  for (const block of blocks.filter(isGone)) engine.apply(block);
  expect(digestOfLedger(engine.ledger)).toBe(wanted);
}

/** A block's own journal undoes it, as a store would. */
function expectJournalsUndo({ incident, blocks }: World): void {
  const engine = createEngine(incident);
  const mirror = new Mirror();
  for (const block of blocks) {
    const before = mirror.text();
    const step = engine.apply(block);
    mirror.write(step);
    const only = step.applied.length === 1 && step.undone.length === 0 ? step.applied[0] : undefined;
    if (only === undefined) continue;
    mirror.undo(only.journal);
    expect(mirror.text()).toBe(before);
    mirror.write(step);
  }
}

/** An origin that is learnt late gives what knowing it from the start gives, and the difference is told. */
function expectLateOrigin({ incident, blocks }: World, wanted: string): void {
  const early = follow({ ...incident, origins: incident.origins.slice(1) }, blocks);
  const shadow = recompute(incident, inOrderOfTime(early.blocks()));
  expect(digestOfLedger(shadow.ledger)).toBe(wanted);
  const { retroactive, changed, retracted } = differencesOf(early.ledger, shadow.ledger);
  const told = early.ledger.rows.hits.size + retroactive.length - retracted.length;
  expect(told).toBe(shadow.ledger.rows.hits.size);
  expect(changed.length).toBeLessThanOrEqual(early.ledger.rows.hits.size);
}

function expectOracle(world: World, { ledger }: FlowEngine): void {
  const { method } = world.incident.rules;
  if (method !== "haircut" || !world.hasAllAnchors || world.hasMixes) return;
  const naive = followNaively(world);
  const positions = [...ledger.rows.positions.entries()].map(
    ([key, { tainted, hop }]) => [key, `${tainted} at hop ${hop}`] as const,
  );
  const ends = trailEndsOf(ledger).map(
    ({ chain, asset, kind, ref, tainted }) => [`${chain}|${asset}|${kind}|${ref}`, tainted] as const,
  );
  const hits = [...ledger.rows.hits.entries()]
    .filter(([, { stage }]) => stage === "included")
    .map(([key, { tainted, amount, hop }]) => [key, `${tainted} of ${amount} at hop ${hop}`] as const);
  expect(new Map(positions)).toEqual(naive.positions);
  expect(new Map(ends)).toEqual(naive.ends);
  expect(new Map(hits)).toEqual(naive.hits);
}

/** Only what `needsOf` names is asked of a node, and gives the numbers that all of it gives. */
function expectNeedsSuffice({ incident, blocks, hasAllAnchors }: World, whole: FlowEngine): void {
  if (!hasAllAnchors) return;
  const engine = createEngine(incident);
  for (const block of blocks) {
    if (block.kind === "utxo") {
      engine.apply(block);
      continue;
    }
    const { anchors, contracts } = needsOf(engine, { ...block, anchors: [], contracts: new Set() });
    const asked = new Set(anchors.map(({ address, asset }) => `${address} ${asset}`));
    engine.apply({
      ...block,
      anchors: block.anchors.filter(({ address, asset }) => asked.has(`${address} ${asset}`)),
      contracts: new Set(contracts.filter((address) => block.contracts.has(address))),
    });
  }
  const numbers = ({ ledger }: FlowEngine) =>
    Object.fromEntries(
      [...ledger.rows.positions.entries()].map(([key, { tainted, hop, basis }]) => [key, { tainted, hop, basis }]),
    );
  expect(numbers(engine)).toEqual(numbers(whole));
  expect(trailEndsOf(engine.ledger)).toEqual(trailEndsOf(whole.ledger));
  expect([...engine.ledger.rows.hits.entries()]).toEqual([...whole.ledger.rows.hits.entries()]);
}

function check(seed: number): void {
  const world = makeWorld(seed);
  const random = createRandom(seed ^ 0x5eed);
  const engine = follow(world.incident, world.blocks);
  count(engine);
  if (world.incident.rules.method !== "poison") assertNothingVanished(engine.ledger);
  expectBounds(world, engine);
  expectOracle(world, engine);
  expectNeedsSuffice(world, engine);
  const digest = digestOfLedger(engine.ledger);
  expectAnyOrder(world, digest, random);
  expectUndone(world, digest, random);
  if (seed % JOURNALS_EVERY === 0) expectJournalsUndo(world);
  expectLateOrigin(world, digest);
}

describe(`${SEEDS.length} histories`, () => {
  test(
    "keep every invariant",
    () => {
      for (const seed of SEEDS) {
        try {
          check(seed);
        } catch (error) {
          throw new Error(`seed ${seed}; replay it: FLOW_SEED=${seed} npm run jest -- test/unit/flow/histories`, {
            cause: error,
          });
        }
      }
    },
    TIMEOUT_MS,
  );

  test("contain what they are meant to survive", () => {
    if (SEEDS.length < 1_000) return;
    const { ends, ...numbers } = seen;
    expect([...ends].toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "bridgeFee",
      "bridgeUnresolved",
      "dilution",
      "dust",
      "fee",
      "hopLimit",
      "mixer",
      "own",
      "service",
      "suspectedService",
      "untracked",
    ]);
    for (const [what, times] of Object.entries(numbers))
      expect({ what, isOften: times > SEEDS.length / 50 }).toEqual({ what, isOften: true });
  });
});
