/** The nouns of a chain: what a node tells us, in our words. */
import type { AddressTable } from "./address-table.ts";
import type { EvidenceClaims, FoundEvidence } from "./evidence.ts";

/** CAIP-2 chain id, for example `eip155:1`. */
export type ChainId = string;

/** An address in the canonical text of its chain (EVM: EIP-55 checksum). Compare canonical texts, never raw input. */
export type Address = string;

/** CAIP-19 asset id: `eip155:1/slip44:60` (native) or `eip155:1/erc20:0x...`. */
export type AssetId = string;

/** An asset as an alert names it. `symbol` and `decimals` are null when no token list knows them. */
export interface Asset {
  readonly id: AssetId;
  readonly symbol: string | null;
  readonly decimals: number | null;
  /** True for the native coin and for tokens of the shipped token list: a stranger's contract cannot claim a name. */
  readonly listed: boolean;
  /** The smallest amount in base units that is not dust. */
  readonly dustBelow: bigint;
}

/** A block by height and hash; two blocks of one height differ in hash. */
export interface BlockRef {
  readonly number: number;
  readonly hash: string;
}

/** A block's place in its chain, without its content. `timestamp` is unix seconds. */
export interface Header extends BlockRef {
  readonly parentHash: string;
  readonly timestamp: number;
  /**
   * Cumulative proof of work up to and including this block, where that decides between branches: a branch counts once
   * its work is above ours, so that a node that lost its last blocks is no reorg. Absent where height decides.
   */
  readonly work?: bigint;
}

/**
 * What kind of movement it is. Value: `native` (the transaction's own), `internal` (inside contract calls), `erc20`,
 * `erc721`, `erc1155`, `wrap` (a deposit into or withdrawal from a wrapped coin), `withdrawal` (consensus layer), `reward`
 * (fees to the block's fee recipient), `input` and `output` (coins that a UTXO transaction spends and makes).
 * Rights over value: `approval` (spender may take), `delegation` (EIP-7702 code), `creation` (a new contract).
 */
export const TRANSFER_CATEGORIES = [
  "native",
  "internal",
  "erc20",
  "erc721",
  "erc1155",
  "wrap",
  "withdrawal",
  "reward",
  "input",
  "output",
  "approval",
  "delegation",
  "creation",
] as const;
export type TransferCategory = (typeof TRANSFER_CATEGORIES)[number];

/** Categories in which nothing needs to move to matter. */
export const RIGHTS: readonly TransferCategory[] = ["approval", "delegation", "creation"];

/**
 * Value (or a right over it) moving from one address to another, of one asset, in one transaction.
 * `key` names the movement inside its transaction and is the same on every node, with or without traces:
 * `native`; `call:<n>`, the nth call frame that moved value; `log:<index among all logs of the transaction>`, with `-<n>` for the nth of a batch;
 * `delegation:<n>`; `creation` or `creation:<n>` inside calls; `withdrawal`; `reward`. In the mempool only: `calldata`.
 * UTXO chains: `vin:<n>` and `vout:<n>`.
 */
export interface Transfer {
  readonly key: string;
  readonly category: TransferCategory;
  /** The transaction's hash; `withdrawal-<index>` and `reward-<block number>` for what belongs to no transaction. */
  readonly txHash: string;
  /** Place in the block; -1 where there is no transaction, or none in a block yet. */
  readonly txIndex: number;
  /** Null on an `output`: all inputs of the transaction paid for it together. */
  readonly from: Address | null;
  /** Null on an `input`. */
  readonly to: Address | null;
  readonly assetId: AssetId;
  /** Base units; 1 for an ERC-721 token, 0 for delegations, creations without value and revoked approvals. */
  readonly amount: bigint;
  /** On inputs and outputs: the transaction they belong to. */
  readonly utxo?: UtxoSummary;
  /** The output returns to a script that an input came from: certainly change. Absent: nobody can tell. */
  readonly change?: true;
  /** Other addresses that the key of this input or output controls too. */
  readonly equivalent?: readonly Address[];
}

/** How many inputs and outputs a summary names one by one. */
export const UTXO_PARTS_MAX = 8;

