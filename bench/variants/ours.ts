/** heistwatch as it runs: the EVM adapter's header and block, then the matcher with a real watchlist. */
import { createEvmAdapter } from "../../src/chains/evm/evm-adapter.ts";
import { normalizeEvmAddress } from "../../src/chains/evm/checksum.ts";
import { matchBlock } from "../../src/match/match-block.ts";
import type { Address, ChainAdapter, ChainId } from "../../src/types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../src/types/config.ts";
import type { Hit } from "../../src/types/hit.ts";
import type { Log } from "../../src/types/log.ts";
import type { TokenList } from "../../src/types/tokens.ts";
import type { WatchEntry, Watchlist } from "../../src/types/watch.ts";
import type { LoadedList } from "../../src/watchlist/load.ts";
import { createWatchlist } from "../../src/watchlist/snapshot.ts";
import type { OpenVariantWith, VariantInput } from "./variant.ts";

const CHAIN: ChainId = "eip155:1";
const QUIET: Log = { debug() {}, info() {}, warn() {}, error: (facts, message) => console.error(message, facts) };
const NO_TOKENS: TokenList = {
  assetOf: (id) => ({ id, symbol: null, decimals: null, listed: false, dustBelow: 0n }),
};

export interface HitReader {
  readonly adapter: ChainAdapter;
  hitsAt(number: number): Promise<Hit[]>;
}

export function openHitReader(input: VariantInput): HitReader {
  const adapter = openAdapter(input);
  const context = { chain: CHAIN, watchlist: watchlistOf(input.watched), tokens: NO_TOKENS };
  const never = new AbortController().signal;
  return {
    adapter,
    async hitsAt(number) {
      const header = await adapter.headerAt(number, never);
      const block = header === null ? null : await adapter.blockOf(header, never);
      if (block === null) throw new Error(`block ${number} is not there`);
      return matchBlock(block, context);
    },
  };
}

export const openOurs: OpenVariantWith = (input) => {
  const { adapter, hitsAt } = openHitReader(input);
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

function openAdapter({ httpUrl, wsUrl }: VariantInput): ChainAdapter {
  const node: NodeConfig = {
    name: "replay",
    operator: "bench",
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
    nodes: [node],
  };
  return createEvmAdapter({ chain, node, log: QUIET });
}

function watchlistOf(watched: VariantInput["watched"]): Watchlist {
  const incident: LoadedList["incident"] = {
    id: "bench",
    name: "Bench",
    kind: "hot_wallet",
    date: null,
    attribution: null,
    attributionBasis: null,
    disputed: false,
    lossUsd: null,
    references: [],
    note: null,
  };
  // What is never looked up needs no checksum, which would take 20 s for a million.
  const addresses = [...watched.used.map((text) => normalizeEvmAddress(text) ?? text), ...watched.unused];
  const entries = addresses.map((address) => ({ entry: entryOf(address), hasAdapter: true }));
  const list: LoadedList = { file: "bench", list: "bench", version: "1", incident, entries };
  return createWatchlist({ lists: [list], own: [], enable: [] });
}

function entryOf(address: Address): WatchEntry {
  return {
    id: `bench/${CHAIN}/${address}`,
    list: "bench",
    listVersion: "1",
    chain: CHAIN,
    address,
    incident: "bench",
    role: "theft",
    label: "bench",
    basis: "explorer",
    confidence: "block_explorer_label",
    independentSources: 1,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [],
  };
}
