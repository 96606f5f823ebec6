/** What the rules of one block work with: the ledger they write, and everything they may read. */
import type { Address, AssetId, ChainId } from "../types/chain.ts";
import type { FlowBlock } from "../types/flow-block.ts";
import type { EdgeNode, FlowEdge, FlowIncident, FlowLabel, FlowOrigin, FlowRules } from "../types/flow.ts";
import { type Balances, createBalances } from "./balances.ts";
import { edgeKeyOf, type Ledger } from "./ledger.ts";

/** An incident's origins by what they are looked up with. */
export interface OriginIndex {
  /** By `<chain>|<transaction>|<leg>`. */
  readonly legs: ReadonlyMap<string, FlowOrigin>;
  /** By `<chain>|<transaction>`. */
  readonly transactions: ReadonlySet<string>;
  /** Addresses that are controlled, since that block. */
  readonly controlled: ByAddress;
  /** Addresses that an origin names, since that block. */
  readonly named: ByAddress;
  readonly balances: readonly Extract<FlowOrigin, { kind: "balance" }>[];
}

/** By chain and address, without making a text of the two: each leg of each block is looked up. */
type ByAddress = ReadonlyMap<ChainId, ReadonlyMap<Address, number>>;

export interface BlockWork {
  readonly ledger: Ledger;
  readonly incident: FlowIncident;
  readonly rules: FlowRules;
  readonly origins: OriginIndex;
  readonly block: FlowBlock;
  readonly chain: ChainId;
  /** Unix seconds, never falling along the chain. */
  readonly at: number;
  readonly balances: Balances;
  /** Taint of positions when this block first changed them (ACC-4). */
  readonly taintBefore: Map<string, bigint>;
  /** Positions that were held against their anchor in this block. */
  readonly reconciled: Set<string>;
  /** BND-5 */
  readonly floorLevel: number;
  /** Of the transaction at work. */
  readonly tx: { hash: string | null; index: number; edges: number };
}

export function openWork(of: Pick<BlockWork, "ledger" | "incident" | "origins" | "block">): BlockWork {
  const { ledger, incident, block } = of;
  const before = ledger.rows.chains.get(block.chain);
  return {
    ...of,
    rules: incident.rules,
    chain: block.chain,
    at: Math.max(before?.keyTime ?? 0, block.timestamp),
    balances: createBalances(block.kind === "account" ? block.anchors : []),
    taintBefore: new Map(),
    reconciled: new Set(),
    floorLevel: before?.floorLevel ?? 0,
    tx: { hash: null, index: -1, edges: 0 },
  };
}

type Named = Exclude<FlowOrigin, { kind: "leg" }>;

export function indexOrigins(origins: readonly FlowOrigin[]): OriginIndex {
  const legs = new Map<string, FlowOrigin>();
  const transactions = new Set<string>();
  const controlled = new Map<ChainId, Map<Address, number>>();
  const named = new Map<ChainId, Map<Address, number>>();
  const balances: Extract<FlowOrigin, { kind: "balance" }>[] = [];
  const note = (map: Map<ChainId, Map<Address, number>>, { chain, address }: Named, block: number) => {
    const ofChain = map.get(chain) ?? new Map<Address, number>();
    map.set(chain, ofChain.set(address, Math.min(ofChain.get(address) ?? block, block)));
  };
  for (const origin of origins) {
    if (origin.kind === "leg") {
      legs.set(`${origin.chain}|${origin.tx}|${origin.leg}`, origin);
      transactions.add(`${origin.chain}|${origin.tx}`);
      continue;
    }
    note(named, origin, origin.kind === "balance" ? origin.block : origin.sinceBlock);
    if (origin.kind === "controlled") note(controlled, origin, origin.sinceBlock);
    else balances.push(origin);
  }
  return { legs, transactions, controlled, named, balances };
}

export function labelOf({ incident, chain, block }: BlockWork, address: Address | null): FlowLabel | null {
  return address === null ? null : incident.names.labelOf(chain, address, block.number);
}

export function isOwn({ incident, chain }: BlockWork, address: Address | null): address is Address {
  return address !== null && incident.names.isOwn(chain, address);
}

/** ORG-3 */
export function isControlled({ origins, chain, block }: BlockWork, address: Address | null): boolean {
  return address !== null && block.number >= (origins.controlled.get(chain)?.get(address) ?? Infinity);
}

/** An address that an origin names, from its block on. */
export function isNamed({ origins, chain, block }: BlockWork, address: Address): boolean {
  return block.number >= (origins.named.get(chain)?.get(address) ?? Infinity);
}

/** Whoever holds stolen funds, or will as soon as it sends. */
export function isHolder(work: BlockWork, address: Address | null): boolean {
  return address !== null && (work.ledger.holdings.has(work.chain, address) || isControlled(work, address));
}

export function floorOf({ minTrack }: FlowRules, asset: AssetId): bigint {
  return minTrack[asset] ?? minTrack["*"] ?? 0n;
}

export function nodeOf(address: Address | null, asset: AssetId): EdgeNode {
  return { holder: address ?? "", address, asset };
}

/** Writes an edge of the transaction at work; its key. */
export function addEdge(work: BlockWork, edge: Omit<FlowEdge, "chain" | "block" | "txIndex" | "place" | "tx">): string {
  const { ledger, chain, block, tx } = work;
  const whole: FlowEdge = {
    ...edge,
    chain,
    block: block.number,
    txIndex: tx.index,
    place: tx.edges,
    tx: tx.hash,
  };
  tx.edges += 1;
  const key = edgeKeyOf(whole);
  ledger.rows.edges.set(key, whole);
  return key;
}
