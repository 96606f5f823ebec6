import { expect, test } from "@jest/globals";
import { createWaker } from "../../../src/lib/waker.ts";
import { runHeadLoop } from "../../../src/ingest/head-loop.ts";
import type { ChainAdapter, Header } from "../../../src/types/chain.ts";
import type { Lease } from "../../../src/types/checkpoint.ts";
import { createWatchedTable } from "../../support/watched-table.ts";
import { blockAt, commitOf, scanned, windowBlock } from "../../conformance/store-facts.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

const CHAIN = "test:final";
const TIP = 12;
const nothing = () => undefined;

const ours = (number: number) => (number <= TIP ? blockAt(number) : null);
// Leaves our chain above block 9.
const live = (number: number) => (number <= 9 ? blockAt(number) : blockAt(number, { branch: "live" }));

interface Backends {
  readonly headerAt: (number: number) => Header | null;
  readonly finalizedNumber: () => number;
}

/** Blocks 10 to 12 are scanned already; what the loop made final in its first turns. */
async function finalAfter({ headerAt, finalizedNumber }: Backends, turns: number): Promise<number> {
  const store = createMemoryStore(() => 0);
  const lease = (await store.leases.acquire({
    chain: CHAIN,
    holder: "us",
    ttlMs: 60_000,
    listVersion: "v1",
    revision: 0,
  })) as Lease;
  await store.chains.begin(lease, [windowBlock(9)]);
  const blocks = [10, 11, 12].map((number) => scanned(blockAt(number)));
  await store.chains.commitBlocks(commitOf(lease, blocks));
  const adapter: ChainAdapter = {
    family: "test",
    chainId: CHAIN,
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: async () => TIP,
    headerAt: async (number) => headerAt(number),
    blockOf: async () => null,
    finalizedNumber: async () => finalizedNumber(),
    close: async () => nothing(),
  };
  const stopping = new AbortController();
  let now = 1_795_000_100_000;
  let turn = 0;
  const wait = async () => {
    now += 10_000;
    turn += 1;
    if (turn >= turns) stopping.abort();
  };
  await runHeadLoop(
    {
      adapter,
      store: store.chains,
      lease,
      start: { at: "latest" },
      windowDepth: 64,
      match: () => [],
      watched: createWatchedTable(new Map()),
      listVersion: "v1",
      clock: { now: () => now },
      waker: { wake: createWaker().wake, wait },
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      onStatus: nothing,
      onCommitted: nothing,
    },
    stopping.signal,
  );
  return (await store.chains.load(CHAIN))?.finalizedNumber ?? -1;
}

// Set to our tip, it made blocks of a dead branch final, and the chain could never be followed again.
test("a final number above our tip is not taken for the tip of a backend that is stuck on a dead branch", async () => {
  expect(await finalAfter({ headerAt: ours, finalizedNumber: () => 35 }, 5)).toBe(-1);
});

test("nor where a live backend answers for what is above, which does not build on ours", async () => {
  let isAsked = false;
  const mixed = {
    headerAt: (number: number) => (number > TIP && isAsked ? live(number) : ours(number)),
    finalizedNumber: () => {
      isAsked = true;
      return 35;
    },
  };
  expect(await finalAfter(mixed, 1)).toBe(-1);
});

test("a final number above our tip makes the tip final where the chain goes on from it", async () => {
  let isAsked = false;
  const quick = {
    headerAt: (number: number) => (number === TIP + 1 && isAsked ? blockAt(number) : ours(number)),
    finalizedNumber: () => {
      isAsked = true;
      return TIP + 1;
    },
  };
  expect(await finalAfter(quick, 1)).toBe(TIP);
});

test("a final number within our chain needs no block above", async () => {
  expect(await finalAfter({ headerAt: ours, finalizedNumber: () => 11 }, 1)).toBe(11);
});
