/** What an address touched in its last day, from a chain in memory whose index names blocks as a node's does. */
import { expect, test } from "@jest/globals";
import { joinReach, recentTouches } from "../../../src/daemon/recent-touches.ts";
import type { Block, Candidates, Header, Transfer } from "../../../src/types/chain.ts";

const CHAIN = "eip155:1";
const THIEF = `0x${"11".repeat(20)}`;
const other = (index: number) => `0x${String(index).padStart(40, "2")}`;
const HOUR_MS = 3_600_000;
const ALWAYS = new AbortController().signal;

function pays(to: string, over: Partial<Transfer> = {}): Transfer {
  const base = {
    key: "log:0",
    category: "erc20" as const,
    txHash: "0xtx",
    txIndex: 0,
    assetId: `${CHAIN}/x`,
    amount: 5n,
  };
  return { ...base, from: THIEF, to, ...over };
}

interface Chain {
  /** Transfers by block; the head is block 100. */
  readonly blocks: ReadonlyMap<number, readonly Transfer[]>;
  readonly covers?: Candidates["covers"];
  /** A block that the node fails to give. */
  readonly broken?: number;
  readonly hasIndex?: boolean;
  readonly blockTimeMs?: number;
  readonly traced?: boolean;
}

function look(chain: Chain, ownFrom = Infinity) {
  const { blocks, covers = "everything", broken, hasIndex = true, blockTimeMs = HOUR_MS, traced = true } = chain;
  const header = (number: number): Header => ({ number, hash: `0x${number}`, parentHash: "", timestamp: 0 });
  const pool = {
    chainId: CHAIN,
    blockTimeMs,
    headNumber: () => Promise.resolve(100),
    headerAt: (number: number) => Promise.resolve(header(number)),
    blockOf: ({ number }: Header): Promise<Block> => {
      if (number === broken) return Promise.reject(new Error("gone"));
      const trust = { proven: true, operators: ["us"], missing: [], traced };
      return Promise.resolve({ ...header(number), transfers: blocks.get(number) ?? [], trust });
    },
    candidates: (_addresses: readonly string[], { from, to }: { from: number; to: number }) => {
      const numbers = [...blocks.keys()].filter((number) => number >= from && number <= to);
      return Promise.resolve(hasIndex ? { numbers, covers } : null);
    },
  };
  const ownOf = (_chain: string, address: string) =>
    Number(address.replace(/^0x2*/, "")) >= ownFrom
      ? { chain: CHAIN, address, customerRef: `customer of ${address}`, wallet: "deposit" as const }
      : null;
  return recentTouches(pool, { address: THIEF, ownOf }, ALWAYS);
}

test("counts what it moved within a day, each other side once, and customers by name; others' transfers not", async () => {
  const blocks = new Map([
    [70, [pays(other(1))]],
    [90, [pays(other(1)), pays(other(3)), pays(other(4), { from: other(5) })]],
    [100, [pays(other(9))]],
  ]);
  expect(await look({ blocks }, 9)).toEqual({
    transfers: 3,
    counterparties: 3,
    customers: [`customer of ${other(9)}`],
    complete: true,
  });
});

test("without an index every block of the day is read where there are few, and nobody can tell where there are many", async () => {
  const blocks = new Map([
    [70, [pays(other(1))]],
    [90, [pays(other(1))]],
    [100, [pays(other(3))]],
  ]);
  const seen = { transfers: 2, counterparties: 2, customers: [], complete: true };
  expect(await look({ blocks, hasIndex: false })).toEqual(seen);
  expect(await look({ blocks, hasIndex: false, blockTimeMs: 60_000 })).toBeNull();
});

test("an index of logs only, a block that is missing and a node without an index say that there may be more", async () => {
  const blocks = new Map([
    [90, [pays(other(1))]],
    [91, [pays(other(3))]],
  ]);
  expect(await look({ blocks, covers: "logs" })).toMatchObject({ transfers: 2, complete: false });
  expect(await look({ blocks, broken: 90 })).toMatchObject({ transfers: 1, counterparties: 1, complete: false });
  const unindexed = { blocks, hasIndex: false };
  expect(await look({ ...unindexed, broken: 85 })).toMatchObject({ transfers: 2, complete: false });
  expect(await look({ ...unindexed, traced: false })).toMatchObject({ transfers: 2, complete: false });
});

test("stops once a limit is passed: 26 customers, or 1,001 addresses", async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => pays(other(1_000 + index)));
  const after = (count: number) =>
    new Map([
      [90, many(5_000)],
      [99, many(count)],
    ]);
  expect(await look({ blocks: after(1_001) })).toMatchObject({ counterparties: 1_001, complete: false });
  expect(await look({ blocks: after(1_000) })).toMatchObject({ counterparties: 5_000 });
  expect((await look({ blocks: after(26) }, 0))?.customers).toHaveLength(26);
});

test("whom its coins paid together with others' is touched by it, change aside", async () => {
  const part = (parts: Partial<Transfer>) =>
    pays(other(1), { category: "output", from: null, key: "vout:0", ...parts });
  const coins = [
    part({ category: "input", from: THIEF, to: null }),
    part({ to: other(1) }),
    part({ to: other(3), change: true }),
    part({ to: other(4), txHash: "0xelse" }),
  ];
  expect(await look({ blocks: new Map([[95, coins]]) })).toMatchObject({ transfers: 1, counterparties: 1 });
});

test("stored hits and nodes are joined without counting one transfer twice", () => {
  const stored = { transfers: 5, counterparties: 2, customers: ["a"] };
  const seen = { transfers: 3, counterparties: 4, customers: ["a", "b"], complete: true };
  expect(joinReach(stored, [seen])).toEqual({ transfers: 5, counterparties: 4, customers: ["a", "b"], complete: true });
  expect(joinReach(stored, [seen, null]).complete).toBe(false);
  expect(joinReach(stored, [{ ...seen, complete: false }]).complete).toBe(false);
});
