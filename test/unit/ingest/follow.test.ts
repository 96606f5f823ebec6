import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  cutBack,
  extend,
  follow,
  type FollowEvent,
  type FollowPhase,
  type FollowState,
  heightToAsk,
  prune,
} from "../../../src/ingest/follow.ts";
import type { Header } from "../../../src/types/chain.ts";

/** Block `number` of branch `branch`, on block `number - 1` of branch `parent`. */
function header(number: number, branch = "a", parent = branch): Header {
  return {
    number,
    hash: `${branch}${number}`,
    parentHash: `${parent}${number - 1}`,
    timestamp: 1_700_000_000 + number,
  };
}

/** Blocks 10 to 14 of branch a; 10 is the lowest known, 11 final. */
const WINDOW = [10, 11, 12, 13, 14].map((number) => header(number));

function stateAt(phase: FollowPhase, over: Partial<FollowState> = {}): FollowState {
  return { window: WINDOW, finalNumber: 11, phase, ...over };
}

const NEXT: FollowPhase = { at: "next" };
const TIP: FollowPhase = { at: "tip" };
const walk = (height: number): FollowPhase => ({ at: "walk", height });

interface Row {
  readonly what: string;
  readonly phase: FollowPhase;
  readonly asks: number;
  readonly answer: Header | null;
  readonly event: FollowEvent;
  readonly after: FollowPhase;
}

const TABLE: readonly Row[] = [
  {
    what: "next: a child of the tip extends the chain",
    phase: NEXT,
    asks: 15,
    answer: header(15),
    event: { kind: "block", header: header(15) },
    after: NEXT,
  },
  {
    what: "next: nothing there, is the tip still ours?",
    phase: NEXT,
    asks: 15,
    answer: null,
    event: { kind: "ask" },
    after: TIP,
  },
  {
    what: "next: a block on another parent starts the walk",
    phase: NEXT,
    asks: 15,
    answer: header(15, "b"),
    event: { kind: "ask" },
    after: walk(14),
  },
  {
    what: "tip: the same block, all is well",
    phase: TIP,
    asks: 14,
    answer: header(14),
    event: { kind: "idle" },
    after: NEXT,
  },
  { what: "tip: missing is lag", phase: TIP, asks: 14, answer: null, event: { kind: "lag", missing: 14 }, after: NEXT },
  {
    what: "tip: a different block starts the walk below it",
    phase: TIP,
    asks: 14,
    answer: header(14, "b"),
    event: { kind: "ask" },
    after: walk(13),
  },
  {
    what: "walk: missing is lag, not a deeper reorg",
    phase: walk(13),
    asks: 13,
    answer: null,
    event: { kind: "lag", missing: 13 },
    after: NEXT,
  },
  {
    what: "walk: the shared block is the ancestor",
    phase: walk(13),
    asks: 13,
    answer: header(13),
    event: { kind: "reorg", ancestor: header(13), depth: 1 },
    after: NEXT,
  },
  {
    what: "walk: different again, one further down",
    phase: walk(13),
    asks: 13,
    answer: header(13, "b"),
    event: { kind: "ask" },
    after: walk(12),
  },
  {
    what: "walk: at the tip the node is back on our branch",
    phase: walk(14),
    asks: 14,
    answer: header(14),
    event: { kind: "unsettled" },
    after: NEXT,
  },
  {
    what: "walk: the final block may be the ancestor",
    phase: walk(11),
    asks: 11,
    answer: header(11),
    event: { kind: "reorg", ancestor: header(11), depth: 3 },
    after: NEXT,
  },
  {
    what: "walk: a different final block is not followed",
    phase: walk(11),
    asks: 11,
    answer: header(11, "b"),
    event: { kind: "tooDeep", height: 11 },
    after: NEXT,
  },
];

