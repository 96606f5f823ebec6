/** A node of the Bitcoin family followed by the real head loop, through the real pool, into the store in memory. */
import { createChainPool } from "../../../src/chains/registry.ts";
import { runHeadLoop } from "../../../src/ingest/head-loop.ts";
import type { ChainStatus } from "../../../src/ingest/loop-state.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { createWaker } from "../../../src/lib/waker.ts";
import type { Block, ChainAdapter, ChainId } from "../../../src/types/chain.ts";
import type { Lease } from "../../../src/types/checkpoint.ts";
import type { ChainConfig, NodeConfig } from "../../../src/types/config.ts";
import type { Log } from "../../../src/types/log.ts";
import { createWatchedTable } from "../watched-table.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";
import { waitFor } from "../wait-for.ts";

export interface Following {
  /** What the loop asks: all nodes together. */
  readonly pool: ChainAdapter;
  /** Every block that was matched, in order. */
  readonly matched: Block[];
  /** Depth of each reorg that was followed. */
  readonly reorgs: number[];
  readonly evidence: string[];
  readonly warnings: string[];
  status(): ChainStatus | null;
  /** Hashes of the blocks of the window that were scanned, by height. */
  scanned(): Promise<Map<number, string>>;
  /** Waits until the cursor stands on that block and the loop is content. */
  reaches(hash: string): Promise<void>;
  /** Waits until the loop tells such trouble. */
  troubled(detail: RegExp): Promise<ChainStatus["trouble"]>;
  stop(): Promise<void>;
}

export interface FollowOptions {
  readonly chainId: ChainId;
  readonly nodes: readonly NodeConfig[];
  readonly start: number;
  readonly finalDepth?: number;
  readonly blockTimeMs?: number;
  /** `everything`: blocks are matched with all that moves in them; else with nothing, which is quicker. */
  readonly reads?: "everything";
}

export async function followChain(options: FollowOptions): Promise<Following> {
  const { chainId, nodes } = options;
  const chain: ChainConfig = {
    name: "bitcoin",
    id: chainId,
    family: "bitcoin",
    blockTimeMs: options.blockTimeMs ?? 400,
    finality: { by: "depth", depth: options.finalDepth ?? 100 },
    windowDepth: 100,
    native: { symbol: "BTC", decimals: 8, slip44: 1, dustBelow: 0n },
    traces: "off",
    mempool: "off",
    proofs: "require",
    start: { at: "number", number: options.start },
    quorum: 1,
    nodes,
  };
  const warnings: string[] = [];
  const keep = (facts: object, message: string) => warnings.push(`${message} ${JSON.stringify(facts)}`);
  const quiet = () => undefined;
  const log: Log = { debug: quiet, info: quiet, warn: keep, error: keep };
  const evidence: string[] = [];
  const pool = createChainPool({ chain, log, now: Date.now, onLie: ({ why }) => evidence.push(why) });
  const store = createMemoryStore(Date.now);
  const lease = (await store.leases.acquire({
    chain: chainId,
    holder: "us",
    ttlMs: 3.6e6,
    listVersion: "v1",
    revision: 0,
  })) as Lease;
  const stopping = new AbortController();
  const matched: Block[] = [];
  const reorgs: number[] = [];
  let status: ChainStatus | null = null;
  const loop = runHeadLoop(
    {
      adapter:
        options.reads === "everything" ? { ...pool, blockOf: (header, signal) => pool.blockOf(header, signal) } : pool,
      store: store.chains,
      lease,
      start: chain.start,
      windowDepth: chain.windowDepth,
      match(block) {
        matched.push(block);
        return [];
      },
      watched: createWatchedTable(new Map()),
      listVersion: "v1",
      clock: systemClock,
      waker: createWaker(),
      log,
      onStatus: (told) => (status = told),
      onCommitted: ({ reorgDepth }) => reorgDepth > 0 && reorgs.push(reorgDepth),
    },
    stopping.signal,
  );
  const tip = async () => (await store.chains.load(chainId))?.window.at(-1)?.hash;
  const seen = () => `status ${JSON.stringify(status)}, last warnings ${warnings.slice(-3).join("; ")}`;
  return {
    pool,
    matched,
    reorgs,
    evidence,
    warnings,
    status: () => status,
    async scanned() {
      const window = (await store.chains.load(chainId))?.window ?? [];
      return new Map(window.filter((block) => block.scanned).map(({ number, hash }) => [number, hash]));
    },
    async reaches(hash) {
      const isThere = async () => (await tip()) === hash && status?.trouble === null;
      await waitFor(`the cursor at ${hash}`, isThere, { timeoutMs: 20_000 }).catch((error: unknown) => {
        throw new Error(`never content at ${hash}: ${seen()}`, { cause: error });
      });
    },
    async troubled(detail) {
      const isTold = () => status?.trouble !== null && detail.test(status?.trouble.detail ?? "");
      await waitFor(`trouble like ${String(detail)}`, isTold, { timeoutMs: 20_000 }).catch((error: unknown) => {
        throw new Error(`no trouble like ${String(detail)}: ${seen()}`, { cause: error });
      });
      return status?.trouble ?? null;
    },
    async stop() {
      stopping.abort();
      await loop;
      await pool.close();
    },
  };
}
