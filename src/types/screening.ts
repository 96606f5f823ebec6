/** What is asked before a deposit is credited or a withdrawal sent, and what is known when it is answered. */
import type { Action, Severity } from "./alert.ts";
import type { ChainId } from "./chain.ts";

/** Weakest first: the strongest of an answer's items is the answer's. */
export const SCREEN_VERDICTS = ["clear", "unknown", "review", "hold"] as const;
export type ScreenVerdict = (typeof SCREEN_VERDICTS)[number];

/** `deposit`: the address pays us. `withdrawal`: we are about to pay it. */
export const SCREEN_DIRECTIONS = ["deposit", "withdrawal"] as const;
export type ScreenDirection = (typeof SCREEN_DIRECTIONS)[number];

export interface AskedAddress {
  readonly chain: ChainId;
  readonly address: string;
  readonly direction: ScreenDirection;
  /** What is about to move is worth so many whole cents, as whoever asks knows it. Absent: not known. */
  readonly usdCents?: bigint | undefined;
}

export interface AskedTransaction {
  readonly chain: ChainId;
  readonly transaction: string;
  /** Number of the block it is in, where whoever asks knows it. */
  readonly block?: number | undefined;
}

export type Asked = AskedAddress | AskedTransaction;

/** Something that is known against an item, and what the policy of alerts advises. */
export interface Finding {
  /**
   * `listed`: the address is on a list. `transfer`: the transaction touches a listed address. `exposed`: alerts about the
   * address are stored, though it is on no list.
   */
  readonly code: "listed" | "transfer" | "exposed";
  readonly severity: Severity;
  readonly action: Action;
  /** For people. */
  readonly text: string;
}

/** Why nothing may be called clear. */
export const GAP_CODES = [
  "invalidAddress",
  "invalidTransaction",
  "noAdapter",
  "notConfigured",
  "notFollowed",
  "chainTrouble",
  "lagging",
  "headStands",
  "coverageHole",
  "listStale",
  "listsBehind",
  "rematching",
  "quorumLost",
  "disputed",
  "notProven",
  "retroScanRunning",
  "notSeenYet",
  "inMempool",
  "notScannedYet",
  "otherBlock",
  "movesNothing",
  "notTraced",
  "nodeUnavailable",
] as const;
export type GapCode = (typeof GAP_CODES)[number];

/** What is known of a chain, read from store and nodes together. Times in unix ms. */
export interface ChainStanding {
  readonly chain: ChainId;
  readonly readAt: number;
  /** A daemon holds the chain and its first block is scanned. */
  readonly followed: boolean;
  /** Highest block of the chain that enough operators have; null: no node could tell. */
  readonly headNumber: number | null;
  /** How far behind the head counts as following it. */
  readonly lagBlocksMax: number;
  /** A newest block older than this may mean that the nodes are cut off. */
  readonly tipAgeMsMax: number;
  /** What was scanned live, first to last; null: nothing. */
  readonly covered: {
    readonly from: number;
    readonly to: number;
    readonly toHash: string;
    readonly toTime: number;
  } | null;
  /** Blocks between first and last that were not scanned. */
  readonly holes: number;
  /** List versions that the blocks which are not final stand by. */
  readonly listVersions: readonly string[];
  /** Why the chain does not move; null: it does, as far as this daemon knows. */
  readonly trouble: string | null;
  readonly trust: StandingTrust;
  /** Scans of the past that run on this chain or wait to. */
  readonly pastScans: number;
}

export interface StandingTrust {
  /** Operators that must agree. */
  readonly quorum: number;
  readonly configured: number;
  /** The fewest operators behind a block that is not final. */
  readonly agreed: number;
  /** Operators without a node that answers and keeps up. */
  readonly missing: readonly string[];
  readonly disputed: boolean;
  /** Every block that is not final matched its hash. */
  readonly proven: boolean;
  /** Value moved inside contract calls was looked for in each of them. */
  readonly traced: boolean;
}

/** How the lists that an answer is made with stand. */
export interface ListStanding {
  readonly version: string;
  readonly revision: number;
  /** Of the store, as last read: ours may not be behind it. */
  readonly storeRevision: number;
  /** Lists older than the configuration allows, in words. */
  readonly stale: readonly string[];
}

/** Where a transaction is; `gap`: why that could not be found out or does not count. */
export type TransactionStanding =
  | { readonly gap: null; readonly block: TransactionBlock }
  | { readonly gap: GapCode; readonly block: TransactionBlock | null; readonly detail: string };

/** The block a transaction was read from, proven, for this answer. */
export interface TransactionBlock {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly proven: boolean;
  readonly traced: boolean;
  readonly operators: readonly string[];
  readonly missing: readonly string[];
}

/** Everything that decides on one item. */
export interface ScreenFacts {
  /** Null: the text is an address or a transaction of its chain. */
  readonly invalid: "invalidAddress" | "invalidTransaction" | null;
  readonly chain: ChainStanding | "noAdapter" | "notConfigured";
  readonly lists: ListStanding;
  readonly findings: readonly Finding[];
  /** Null: an address is asked about. */
  readonly transaction: TransactionStanding | null;
  /** Value inside contract calls is looked for on this chain; false: the operator switched it off, and knows. */
  readonly tracesWanted: boolean;
  readonly now: number;
}

export interface ScreenReason {
  readonly code: Finding["code"] | GapCode;
  readonly text: string;
}

export interface ScreenDecision {
  readonly verdict: ScreenVerdict;
  /** The strongest of the findings; null: there is none. */
  readonly severity: Severity | null;
  readonly action: Action;
  /** Findings first, then whatever keeps the item from being clear. */
  readonly reasons: readonly ScreenReason[];
}
