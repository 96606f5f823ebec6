import { describe, expect, test } from "@jest/globals";
import { readPast, type ReadPastOptions } from "../../../src/ingest/read-past.ts";
import { sideBySide } from "../../../src/lib/side-by-side.ts";
import type { AddressTable } from "../../../src/types/address-table.ts";
import type { Block, ChainAdapter, Header } from "../../../src/types/chain.ts";
import type { Claim, ClaimedRange } from "../../../src/types/retro.ts";
import { blockAt, hitOf } from "../../conformance/store-facts.ts";

const NEVER = new AbortController().signal;
const THIEF = "0xthief";

interface FakeChain {
  readonly bodies: number[];
  readonly adapter: ChainAdapter;
}

function fakeChain(
  change: (block: Block) => Block | null = (block) => block,
  more: Partial<ChainAdapter> = {},
): FakeChain {
  const bodies: number[] = [];
  const adapter: ChainAdapter = {
    family: "test",
    chainId: "test:1",
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: () => Promise.resolve(1_000),
    headerAt: (number): Promise<Header | null> => Promise.resolve(change(blockAt(number))),
    blockOf(header, _signal, wanted) {
      bodies.push(header.number);
      expect(wanted?.senders).toBe("all");
      return Promise.resolve(change(blockAt(header.number)));
    },
    finalizedNumber: () => Promise.resolve(1_000),
    close: () => Promise.resolve(),
    ...more,
  };
  return { bodies, adapter };
}

const optionsOf = (adapter: ChainAdapter, more: Partial<ReadPastOptions> = {}): ReadPastOptions => ({
  adapter,
  quorum: 1,
  watched: {} as AddressTable,
  match: ({ number }) => [hitOf({ chain: "test:1", tx: `0x${number}` })],
  ...more,
});

const range = (from: number, to: number, more: Partial<ClaimedRange> = {}): ClaimedRange => ({
  scanId: "scan",
  from,
  to,
  epoch: 1,
  reading: "whole",
  addresses: [THIEF],
  ...more,
});
const claimOf = (...ranges: ClaimedRange[]): Claim => ({ chain: "test:1", holder: "us", ranges });

describe("reading a claim", () => {
  test("every block of each range, each read once however many ranges want it, with the hashes it joins by", async () => {
    const { bodies, adapter } = fakeChain();
    const ranges = [range(10, 14), range(12, 15, { scanId: "other" })];
    const read = await readPast(claimOf(...ranges), optionsOf(adapter), NEVER);
    expect(bodies.toSorted((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(read.map(({ blocks }) => blocks.map(({ block }) => block.number))).toEqual([
      [10, 11, 12, 13, 14],
      [12, 13, 14, 15],
    ]);
    expect(read[0]).toMatchObject({ parentHash: blockAt(9).hash, lastHash: blockAt(14).hash });
  });

  test("a range gets the hits of its own addresses, not those of a scan it was read with", async () => {
    const { adapter } = fakeChain();
    const ranges = [range(10, 10), range(10, 10, { scanId: "other", addresses: ["0xother"] })];
    const read = await readPast(claimOf(...ranges), optionsOf(adapter), NEVER);
    expect(read.map(({ blocks }) => blocks.flatMap(({ hits }) => hits).length)).toEqual([1, 0]);
  });

  test.each<[string, (block: Block) => Block | null, string]>([
    ["a block that nobody has", (block) => (block.number === 12 ? null : block), "no node has block 12"],
    [
      "a block on another parent",
      (block) => (block.number === 12 ? { ...block, parentHash: "0xforged" } : block),
      "block 12 does not follow",
    ],
  ])("%s makes no range: it is asked again, never left out", async (_what, change, problem) => {
    const { adapter } = fakeChain(change);
    const reading = readPast(claimOf(range(10, 14)), optionsOf(adapter), NEVER);
    await expect(reading).rejects.toMatchObject({ retryable: true });
    await expect(reading).rejects.toThrow(problem);
  });

  test("a block that fewer operators name than finality takes is not believed", async () => {
    const { adapter } = fakeChain();
    const reading = readPast(claimOf(range(10, 11)), optionsOf(adapter, { quorum: 2 }), NEVER);
    await expect(reading).rejects.toThrow("named by us alone");
  });

  test("what an index names is read; the index of logs never stands in for one of everything", async () => {
    const candidates = () => Promise.resolve({ numbers: [3, 11, 13, 99], covers: "logs" as const });
    const { bodies, adapter } = fakeChain(undefined, { candidates });
    const [read] = await readPast(claimOf(range(10, 14, { reading: "logs" })), optionsOf(adapter), NEVER);
    expect(bodies).toEqual([11, 13]);
    expect(read).toMatchObject({ parentHash: null, lastHash: null });
    for (const [of, reading] of [
      [adapter, "filtered"],
      [fakeChain().adapter, "logs"],
      [fakeChain(undefined, { candidates: () => Promise.resolve(null) }).adapter, "filtered"],
    ] as const)
      await expect(readPast(claimOf(range(10, 14, { reading })), optionsOf(of), NEVER)).rejects.toThrow("no own node");
  });
});

describe("side by side", () => {
  test("never more than so many at once, results in order", async () => {
    let running = 0;
    let most = 0;
    const results = await sideBySide([5, 1, 4, 2, 3], { atOnce: 2, signal: NEVER }, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, item));
      running -= 1;
      return item * 2;
    });
    expect([results, most]).toEqual([[10, 2, 8, 4, 6], 2]);
  });

  test("a failure ends the others and is what is thrown; nothing new is begun", async () => {
    const begun: number[] = [];
    const work = sideBySide([1, 2, 3, 4], { atOnce: 2, signal: NEVER }, async (item, signal) => {
      begun.push(item);
      if (item === 1) throw new Error("the first");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return item;
    });
    await expect(work).rejects.toThrow("the first");
    expect(begun).toEqual([1, 2]);
  });

  test("an abort from outside is thrown as itself", async () => {
    const stop = new AbortController();
    const work = sideBySide([1, 2, 3], { atOnce: 1, signal: stop.signal }, async () =>
      stop.abort(new Error("stopping")),
    );
    await expect(work).rejects.toThrow("stopping");
  });
});