describe("every phase and every answer", () => {
  test.each(TABLE)("$what", ({ phase, asks, answer, event, after }) => {
    const state = stateAt(phase);
    expect(heightToAsk(state)).toBe(asks);
    const step = follow(state, answer);
    expect(step.event).toEqual(event);
    expect(step.state).toEqual({ ...state, phase: after });
  });

  test.each([
    { what: "more work: a reorg", work: 401n, next: { kind: "ask" }, tip: { kind: "ask" } },
    {
      what: "as much: the node lost our block or was told to forget it",
      work: 400n,
      next: { kind: "lag", missing: 14 },
      tip: { kind: "lag", missing: 14 },
    },
    { what: "less", work: 399n, next: { kind: "lag", missing: 14 }, tip: { kind: "lag", missing: 14 } },
    { what: "unknown", work: undefined, next: { kind: "ask" }, tip: { kind: "ask" } },
  ])("another branch with $what", ({ work, next, tip }) => {
    const window = WINDOW.map((block) => ({ ...block, work: 400n + BigInt(block.number - 14) }));
    const told = (number: number): Header => ({ ...header(number, "b"), ...(work === undefined ? {} : { work }) });
    expect(follow(stateAt(NEXT, { window }), told(15)).event).toEqual(next);
    expect(follow(stateAt(TIP, { window }), told(14)).event).toEqual(tip);
  });

  test("with nothing known, block 0 is asked for and begins the chain", () => {
    const empty = stateAt(NEXT, { window: [], finalNumber: -1 });
    expect(heightToAsk(empty)).toBe(0);
    expect(follow(empty, null).event).toEqual({ kind: "idle" });
    expect(follow(empty, header(0)).event).toEqual({ kind: "block", header: header(0) });
  });

  test("a final tip that differs is too deep at once", () => {
    expect(follow(stateAt(TIP, { finalNumber: 14 }), header(14, "b")).event).toEqual({ kind: "tooDeep", height: 14 });
    expect(follow(stateAt(TIP, { finalNumber: 99 }), header(14, "b")).event).toEqual({ kind: "tooDeep", height: 14 });
  });

  test("below the lowest known block there is nothing to compare with", () => {
    expect(follow(stateAt(walk(10), { finalNumber: -1 }), header(10, "b")).event).toEqual({
      kind: "tooDeep",
      height: 10,
    });
  });
});

/** Blocks of a random tree: each new block stands on any earlier one, so branches of all lengths arise. */
const trees = fc.array(fc.nat(), { minLength: 1, maxLength: 40 }).map((picks) => {
  const blocks: Header[] = [{ number: 0, hash: "h0", parentHash: "none", timestamp: 0 }];
  picks.forEach((pick, index) => {
    // Half of them extend the newest block: otherwise trees stay flat.
    const parent = (pick % 2 === 0 ? blocks.at(-1) : blocks[pick % blocks.length]) as Header;
    blocks.push({ number: parent.number + 1, hash: `h${index + 1}`, parentHash: parent.hash, timestamp: index });
  });
  return blocks;
});

function chainTo(blocks: readonly Header[], tip: Header): Header[] {
  const byHash = new Map(blocks.map((block) => [block.hash, block]));
  const chain: Header[] = [];
  for (let at: Header | undefined = tip; at !== undefined; at = byHash.get(at.parentHash)) chain.unshift(at);
  return chain;
}

interface Seen {
  readonly event: FollowEvent;
  readonly window: readonly Header[];
  readonly asked: number;
  readonly walked: boolean;
}

/** Steps until the node has nothing new for us; `node` answers by height and may change its mind between calls. */
function run(state: FollowState, node: (height: number, step: number) => Header | null, steps = 400) {
  let now = state;
  const seen: Seen[] = [];
  for (let step = 0; step < steps; step += 1) {
    const asked = heightToAsk(now);
    const walked = now.phase.at !== "next";
    const { state: after, event } = follow(now, node(asked, step));
    now = after;
    if (event.kind === "block") now = { ...now, window: extend(now.window as Header[], event.header) };
    if (event.kind === "reorg") now = { ...now, window: cutBack(now.window as Header[], event.ancestor) };
    seen.push({ event, window: now.window as Header[], asked, walked });
    if (event.kind === "idle" || event.kind === "lag" || event.kind === "tooDeep") break;
  }
  return { state: now, seen };
}

const on = (chain: readonly Header[]) => (height: number) => chain[height] ?? null;
const FRESH: FollowState = { window: [], finalNumber: -1, phase: NEXT };
const hashes = (window: readonly { hash: string }[]) => window.map(({ hash }) => hash);

