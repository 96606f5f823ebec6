/** Chain families. Adding one is one folder here and one line below. */
import type { Address, ChainAdapter, ChainId, NativeCheckOutcome, PendingTransaction } from "../types/chain.ts";
import type { ChainConfig, NodeConfig } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import type { Evidence } from "../types/nodes.ts";
import { normalizeBitcoinAddress } from "./bitcoin/address.ts";
import { createBitcoinAdapter } from "./bitcoin/bitcoin-adapter.ts";
import { networkOf } from "./bitcoin/networks.ts";
import { readRecorded, type RecordedTransaction } from "./bitcoin/recorded-transaction.ts";
import { normalizeEvmAddress } from "./evm/checksum.ts";
import { createEvmAdapter } from "./evm/evm-adapter.ts";
import { createNodePool, type NodePool } from "./pool/node-pool.ts";

export interface AdapterOptions {
  readonly chain: ChainConfig;
  readonly node: NodeConfig;
  readonly log: Log;
  readonly onRequest?: (method: string, outcome: "ok" | "error") => void;
  readonly onNativeCheck?: (outcome: NativeCheckOutcome) => void;
}

interface Family {
  /** CAIP-2 namespace. */
  readonly namespace: string;
  readonly create: (options: AdapterOptions) => ChainAdapter;
  /** `noAdapter`: a chain of the namespace that is not read here. */
  // oxlint-disable-next-line typescript/no-redundant-type-constituents -- the third answer is named for the reader
  readonly normalizeAddress: (text: string, chain: ChainId) => Address | null | "noAdapter";
  /** Absent where a transaction's bytes do not say what it moved. Null: a chain of the namespace that is not read here. */
  readonly readRecorded?: (recorded: RecordedTransaction, chain: ChainId) => PendingTransaction | null;
}

const FAMILIES: Record<ChainConfig["family"], Family> = {
  evm: { namespace: "eip155", create: createEvmAdapter, normalizeAddress: normalizeEvmAddress },
  bitcoin: {
    namespace: "bip122",
    create: createBitcoinAdapter,
    normalizeAddress: (text, chain) => {
      const network = networkOf(chain);
      return network === null ? "noAdapter" : normalizeBitcoinAddress(text, network);
    },
    readRecorded: (recorded, chain) => {
      const network = networkOf(chain);
      return network === null ? null : readRecorded(recorded, network);
    },
  },
};

export function createAdapter(options: AdapterOptions): ChainAdapter {
  return FAMILIES[options.chain.family].create(options);
}

export interface PoolOptions {
  readonly chain: ChainConfig;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly onRequest?: (of: { node: string; method: string; outcome: "ok" | "error" }) => void;
  readonly onNativeCheck?: (outcome: NativeCheckOutcome) => void;
  readonly onLie: (evidence: Evidence) => void;
}

/** All nodes of a chain as one adapter. */
export function createChainPool({ chain, log, now, onRequest, onNativeCheck, onLie }: PoolOptions): NodePool {
  const nodes = chain.nodes.map((node) => ({
    name: node.name,
    operator: node.operator,
    own: node.own,
    adapter: createAdapter({
      chain,
      node,
      log,
      onRequest: (method, outcome) => onRequest?.({ node: node.name, method, outcome }),
      ...(onNativeCheck === undefined ? {} : { onNativeCheck }),
    }),
  }));
  return createNodePool({ nodes, quorum: chain.quorum, log, now, onLie });
}

/** A transaction out of its kept bytes, proven by its id; null where its chain's transactions cannot be told so. */
export function readRecordedTransaction(chain: ChainId, recorded: RecordedTransaction): PendingTransaction | null {
  return familyOf(chain)?.readRecorded?.(recorded, chain) ?? null;
}

function familyOf(chain: ChainId): Family | undefined {
  const namespace = chain.split(":", 1)[0];
  return Object.values(FAMILIES).find((one) => one.namespace === namespace);
}

/** Canonical text, null for a wrong address, or the word `noAdapter` for a chain no family here reads. */
export function normalizeAddress(chain: ChainId, text: string): string | null {
  const family = familyOf(chain);
  return family === undefined ? "noAdapter" : family.normalizeAddress(text, chain);
}
