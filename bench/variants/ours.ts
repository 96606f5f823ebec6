/**
 * heistwatch as it runs: the EVM adapter's header and block, every proof, then the matcher with the table of the watched
 * addresses and their entries on disk. By the scanner as WebAssembly, by the same scanner as plain TypeScript, or by
 * the reference path alone.
 */
import { createEvmAdapter, type EvmAdapter } from "../../src/chains/evm/evm-adapter.ts";
import { wasmCore } from "../../src/chains/evm/scan/scanner-core.ts";
import { typescriptCore } from "../../src/chains/evm/scan/typescript-core.ts";
import { matchBlock } from "../../src/match/match-block.ts";
import { letGarbageGrow } from "../../src/lib/collector.ts";
import { runThrough } from "../../src/lib/slices.ts";
import type { BlockWanted, ChainAdapter, ChainId } from "../../src/types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../src/types/config.ts";
import type { Hit } from "../../src/types/hit.ts";
import type { Log } from "../../src/types/log.ts";
import type { TokenList } from "../../src/types/tokens.ts";
import type { Watchlist } from "../../src/types/watch.ts";
import { openEntryIndex } from "../../src/watchlist/entry-index.ts";
import { openFileStorage } from "../../src/watchlist/entry-storage.ts";
import type { OpenVariantWith, VariantInput } from "./variant.ts";

const CHAIN: ChainId = "eip155:1";
const QUIET: Log = { debug() {}, info() {}, warn() {}, error: (facts, message) => console.error(message, facts) };
const NO_TOKENS: TokenList = {
  assetOf: (id) => ({ id, symbol: null, decimals: null, listed: false, dustBelow: 0n }),
};
const CORES = { wasm: wasmCore, typescript: typescriptCore, reference: null } as const;

export interface Way {
  readonly core: keyof typeof CORES;
  readonly senders: BlockWanted["senders"];
}

export interface HitReader {
  readonly adapter: ChainAdapter;
  /** Of everything in the block. */
  hitsAt(number: number): Promise<Hit[]>;
  /** Of what its logs tell, from header and receipts alone; see `EvmAdapter`. */
  logHitsAt(number: number): Promise<Hit[]>;
}

export function openHitReader(input: VariantInput, way: Way): HitReader {
  letGarbageGrow();
  const adapter = openAdapter(input, way.core);
  const watchlist = watchlistOf(input.watchedFile);
  const context = { chain: CHAIN, watchlist, tokens: NO_TOKENS };
  const wanted: BlockWanted = { watched: watchlist.addresses, senders: way.senders };
  const never = new AbortController().signal;
  return {
    adapter,
    async hitsAt(number) {
      const header = await adapter.headerAt(number, never);
      const block = header === null ? null : await adapter.blockOf(header, never, wanted);
      if (block === null) throw new Error(`block ${number} is not there`);
      if (!block.trust.proven) throw new Error(`block ${number} is not proven`);
      return matchBlock(block, context);
    },
    async logHitsAt(number) {
      const logs = await adapter.logsAt(number, watchlist.addresses, never);
      if (logs === null) throw new Error(`block ${number} is not there`);
      if (!logs.proven) throw new Error(`block ${number} is not proven`);
      const trust = { proven: true, operators: ["bench"], missing: [], traced: false };
      return matchBlock({ ...logs.header, transfers: logs.transfers, trust }, context);
    },
  };
}

export function openOurs(way: Way): OpenVariantWith {
  return (input) => {
    const { adapter, hitsAt } = openHitReader(input, way);
    return {
      async read({ number }) {
        const hits = await hitsAt(number);
        return hits.length;
      },
      async onHead(tell, signal) {
        // The daemon's own way: the feed only says "look now", the head's number is asked.
        adapter.onHint?.(() => {
          void adapter.headNumber(signal).then(tell);
        }, signal);
        // onHint connects in the background and says nothing when it is subscribed.
        await new Promise((resolve) => setTimeout(resolve, 1_500));
      },
      close: () => adapter.close(),
    };
  };
}

function openAdapter({ httpUrl, wsUrl }: VariantInput, core: Way["core"]): EvmAdapter {
  const node: NodeConfig = {
    name: "replay",
    operator: "bench",
    own: true,
    http: httpUrl,
    ws: wsUrl,
    maxConcurrent: 64,
    maxRequestsPerSecond: 1e9,
    timeoutMs: 30_000,
  };
  const chain: ChainConfig = {
    name: "ethereum",
    id: CHAIN,
    family: "evm",
    blockTimeMs: 12_000,
    finality: { by: "tag" },
    windowDepth: 128,
    native: { symbol: "ETH", decimals: 18, slip44: 60, dustBelow: 0n },
    traces: "off",
    mempool: "off",
    proofs: "require",
    start: { at: "latest" },
    quorum: 1,
    nodes: [node],
  };
  return createEvmAdapter({ chain, node, log: QUIET, makeCore: CORES[core] });
}

/** Of any size: only the table is in memory, and an entry is read when its address is hit. */
function watchlistOf(file: string): Watchlist {
  const { addresses, entriesOf, count } = runThrough(openEntryIndex(openFileStorage(file)));
  return { version: "bench", incidents: new Map(), addresses, entriesOf, ownOf: () => null, watchedCount: count };
}
