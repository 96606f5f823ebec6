/** What contracts that end or carry on a trail say in their logs: bridges, mixers, wrapped coins. */
import type { Address, ChainId } from "./chain.ts";

/** One event log, as the receipt has it. Hex texts begin with 0x. */
export interface EventLog {
  readonly address: Address;
  readonly topics: readonly string[];
  readonly data: string;
}

/** Where a log stands: what decoders need to name an order. */
export interface LogPlace {
  readonly chain: ChainId;
  readonly tx: string;
}

/** A place that a bridge pays at, in the bridge's words and, where it is a chain we know, in ours. */
export interface BridgePlace {
  /** The bridge's own name or number of the chain: `BTC`, `30110`. */
  readonly network: string;
  /** Null: a chain that heistwatch has no id for. */
  readonly chain: ChainId | null;
  /** Canonical where the chain is known; else as the bridge wrote it. Null: the order does not say. */
  readonly address: string | null;
}

/**
 * `order`: somebody pays in. `paid`: the bridge pays out. `refunded`: it gives back. `key` is the same on both sides and of
 * one order only; null: the bridge has none. Amounts are base units, null where the event does not tell them.
 */
export type BridgeStatement =
  | {
      readonly said: "order";
      readonly bridge: string;
      readonly key: string | null;
      readonly amount: bigint | null;
      readonly minOut: bigint | null;
      readonly to: BridgePlace;
      /** Who is paid on this side, where it is not the contract that logs. */
      readonly vault?: Address;
      /** Amount in the bridge's own precision, where it tells no other. */
      readonly amountShared?: bigint;
      /** Of the bridge's list of assets. */
      readonly assetNumber?: number;
      /** What a memo alone proves is nothing: the order counts once something else confirms it. */
      readonly link?: "heuristic";
    }
  /** An order without its recipient: another log of the transaction has the same key, or the ticket. */
  | {
      readonly said: "orderAmount";
      readonly bridge: string;
      /** Null: it rides a bus, see `ticket`. */
      readonly key: string | null;
      readonly network: string;
      readonly amount: bigint;
      readonly minOut: bigint;
    }
  /** Orders that travel together have this key on the other side. */
  | { readonly said: "tickets"; readonly bridge: string; readonly tickets: readonly string[]; readonly key: string }
  | {
      readonly said: "paid" | "refunded";
      readonly bridge: string;
      readonly key: string;
      /** Null: the value leg of the transaction says it. */
      readonly recipient: Address | null;
      readonly amount: bigint | null;
    }
  /** A contract that counts says that words of others with this key are true. */
  | { readonly said: "vouched"; readonly key: string }
  | {
      readonly said: "mixerDeposit";
      readonly mixer: string;
      /** Null: the pool has one asset and one amount. */
      readonly token: Address | null;
      readonly amount: bigint | null;
      readonly fee: bigint | null;
      readonly commitment: string | null;
    }
  | {
      readonly said: "mixerWithdrawal";
      readonly mixer: string;
      readonly recipient: Address;
      readonly token: Address | null;
      readonly amount: bigint | null;
      readonly fee: bigint;
    }
  /** `wrapped`: coins became the token; `unwrapped`: the token became coins. */
  | { readonly said: "wrapped" | "unwrapped"; readonly holder: Address; readonly amount: bigint };

/** Reads the logs of one bridge, mixer or kind of contract. */
export interface EventDecoder {
  /** As the labels name the owner of its contracts. */
  readonly entity: string;
  /** First topics it knows. */
  readonly topics: readonly string[];
  /**
   * None where the log is not what it should be: whatever a contract logs, this never throws. An event may hold several
   * orders.
   */
  decode(log: EventLog, place: LogPlace): readonly BridgeStatement[];
}