/** A UTXO transaction as people think of it, bounded whatever its size. Amounts in base units. */
export interface UtxoSummary {
  readonly inputs: { readonly count: number; readonly amount: bigint; readonly first: readonly UtxoPart[] };
  readonly outputs: {
    readonly count: number;
    readonly amount: bigint;
    /** What of it is certainly change; see `Transfer.change`. */
    readonly changeAmount: bigint;
    readonly first: readonly UtxoPart[];
  };
  /** Null for a coinbase, which pays none. */
  readonly fee: bigint | null;
}

export interface UtxoPart {
  /** Place among the inputs or outputs, from 0. */
  readonly index: number;
  readonly address: Address;
  readonly amount: bigint;
  /** Only ever on outputs; see `Transfer.change`. */
  readonly change?: true;
}

/**
 * Key of what a pending call asks a token to do. Nothing is executed yet, and nobody knows which log will tell it: the
 * logs of the included transaction take its place.
 */
export const CALLDATA_KEY = "calldata";

/** How far a block's content was checked, and who vouches for it. See docs/line.md, Trust. */
export interface BlockTrust {
  /** The content was recomputed and matches the block hash. */
  readonly proven: boolean;
  /** Names of distinct operators whose node named this hash. */
  readonly operators: readonly string[];
  /** Configured operators that did not answer. */
  readonly missing: readonly string[];
  /** Operators that name another block at this height; absent: nobody does. */
  readonly disputing?: readonly string[];
  /** True when internal calls were traced, or the chain has none; false means value moved by contracts was not seen. */
  readonly traced: boolean;
  /** Whose the spent coins were and what they were worth is the node's word: the block proves only which were spent. */
  readonly inputsTold?: true;
}

/** What a reader of a block needs of it. */
export interface BlockWanted {
  /** Transfers that touch none of these may be left out. Not given: all of them. */
  readonly watched?: AddressTable;
  /**
   * `all`: every transaction's sender is recovered from its signature. `hits`: only those of transactions that may touch a
   * watched address by what the block itself tells, so that a node that lies about a sender can hide its transaction:
   * for comparing speeds and for second readings, not for the first.
   */
  readonly senders: "all" | "hits";
}

/** What a sample of a block showed: does the native value that was seen explain what balances changed by? */
export interface NativeCheckOutcome {
  readonly kind: "complete" | "incomplete" | "unknown";
  /** False: internal value was not looked for, and `incomplete` says how blind that makes us. */
  readonly traced: boolean;
}

/**
 * Blocks that a node's own index names for some addresses: to be read and proven like any other. What it does not name is
 * its word alone.
 */
export interface Candidates {
  /** Ascending. */
  readonly numbers: readonly number[];
  /**
   * What the index sees. `everything`: every movement that could touch an address. `logs`: only the events that name it in
   * an indexed field; native value, calls, new contracts, withdrawals and fees leave no log, and some old tokens index
   * nothing, so a block that is not named may hold any of them.
   */
  readonly covers: "everything" | "logs";
}

/** A block with everything in it that moved value, or of that what was wanted. */
export interface Block extends Header {
  readonly transfers: readonly Transfer[];
  readonly trust: BlockTrust;
}

/** One operator's own view of a chain, asked apart from the others: who disagrees is heard, who was away is compared. */
export interface OperatorView {
  readonly operator: string;
  headerAt(number: number, signal: AbortSignal): Promise<Header | null>;
  blockOf(header: Header, signal: AbortSignal): Promise<Block | null>;
}

/** A transaction in a mempool, signed by its sender. It is an intention: nothing of it has happened. */
export interface PendingTransaction {
  readonly hash: string;
  /**
   * What only one transaction can ever use: two that share any of theirs exclude each other. EVM: one, sender and nonce.
   * UTXO chains: each coin it spends. Texts without spaces.
   */
  readonly slots: readonly string[];
  /** What it would move, as far as it can be told before it is executed. */
  readonly transfers: readonly Transfer[];
}

/** Where a transaction is now, as far as the node can tell. */
export type TransactionFate =
  | { readonly at: "pool"; readonly transaction: PendingTransaction }
  | { readonly at: "block"; readonly block: BlockRef }
  /** One of its slots was used by another one, in that block; null: that one waits in the pool. */
  | { readonly at: "replaced"; readonly by: string; readonly block: BlockRef | null }
  /** Neither in the pool nor in a block, and its slots not used, or nobody can tell by whom. */
  | { readonly at: "nowhere" };

