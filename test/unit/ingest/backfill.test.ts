import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { chunksOf, CHUNK_BLOCKS, planScan, type PlanFacts } from "../../../src/ingest/backfill.ts";
import { mergeRanges, subtractRanges } from "../../../src/lib/ranges.ts";

const naming = (...versions: string[]) => ({ listVersions: new Set(versions), liveFrom: 0, past: [] });
const live = (from: number, to: number, listVersion: string) => ({ from, to, listVersion });

describe("what a scan has to read", () => {
  test("it ends at the last block that was final before the address was listed: the rest is matched again live", () => {
    const facts: PlanFacts = {
      finalNumber: 120,
      tip: 150,
      live: [live(100, 120, "old"), live(121, 150, "old")],
      groups: [naming("new")],
    };
    expect(planScan(facts, 50)).toEqual({ ranges: [{ from: 50, to: 120 }], joinAt: 121 });
  });

  test("blocks below the start of the chain that are not final yet are read too, once they are", () => {
    const facts: PlanFacts = { finalNumber: -1, tip: 150, live: [live(140, 150, "new")], groups: [naming("new")] };
    expect(planScan(facts, 100)).toEqual({ ranges: [{ from: 100, to: 139 }], joinAt: 140 });
  });

  test("an address that came back is read where it was away, and nowhere else", () => {
    const facts: PlanFacts = {
      finalNumber: 150,
      tip: 150,
      live: [live(100, 110, "with"), live(111, 130, "without"), live(131, 150, "again")],
      groups: [naming("with", "again")],
    };
    expect(planScan(facts, 90)).toEqual({
      ranges: [
        { from: 90, to: 99 },
        { from: 111, to: 130 },
      ],
      joinAt: 131,
    });
  });

  test("an address with a new entry is read again up to the block that was final then", () => {
    const facts: PlanFacts = {
      finalNumber: 140,
      tip: 150,
      live: [live(100, 150, "with")],
      groups: [{ ...naming("with"), liveFrom: 131 }],
    };
    expect(planScan(facts, 90)).toEqual({ ranges: [{ from: 90, to: 130 }], joinAt: 131 });
  });

  test("what a scan has read before is not read again, and live coverage begins where it did", () => {
    const facts: PlanFacts = {
      finalNumber: 150,
      tip: 160,
      live: [live(150, 160, "v")],
      groups: [{ listVersions: new Set(["v"]), liveFrom: 0, past: [{ from: 100, to: 149 }] }],
    };
    expect(planScan(facts, 80)).toEqual({ ranges: [{ from: 80, to: 99 }], joinAt: 150 });
    expect(planScan(facts, 100).ranges).toEqual([]);
  });

  test("addresses of different histories are read for as far as any of them needs", () => {
    const facts: PlanFacts = {
      finalNumber: 150,
      tip: 160,
      live: [live(100, 120, "one"), live(121, 160, "both")],
      groups: [naming("one", "both"), naming("both")],
    };
    expect(planScan(facts, 90)).toEqual({ ranges: [{ from: 90, to: 120 }], joinAt: 121 });
  });
});

const ranges = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 40 }))
    .map(([from, more]) => ({ from, to: from + more })),
  { maxLength: 8 },
);
const numbersIn = (of: readonly { from: number; to: number }[]) =>
  new Set(of.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index)));

test("subtracting and merging ranges is what it is for their numbers", () => {
  fc.assert(
    fc.property(ranges, ranges, (some, taken) => {
      const left = subtractRanges(some, taken);
      const gone = numbersIn(taken);
      expect(numbersIn(left)).toEqual(new Set([...numbersIn(some)].filter((number) => !gone.has(number))));
      expect(mergeRanges(left)).toEqual(left);
    }),
  );
});

test("chunks hold every number once and are cut at the same places for every scan", () => {
  fc.assert(
    fc.property(ranges, (some) => {
      const merged = mergeRanges(some);
      const chunks = chunksOf(merged);
      expect(chunks.flatMap((range) => [...numbersIn([range])])).toEqual([...numbersIn(merged)]);
      for (const { chunk, from, to } of chunks) {
        expect(Math.floor(from / CHUNK_BLOCKS)).toBe(chunk);
        expect(Math.floor(to / CHUNK_BLOCKS)).toBe(chunk);
      }
    }),
  );
});