describe("over random trees", () => {
  test("every fork is followed: the window ends as the chain of the node's branch", () => {
    fc.assert(
      fc.property(trees, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), (blocks, picks) => {
        let state = FRESH;
        let previous: Header[] = [];
        for (const pick of picks) {
          const chain = chainTo(blocks, blocks[pick % blocks.length] as Header);
          const { state: after, seen } = run(state, on(chain));
          for (const { event, window } of seen) {
            if (event.kind === "reorg") expect(hashes(window)).toEqual(hashes(chain.slice(0, window.length)));
          }
          state = after;
          // A branch that does not reach our tip shows as lag: we keep what we have until it does.
          const expected = chain.length >= previous.length ? chain : previous;
          expect(hashes(state.window)).toEqual(hashes(expected));
          previous = state.window as Header[];
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a missing block is lag, a different block at a known height is a reorg", () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.nat(), (blocks, oldPick, newPick) => {
        const old = chainTo(blocks, blocks[oldPick % blocks.length] as Header);
        const now = chainTo(blocks, blocks[newPick % blocks.length] as Header);
        const start: FollowState = { window: old, finalNumber: 0, phase: NEXT };
        const { seen } = run(start, on(now));
        const kinds = seen.map(({ event }) => event.kind);
        const differs = old.some((block, height) => now[height] !== undefined && now[height]?.hash !== block.hash);
        // A shorter branch shows its difference only once it reaches our tip.
        expect(kinds.includes("reorg")).toBe(differs && now.length >= old.length);
        expect(kinds.includes("lag")).toBe(now.length < old.length);
        expect(kinds).not.toContain("tooDeep");
      }),
      { numRuns: 500 },
    );
  });

  test("a chain that never forks never yields a reorg, however far a node lags", () => {
    const heads = fc.array(fc.nat(60), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), heads, (length, lagging) => {
        const chain = Array.from({ length }, (_, number) => header(number));
        // Every single answer comes from a node with a head of its own: a load balancer over lagging nodes.
        const node = (height: number, step: number) =>
          height <= (lagging[step % lagging.length] ?? 0) ? (chain[height] ?? null) : null;
        let state = FRESH;
        for (let round = 0; round < 20; round += 1) {
          const ran = run(state, (height, step) => node(height, step + round * 7));
          state = ran.state;
          for (const { event } of ran.seen) expect(["ask", "block", "idle", "lag"]).toContain(event.kind);
          expect(hashes(state.window)).toEqual(hashes(chain.slice(0, state.window.length)));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("no walk asks below the final block, and no reorg reaches below it", () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.nat(), fc.nat(40), (blocks, oldPick, newPick, finalNumber) => {
        const old = chainTo(blocks, blocks[oldPick % blocks.length] as Header);
        const now = chainTo(blocks, blocks[newPick % blocks.length] as Header);
        const lowest = Math.min(finalNumber, old.length - 1);
        const { seen, state } = run({ window: old, finalNumber, phase: NEXT }, on(now));
        for (const { event, asked, walked } of seen) {
          if (walked) expect(asked).toBeGreaterThanOrEqual(lowest);
          if (event.kind === "reorg") expect(event.ancestor.number).toBeGreaterThanOrEqual(lowest);
        }
        expect(hashes(state.window).slice(0, lowest + 1)).toEqual(hashes(old).slice(0, lowest + 1));
      }),
      { numRuns: 500 },
    );
  });

  test("a node that changes its branch at every answer never corrupts the window", () => {
    fc.assert(
      fc.property(trees, fc.array(fc.nat(), { minLength: 1, maxLength: 30 }), (blocks, picks) => {
        const chains = picks.map((pick) => chainTo(blocks, blocks[pick % blocks.length] as Header));
        const node = (height: number, step: number) => chains[step % chains.length]?.[height] ?? null;
        let state = FRESH;
        for (let round = 0; round < 10; round += 1) {
          state = run(state, (height, step) => node(height, step + round), 60).state;
          (state.window as Header[]).forEach((block, index, window) => {
            expect(block.number).toBe(index);
            if (index > 0) expect(block.parentHash).toBe(window[index - 1]?.hash);
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("what a window keeps", () => {
  const window = Array.from({ length: 200 }, (_, index) => header(index + 100));

  test.each([
    ["everything not final", { finalNumber: 250, depth: 10 }, 250],
    ["at least `depth` blocks, although they are final", { finalNumber: 295, depth: 64 }, 235],
    ["all of it while nothing is final", { finalNumber: -1, depth: 64 }, 100],
  ])("%s", (_what, keep, lowest) => {
    const kept = prune(window, keep);
    expect(kept[0]?.number).toBe(lowest);
    expect(kept.at(-1)).toBe(window.at(-1));
    expect(kept).toHaveLength(299 - lowest + 1);
  });

  test("a chain that never reports finality is bounded", () => {
    const long = Array.from({ length: 50_100 }, (_, index) => header(index));
    expect(prune(long, { finalNumber: -1, depth: 64 })).toHaveLength(50_001);
  });

  test("nothing from nothing", () => {
    expect(prune([], { finalNumber: 5, depth: 5 })).toEqual([]);
  });
});
