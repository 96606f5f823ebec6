import { expect, test } from "@jest/globals";
import { runHeadLoop } from "../../../src/ingest/head-loop.ts";
import type { ChainStatus } from "../../../src/ingest/loop-state.ts";
import { AppError } from "../../../src/lib/errors.ts";
import { createWaker } from "../../../src/lib/waker.ts";
import type { ChainAdapter } from "../../../src/types/chain.ts";
import type { Lease } from "../../../src/types/checkpoint.ts";
import { createWatchedTable } from "../../support/watched-table.ts";
import { blockAt, windowBlock } from "../../conformance/store-facts.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

const CHAIN = "test:refused";
const HEAD = 20;
const REFUSED = 14;
const nothing = () => undefined;

class Refused extends AppError {
  override readonly code = "proof_mismatch";
  override readonly retryable = true;
}

function node(refuses: () => boolean): ChainAdapter {
  const known = (number: number) => (number <= HEAD ? blockAt(number) : null);
  return {
    family: "test",
    chainId: CHAIN,
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: async () => HEAD,
    headerAt: async (number) => known(number),
    blockOf: async ({ number }) => {
      if (number === REFUSED && refuses()) throw new Refused("block 14 does not match its hash");
      return known(number);
    },
    finalizedNumber: async () => -1,
    close: async () => nothing(),
  };
}

// Blocks are fetched side by side: the refusal of one used to throw away those before it, again and again.
test("a refused block does not hold up those before it, is never skipped, and is read once the node tells the truth", async () => {
  const store = createMemoryStore(() => 0);
  const lease = (await store.leases.acquire({
    chain: CHAIN,
    holder: "us",
    ttlMs: 60_000,
    listVersion: "v1",
    revision: 0,
  })) as Lease;
  await store.chains.begin(lease, [windowBlock(9)]);
  const stopping = new AbortController();
  const waker = createWaker();
  const tips: number[] = [];
  let status: ChainStatus | null = null;
  let waits = 0;
  await runHeadLoop(
    {
      adapter: node(() => waits < 3),
      store: store.chains,
      lease,
      start: { at: "latest" },
      windowDepth: 64,
      match: () => [],
      watched: createWatchedTable(new Map()),
      listVersion: "v1",
      clock: { now: () => 1_795_000_100_000 },
      waker: {
        wake: waker.wake,
        async wait() {
          waits += 1;
          tips.push((await store.chains.load(CHAIN))?.window.at(-1)?.number ?? -1);
          if (waits === 3) expect(status?.trouble).toMatchObject({ kind: "mismatch" });
          if (waits > 3) stopping.abort();
        },
      },
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      onStatus: (told) => {
        status = told;
      },
      onCommitted: nothing,
    },
    stopping.signal,
  );
  expect(tips).toEqual([REFUSED - 1, REFUSED - 1, REFUSED - 1, HEAD]);
});
