import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { firstBlock, firstWindow } from "../../../src/ingest/start-point.ts";
import { UnavailableError } from "../../../src/lib/errors.ts";
import type { ChainAdapter, Header } from "../../../src/types/chain.ts";

const NEVER = new AbortController().signal;

interface Fake {
  readonly adapter: ChainAdapter;
  readonly asked: number[];
}

/** A chain with a block at each of these times. */
function chainOf(timestamps: readonly number[], over: Partial<Record<number, Header | null>> = {}): Fake {
  const asked: number[] = [];
  const adapter: ChainAdapter = {
    family: "fake",
    chainId: "eip155:1",
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: () => Promise.resolve(timestamps.length - 1),
    headerAt(number) {
      asked.push(number);
      const timestamp = timestamps[number];
      const known = timestamp === undefined ? null : headerOf(number, timestamp);
      return Promise.resolve(over[number] === undefined ? known : over[number]);
    },
    blockOf: () => Promise.reject(new Error("not asked for")),
    finalizedNumber: () => Promise.resolve(-1),
    close: () => Promise.resolve(),
  };
  return { adapter, asked };
}

function headerOf(number: number, timestamp: number): Header {
  return { number, hash: `h${number}`, parentHash: `h${number - 1}`, timestamp };
}

const everyTenSeconds = (length: number) => Array.from({ length }, (_, index) => 1_000 + index * 10);

describe("the first block", () => {
  test("latest is the head, a number is itself", async () => {
    const { adapter } = chainOf(everyTenSeconds(100));
    expect(await firstBlock(adapter, { at: "latest" }, NEVER)).toBe(99);
    expect(await firstBlock(adapter, { at: "number", number: 7 }, NEVER)).toBe(7);
    expect(await firstBlock(adapter, { at: "number", number: 0 }, NEVER)).toBe(0);
  });

  test.each([
    ["before the chain began", 0, 0],
    ["the time of block 0", 1_000, 0],
    ["the time of a block", 1_500, 50],
    ["between two blocks", 1_501, 51],
    ["the time of the head", 1_990, 99],
    ["after the head", 1_991, 100],
  ])("a date: %s", async (_what, unixSeconds, expected) => {
    const { adapter } = chainOf(everyTenSeconds(100));
    expect(await firstBlock(adapter, { at: "date", unixSeconds }, NEVER)).toBe(expected);
  });

  test("a date is the lowest block at or after it, found in few requests", async () => {
    const gaps = fc.array(fc.nat(30), { minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(gaps, fc.nat(10_000), async (steps, unixSeconds) => {
        let at = 0;
        const timestamps = steps.map((step) => (at += step));
        const { adapter, asked } = chainOf(timestamps);
        const found = timestamps.findIndex((timestamp) => timestamp >= unixSeconds);
        const expected = found === -1 ? timestamps.length : found;
        expect(await firstBlock(adapter, { at: "date", unixSeconds }, NEVER)).toBe(expected);
        expect(asked.length).toBeLessThanOrEqual(Math.ceil(Math.log2(timestamps.length + 1)) + 1);
        expect(Math.max(0, ...asked)).toBeLessThan(timestamps.length);
      }),
      { numRuns: 200 },
    );
  });

  test("a node that lacks an old block is waited for: guessing would leave a hole", async () => {
    const { adapter } = chainOf(everyTenSeconds(100), { 50: null });
    const start = firstBlock(adapter, { at: "date", unixSeconds: 1_500 }, NEVER);
    await expect(start).rejects.toThrow(UnavailableError);
  });
});

describe("the first window", () => {
  const windowOf = async (first: number, depth: number, blocks = 100) => {
    const { adapter } = chainOf(everyTenSeconds(blocks));
    return firstWindow(adapter, { first, depth }, NEVER);
  };
  const numbers = (window: readonly Header[]) => window.map(({ number }) => number);

  test("holds the blocks just below the first, ascending, known but not scanned", async () => {
    const window = await windowOf(50, 3);
    expect(numbers(window)).toEqual([47, 48, 49]);
    expect(window[2]).toEqual({ ...headerOf(49, 1_490), scanned: false, listVersion: "" });
    expect(window.every(({ scanned }) => !scanned)).toBe(true);
  });

  test("is as deep as the chain is", async () => {
    expect(numbers(await windowOf(2, 64))).toEqual([0, 1]);
  });

  test("is empty when the chain begins at block 0", async () => {
    expect(await windowOf(0, 64)).toEqual([]);
  });

  test("ends at the head when the first block does not exist yet", async () => {
    expect(numbers(await windowOf(100, 2))).toEqual([98, 99]);
    expect(numbers(await windowOf(500, 2))).toEqual([98, 99]);
  });

  test("a chain that changes while it is read begins again later", async () => {
    const { adapter } = chainOf(everyTenSeconds(100), { 48: { ...headerOf(48, 1_480), parentHash: "other" } });
    await expect(firstWindow(adapter, { first: 50, depth: 3 }, NEVER)).rejects.toThrow(UnavailableError);
    const forked = chainOf(everyTenSeconds(100), { 49: { ...headerOf(49, 1_490), parentHash: "other" } });
    await expect(firstWindow(forked.adapter, { first: 50, depth: 3 }, NEVER)).rejects.toThrow("the chain changed");
  });

  test("a missing block below the head begins again later", async () => {
    const { adapter } = chainOf(everyTenSeconds(100), { 48: null });
    await expect(firstWindow(adapter, { first: 50, depth: 3 }, NEVER)).rejects.toThrow("does not have block 48");
  });
});
