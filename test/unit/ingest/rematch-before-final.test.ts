import { createWaker } from "../../../src/lib/waker.ts";
import { runHeadLoop } from "../../../src/ingest/head-loop.ts";
import type { Block, ChainAdapter } from "../../../src/types/chain.ts";
import type { Lease } from "../../../src/types/checkpoint.ts";
import { createWatchedTable } from "../../support/watched-table.ts";
import { blockAt, commitOf, hitOf, scanned, windowBlock } from "../../conformance/store-facts.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

const CHAIN = "test:list";
const HEAD = 13;
const nothing = () => undefined;

function nodeAt(finalizedNumber: number): ChainAdapter {
  const known = (number: number) => (number <= HEAD ? blockAt(number) : null);
  return {
    family: "test",
    chainId: CHAIN,
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: async () => HEAD,
    headerAt: async (number) => known(number),
    blockOf: async ({ number }) => known(number),
    finalizedNumber: async () => finalizedNumber,
    close: async () => nothing(),
  };
}

// The window was matched again only once the node had nothing new; a block that turned final before was never looked at.
test("a block that became final while the list was changed is matched with the changed list first", async () => {
  const store = createMemoryStore(() => 0);
  const lead = async (listVersion: string) =>
    (await store.leases.acquire({ chain: CHAIN, holder: "us", ttlMs: 60_000, listVersion, revision: 0 })) as Lease;
  const old = await lead("v1");
  await store.chains.begin(old, [windowBlock(9)]);
  await store.chains.commitBlocks(
    commitOf(
      old,
      [10, 11, 12].map((number) => scanned(blockAt(number))),
    ),
  );

  const hit = hitOf({ chain: CHAIN, tx: "0x1" });
  const lease = await lead("v2");
  const stopping = new AbortController();
  const waker = createWaker();
  await runHeadLoop(
    {
      adapter: nodeAt(12),
      store: store.chains,
      lease,
      start: { at: "latest" },
      windowDepth: 64,
      match: (block: Block) => (block.number === 11 ? [hit] : []),
      watched: createWatchedTable(new Map()),
      listVersion: "v2",
      clock: { now: () => 1_795_000_100_000 },
      waker: {
        wake: waker.wake,
        async wait() {
          stopping.abort();
        },
      },
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      onStatus: nothing,
      onCommitted: nothing,
    },
    stopping.signal,
  );

  expect((await store.chains.load(CHAIN))?.finalizedNumber).toBe(12);
  const kinds = store.tables.event.values().map(({ hitId, kind }) => [hitId, kind]);
  expect(kinds).toEqual([
    [hit.hitId, "included"],
    [hit.hitId, "final"],
  ]);
});
