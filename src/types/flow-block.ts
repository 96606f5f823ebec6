/** Blocks as the following of stolen funds reads them: proven, decoded, with nothing left to ask. Amounts are base units. */
import type { Address, AssetId, BlockRef, ChainId } from "./chain.ts";

/** A movement of value in a transaction. Null: made (`from`) or destroyed (`to`) in it. */
export interface Leg {
  /** Same as `Transfer.key`: the same on every node. */
  readonly key: string;
  readonly asset: AssetId;
  readonly from: Address | null;
  readonly to: Address | null;
  readonly amount: bigint;
}

/**
 * What an allow-listed bridge contract said, decoded (BRG-0).
 * `out`: the named legs (outputs) go into the bridge. `in`: they are what it pays. `refund`: they are given back.
 */
export interface BridgeEvent {
  readonly direction: "out" | "in" | "refund";
  readonly bridge: string;
  /** The same on both sides, and of this order only. */
  readonly key: string;
  /** Keys of the legs, or `vout:<n>`. */
  readonly legs: readonly string[];
  /** Of several orders that share a leg: what this one is worth in it. */
  readonly amount?: bigint;
  readonly destination?: HandoffDestination;
}

export interface HandoffDestination {
  readonly chain: ChainId;
  /** Null: the order does not say. */
  readonly address: Address | null;
  /**
   * BRG-6: no event on the other side names the key; the payment is recognised by address, asset and amount. Absent: an
   * `in` event will name the key.
   */
  readonly keyless?: { readonly asset: AssetId; readonly minOut: bigint; readonly expected: bigint };
}

export interface AccountTransaction {
  readonly hash: string;
  readonly index: number;
  readonly from: Address;
  /** False: reverted, nothing but the fee happened. */
  readonly ok: boolean;
  readonly fee: { readonly payer: Address; readonly asset: AssetId; readonly amount: bigint } | null;
  /** In the order of execution within each asset (ORD-1). */
  readonly legs: readonly Leg[];
  readonly bridge: readonly BridgeEvent[];
}

export interface UtxoInput {
  readonly tx: string;
  readonly index: number;
  readonly amount: bigint;
  readonly address: Address | null;
}

export interface UtxoOutput {
  readonly amount: bigint;
  /** Null: a script without an address. */
  readonly address: Address | null;
  /** It can never be spent (OP_RETURN). */
  readonly unspendable?: true;
}

export interface UtxoTransaction {
  readonly hash: string;
  readonly index: number;
  /** Empty for a coinbase. */
  readonly inputs: readonly UtxoInput[];
  readonly outputs: readonly UtxoOutput[];
  readonly bridge: readonly BridgeEvent[];
}

/** What an address held at the end of the previous block, as a node said (ACC-1). */
export interface Anchor {
  readonly address: Address;
  readonly asset: AssetId;
  readonly amount: bigint;
}

interface FlowBlockHead extends BlockRef {
  readonly chain: ChainId;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

export interface AccountBlock extends FlowBlockHead {
  readonly kind: "account";
  readonly transactions: readonly AccountTransaction[];
  /** Of holders that send; with `fifo` and `poison` also of those that receive. Where there is none, the basis is `observed`. */
  readonly anchors: readonly Anchor[];
  /** Of the addresses in it those with code. */
  readonly contracts: ReadonlySet<Address>;
}

export interface UtxoBlock extends FlowBlockHead {
  readonly kind: "utxo";
  /** The chain's only asset. */
  readonly asset: AssetId;
  readonly transactions: readonly UtxoTransaction[];
}

/** A block as the engine reads it: proven, decoded, in order. */
export type FlowBlock = AccountBlock | UtxoBlock;
