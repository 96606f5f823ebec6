/**
 * The nouns of following stolen funds; docs/flow.md says what they mean and which rule (in brackets) decides what.
 * Amounts are base units. "Taint" is the part of an amount that is stolen.
 */
import type { Address, AssetId, BlockRef, ChainId } from "./chain.ts";
import type { HandoffDestination } from "./flow-block.ts";

/** How what leaves a mixed balance is split: in proportion, first in first out, or all of it stolen. */
export type FlowMethod = "haircut" | "fifo" | "poison";

/** `exact`: every balance behind a number came from a node. `observed`: at least one was put together from what was seen. */
export type FlowBasis = "exact" | "observed";

/** What bounds the following of one incident. Fixed when the incident is opened, so that a recomputation agrees. */
export interface FlowRules {
  readonly method: FlowMethod;
  /** BND-1: less than this is not followed, by asset; `*` for all others. */
  readonly minTrack: Readonly<Record<string, bigint>>;
  /** BND-2: a payment with a smaller part of stolen funds is not followed. */
  readonly minShareBps: number;
  /** BND-3 */
  readonly maxHops: number;
  /** Transactions in one line, also those that count as no hop. */
  readonly maxSteps: number;
  /** BND-4: who pays more distinct receivers is a suspected service. */
  readonly maxFanout: number;
  /** BND-5: positions on one chain from which on small new ones are not opened. */
  readonly positionsMax: number;
}

/** Where stolen funds begin (ORG). `via` says that an analyst linked it behind a mixer. */
export type FlowOrigin = { readonly via?: string } & (
  | { readonly kind: "leg"; readonly chain: ChainId; readonly tx: string; readonly leg: string }
  | {
      readonly kind: "balance";
      readonly chain: ChainId;
      readonly address: Address;
      readonly assets: readonly AssetId[];
      readonly block: number;
    }
  | { readonly kind: "controlled"; readonly chain: ChainId; readonly address: Address; readonly sinceBlock: number }
);

export const SERVICE_KINDS = [
  "exchange",
  "otc",
  "payment",
  "gambling",
  "custodian",
  "guarantee",
  "burn",
  "validator",
  "protocol",
] as const;
export const MACHINE_KINDS = ["dexPool", "dexRouter", "aggregator", "wrapper", "settlement"] as const;
export type FlowLabelKind =
  | (typeof SERVICE_KINDS)[number]
  | (typeof MACHINE_KINDS)[number]
  | "bridge"
  | "mixer"
  | "wallet";

export interface FlowLabel {
  readonly kind: FlowLabelKind;
  /** Whose it is; of a mixer the pool. */
  readonly entity: string;
}

/** What the rules ask about names. Answers must not change while a ledger lives: a change is a recomputation (RET-2). */
export interface FlowNames {
  /** The label in force at that block. */
  labelOf(chain: ChainId, address: Address, block: number): FlowLabel | null;
  isOwn(chain: ChainId, address: Address): boolean;
  /** FPS-2: false for tokens outside of the list, whatever they call themselves. */
  isFollowed(asset: AssetId): boolean;
}

/** Everything a ledger is opened with. Equal input and equal blocks give an equal ledger. */
export interface FlowIncident {
  readonly id: string;
  readonly rules: FlowRules;
  readonly origins: readonly FlowOrigin[];
  readonly names: FlowNames;
}

/** A piece of a balance, in the order it came (FIFO). `hop` null: clean. */
export interface Lot {
  readonly amount: bigint;
  readonly hop: number | null;
}

/** Stolen funds that somebody holds. */
export interface Position {
  readonly chain: ChainId;
  /** The address; of a coin `<transaction>:<output>`. */
  readonly holder: string;
  /** Who can spend it; null: a script without an address. */
  readonly owner: Address | null;
  readonly asset: AssetId;
  readonly tainted: bigint;
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  /** What the holder has as far as seen: the last balance from a node and what moved since (ACC-5). */
  readonly observed: bigint;
  /** Only with `fifo`. */
  readonly lots?: readonly Lot[];
}

export const TRAIL_END_KINDS = [
  "fee",
  "own",
  "service",
  "mixer",
  "bridgeUnresolved",
  "bridgeFee",
  "dust",
  "dilution",
  "hopLimit",
  "suspectedService",
  "untracked",
] as const;
export type TrailEndKind = (typeof TRAIL_END_KINDS)[number];

/** Where following stopped, and with how much. */
export interface TrailEnd {
  readonly chain: ChainId;
  readonly asset: AssetId;
  readonly kind: TrailEndKind;
  /** The service, pool, bridge or address; empty where the kind says all. */
  readonly ref: string;
  readonly tainted: bigint;
}

/** Taint that came into being, and that changed its asset or chain, of one asset of one chain. */
export interface FlowTotals {
  readonly chain: ChainId;
  readonly asset: AssetId;
  readonly injected: bigint;
  readonly convIn: bigint;
  readonly convOut: bigint;
}

/** An order to a bridge. Written by the chain it leaves only; what arrives is in `HandoffDelivery`. */
export interface Handoff {
  readonly key: string;
  readonly bridge: string;
  readonly chain: ChainId;
  readonly asset: AssetId;
  readonly tx: string;
  readonly block: number;
  /** Unix seconds, never falling along its chain. */
  readonly at: number;
  readonly amount: bigint;
  readonly tainted: bigint;
  /** Of who paid it in. */
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  readonly destination: HandoffDestination | null;
  /** Taint given back, and in how many payments. */
  readonly refunded: bigint;
  readonly refunds: number;
}