export interface MempoolSource {
  /** Who vouches for what is seen: the node's operator. */
  readonly trust: BlockTrust;
  /**
   * Pending transactions that were not handed out before, as many as a bounded time gives. `wants` is asked with what
   * the node says; only what it wants is proven (hash and signature), and only what is proven is handed out. `watched`:
   * whose coins to know, where a transaction does not name its senders; transfers that touch nobody of them may be left out.
   */
  take(
    wants: (transaction: PendingTransaction) => boolean,
    signal: AbortSignal,
    watched?: AddressTable,
  ): Promise<readonly PendingTransaction[]>;
  fateOf(of: { hash: string; slots: readonly string[] }, signal: AbortSignal): Promise<TransactionFate>;
  /** True while what watched addresses spend is not seen, because it is not known yet which coins are theirs. */
  inputsUnseen?(): boolean;
  /** Transactions the node named that were never looked at, because it names more than can be asked for; rises only. */
  skipped(): number;
  /** A push feed: it only ever means "look now". */
  onHint(wake: () => void, signal: AbortSignal): void;
}

/** A question to a contract that changes nothing. */
export interface ContractCall {
  readonly to: Address;
  /** Hex. */
  readonly data: string;
  /** Hash of a block, or the newest one. */
  readonly at: string;
}

/**
 * One chain, read through one node or through a pool of them.
 * `null` means "not here (yet)"; a node that disagrees answers with another hash.
 * A pool whose operators disagree throws an error with code `dispute`.
 */
/** Number of a transaction's block; null: it waits in the mempool. */
export interface TransactionPlace {
  readonly block: number | null;
}

export interface ChainAdapter {
  readonly family: string;
  readonly chainId: ChainId;
  /** Expected time between blocks; polling and the watchdog read this. */
  readonly blockTimeMs: number;
  /** Canonical text of an address, or null when the text is not an address of this chain. */
  normalizeAddress(text: string): Address | null;
  headNumber(signal: AbortSignal): Promise<number>;
  headerAt(number: number, signal: AbortSignal): Promise<Header | null>;
  /** Fetched by hash, so that a fork between two calls cannot mix blocks. Not given what is wanted: everything. */
  blockOf(header: Header, signal: AbortSignal, wanted?: BlockWanted): Promise<Block | null>;
  /** Height up to which the chain itself (or the configured depth) calls blocks final; -1 when nothing is final yet. */
  finalizedNumber(signal: AbortSignal): Promise<number>;
  /**
   * Blocks of a range that may touch one of these addresses, by the node's index; null: this node has none, or is not
   * ours (`own: false`): nobody else may learn whom we watch. Of several nodes: everything any of ours names.
   */
  candidates?(
    addresses: readonly Address[],
    range: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): Promise<Candidates | null>;
  /** Each operator that answers at present; absent where there is one node only. */
  views?(): readonly OperatorView[];
  /** A push feed. It only ever means "look now": polling is the truth. */
  onHint?(wake: () => void, signal: AbortSignal): void;
  /**
   * Whether code stands behind an address; null: no node that may be asked about addresses can tell. Absent where the chain
   * has no contracts.
   */
  isContract?(address: Address, signal: AbortSignal): Promise<boolean | null>;
  /**
   * Where a transaction is, by an own node's word: nobody else may learn what we ask about. Null: no own node knows it. Its
   * block has to be read and proven before anything rests on it. Absent in what serves no questions.
   */
  placeOf?(transaction: string, signal: AbortSignal): Promise<TransactionPlace | null>;
  /**
   * Watched addresses that the key of this address controls too, under other forms. Absent where a key has one form.
   */
  equivalents?(address: Address, watched: AddressTable): Promise<readonly Address[]>;
  /** What a contract answers, as hex, unproven. Absent where the chain has no contracts, and on a pool: see `NodePool.ownCallers`. */
  callContract?(call: ContractCall, signal: AbortSignal): Promise<string>;
  /** What shows that these transfers are in their block, asked of the node anew. Null: it does not have the block (any more). */
  evidence?(claims: EvidenceClaims, signal: AbortSignal): Promise<FoundEvidence | null>;
  /** Absent where the mempool is not looked at (`mempool: off`) or there is none. */
  readonly mempool?: MempoolSource;
  close(): Promise<void>;
}
