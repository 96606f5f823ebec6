import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { AHEAD_START, nextAhead } from "../../../src/ingest/ahead.ts";

const quick = { tookMs: 100, failed: false, blocks: 8, transfers: 800 };

test("more blocks side by side while answers are quick, half as many when they fail or are slow", () => {
  expect(nextAhead(8, quick)).toBe(10);
  expect(nextAhead(8, { ...quick, tookMs: 3_000 })).toBe(8);
  expect(nextAhead(8, { ...quick, tookMs: 6_000 })).toBe(4);
  expect(nextAhead(8, { ...quick, failed: true })).toBe(4);
});

test("never none, never more than memory allows, whatever happens", () => {
  const batch = fc.record({
    tookMs: fc.nat(60_000),
    failed: fc.boolean(),
    blocks: fc.nat(32),
    transfers: fc.nat(500_000),
  });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 50 }), (batches) => {
      let ahead = AHEAD_START;
      for (const one of batches) {
        ahead = nextAhead(ahead, one);
        expect(ahead).toBeGreaterThanOrEqual(1);
        expect(ahead).toBeLessThanOrEqual(32);
        if (ahead > 1 && one.blocks > 0) expect((ahead * one.transfers) / one.blocks).toBeLessThanOrEqual(200_000);
      }
    }),
  );
});