export interface HandoffDelivery {
  readonly handoff: string;
  readonly chain: ChainId;
  readonly asset: AssetId;
  readonly tx: string;
  readonly block: number;
  readonly leg: string;
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly link: "exact" | "heuristic";
}

export type FlowEdgeKind = "origin" | "transfer" | "conversion" | "handoff" | "refund";

/** A step that stolen funds took. What is below a bound leaves no edge, only its trail end. */
export interface FlowEdge {
  readonly chain: ChainId;
  readonly block: number;
  readonly txIndex: number;
  /** Place among the edges of its transaction. */
  readonly place: number;
  /** Null: before the block's transactions (an origin of kind `balance`). */
  readonly tx: string | null;
  readonly kind: FlowEdgeKind;
  readonly from: EdgeNode;
  readonly to: EdgeNode;
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly hop: number;
  /** Of several tainted sources `from` is the largest: how many others there are, its part, and all of them. */
  readonly joined?: { readonly others: number; readonly part: bigint; readonly whole: bigint };
  /** What was passed: the bridge and its key, or how an analyst linked it. */
  readonly via?: FlowVia;
}

/** An end of an edge. `holder` is a position's, or `handoff:<key>`. */
export interface EdgeNode {
  readonly holder: string;
  readonly address: Address | null;
  readonly asset: AssetId;
}

export type FlowVia =
  | { readonly type: "swap" }
  | { readonly type: "bridge"; readonly name: string; readonly key: string; readonly link: "exact" | "heuristic" }
  | { readonly type: "mixer"; readonly name: string };

/** An own address that received stolen funds (`destination`) or paid somebody who holds them (`source`). */
export interface FlowHit {
  /** `announced`: a bridge order names it, nothing has arrived. */
  readonly stage: "announced" | "included";
  readonly chain: ChainId;
  /** The transaction, or the order's key while `announced`. */
  readonly tx: string;
  readonly block: BlockRef | null;
  readonly address: Address;
  readonly asset: AssetId;
  readonly role: "destination" | "source";
  readonly exposure: "direct" | "indirect";
  readonly hop: number;
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly shareBps: number;
  readonly method: FlowMethod;
  readonly basis: FlowBasis;
  /** Key of the edge that brought most of it; null where nothing was traced to it. */
  readonly edge: string | null;
}

/** Who pays stolen funds on, and to how many (BND-4, SVC-2). */
export interface FlowSender {
  readonly chain: ChainId;
  readonly address: Address;
  /** Distinct receivers that were followed. */
  readonly receivers: number;
  readonly suspected: boolean;
  /** SVC-2: the only exchange it paid; null: none yet, or it paid somebody else too. */
  readonly exchange: string | null;
  readonly paidElsewhere: boolean;
}

/** Stolen funds paid into a mixer's pool (MIX-1). */
export interface MixerDeposits {
  readonly chain: ChainId;
  readonly pool: string;
  readonly asset: AssetId;
  readonly deposits: number;
  readonly tainted: bigint;
  /** Unix seconds. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export type CoinJoinType = "whirlpool" | "wasabi1" | "wasabi2" | "joinmarket";

/** A CoinJoin that stolen funds went into, and what an analyst may look at behind it (CJ-2). */
export interface CoinJoinPassed {
  readonly chain: ChainId;
  readonly tx: string;
  readonly type: CoinJoinType;
  readonly denominations: readonly bigint[];
  readonly tainted: bigint;
  /** Equal outputs. */
  readonly candidates: readonly number[];
}

/** Something a person should look at. */
export type FlowTaskKind =
  | "labelContract"
  | "bridgeUnresolved"
  | "suspectedService"
  | "untracked"
  | "balanceUnknown"
  | "floorRaised";

export interface FlowTask {
  readonly kind: FlowTaskKind;
  readonly chain: ChainId;
  /** The address, or what else it is about. */
  readonly about: string;
  readonly asset: AssetId;
  readonly tainted: bigint;
  /** First block. */
  readonly block: number;
}

/** How far a chain is folded. */
export interface FlowChain {
  readonly chain: ChainId;
  readonly number: number;
  readonly hash: string;
  /** Unix seconds: the highest time of its blocks so far, since a block's time may lie before its parent's. */
  readonly keyTime: number;
  /** BND-5: new positions must be 10 to this power times the floor. */
  readonly floorLevel: number;
}

/** The tables of a ledger: what a store keeps, row by row. */
export interface FlowRows {
  positions: Position;
  ends: TrailEnd;
  totals: FlowTotals;
  handoffs: Handoff;
  deliveries: HandoffDelivery;
  edges: FlowEdge;
  hits: FlowHit;
  senders: FlowSender;
  /** Pairs of sender and receiver, for counting. */
  receivers: true;
  mixers: MixerDeposits;
  coinjoins: CoinJoinPassed;
  tasks: FlowTask;
  chains: FlowChain;
}
export type FlowTable = keyof FlowRows;

/** What a row was before. Undefined: there was none. */
export interface RowBefore {
  readonly table: FlowTable;
  readonly key: string;
  readonly before: FlowRows[FlowTable] | undefined;
}

/** What an operation made of a row. */
export interface RowChange extends RowBefore {
  readonly after: FlowRows[FlowTable] | undefined;
}
