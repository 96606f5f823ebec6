import { expect, test } from "@jest/globals";
import { runHeadLoop } from "../../../src/ingest/head-loop.ts";
import type { ChainStatus } from "../../../src/ingest/loop-state.ts";
import { createWaker } from "../../../src/lib/waker.ts";
import type { ChainAdapter } from "../../../src/types/chain.ts";
import type { Lease } from "../../../src/types/checkpoint.ts";
import { createWatchedTable } from "../../support/watched-table.ts";
import { blockAt, windowBlock } from "../../conformance/store-facts.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

const CHAIN = "test:stall";
const TIP = 9;
const nothing = () => undefined;
const MINUTE_MS = 60_000;

/** What the loop tells when no new block came for that long. */
async function troubleAfter(stillMs: number, blockTimeMs: number): Promise<ChainStatus["trouble"]> {
  const store = createMemoryStore(() => 0);
  const lease = (await store.leases.acquire({
    chain: CHAIN,
    holder: "us",
    ttlMs: 60_000,
    listVersion: "v1",
    revision: 0,
  })) as Lease;
  await store.chains.begin(lease, [windowBlock(TIP)]);
  const adapter: ChainAdapter = {
    family: "test",
    chainId: CHAIN,
    blockTimeMs,
    normalizeAddress: (text) => text,
    headNumber: async () => TIP,
    headerAt: async (number) => (number <= TIP ? blockAt(number) : null),
    blockOf: async () => null,
    finalizedNumber: async () => -1,
    close: async () => nothing(),
  };
  const stopping = new AbortController();
  let now = 1_795_000_100_000;
  const told: ChainStatus["trouble"][] = [];
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
      waker: {
        wake: createWaker().wake,
        async wait() {
          if (told.length > 1) stopping.abort();
          now += stillMs;
        },
      },
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      onStatus: ({ trouble }) => told.push(trouble),
      onCommitted: nothing,
    },
    stopping.signal,
  );
  expect(told[0]).toBeNull();
  return told[1] ?? null;
}

test.each([
  ["12 s", 12_000, 4, null],
  ["12 s", 12_000, 6, "stalled"],
  ["10 min, found by chance", 600_000, 6, null],
  ["10 min, found by chance", 600_000, 115, null],
  ["10 min, found by chance", 600_000, 125, "stalled"],
])(
  "a chain with a block each %s (%d ms) that shows none for %d minutes: %p",
  async (_what, blockTimeMs, minutes, kind) => {
    const trouble = await troubleAfter(minutes * MINUTE_MS, blockTimeMs);
    expect(trouble?.kind ?? null).toBe(kind);
  },
);
