/** What the matcher finds and what happens to it over time. */
import type { Address, Asset, BlockTrust, ChainId, Transfer } from "./chain.ts";
import type { RetractionReason } from "./alert.ts";
import type { HitValue } from "./value.ts";
import type { Incident, OwnAddress, WatchEntry } from "./watch.ts";

/** Which end of the transfer a watch entry names. */
export type Side = "from" | "to";

export interface EntryMatch {
  readonly side: Side;
  readonly entry: WatchEntry;
  readonly incident: Incident | null;
  /**
   * `exact`: the listed address on its listed chain. `sameKey`: the listed ordinary account on another EVM chain.
   * `keyEquivalent`: another address of the listed address's key.
   */
  readonly basis: "exact" | "sameKey" | "keyEquivalent";
  /** The entry's dates were over when this moved: it tells and holds nothing. */
  readonly ended?: true;
}

/** Rules by which a hit is stored but not told; docs/line.md, Match. */
export const RECORDED_RULES = ["unlistedToken", "zeroValue", "dust", "entryEnded", "entryMuted"] as const;
export type RecordedRule = (typeof RECORDED_RULES)[number];

/** Why a hit is stored but not told. */
export interface RecordedOnly {
  readonly rule: RecordedRule;
  readonly reason: string;
}

/** Rules about the entries, not the transfer: what was told before stays told, and its alert says what became of them. */
export const ENTRY_RULES: ReadonlySet<RecordedOnly["rule"]> = new Set(["entryEnded", "entryMuted"]);

/** A transfer that touches a watched address. */
export interface Hit {
  /** Same movement, same id: on every node, in any block, under any list. */
  readonly hitId: string;
  /** One alert per transaction and affected party. */
  readonly alertId: string;
  readonly chain: ChainId;
  readonly transfer: Transfer;
  readonly asset: Asset;
  readonly matches: readonly EntryMatch[];
  readonly own: { readonly side: Side; readonly address: OwnAddress } | null;
  /** The party the alert is about: the own address touched, else the watched sender, else the watched recipient. */
  readonly subject: Address;
  /** When it moved, Unix seconds: of its block, or when it was seen in the mempool. Absent: not known. */
  readonly at?: number;
  /** Null: alert. Otherwise stored with this rule and reason only. */
  readonly recordedOnly: RecordedOnly | null;
  /** A person had it told although a rule only records it. */
  readonly promoted?: true;
  /** Absent: nobody looked (no price feeds, or stored by an older version). */
  readonly value?: HitValue;
}

/** Where a hit stands on its chain, as the alert tells it. */
export interface HitBlock {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Blocks on top of it when this was stored, itself included. */
  readonly confirmations: number;
}

/**
 * What happened to a hit: `pending` (seen in the mempool), `included` (in a block), `removed` (left its block or the
 * mempool), `superseded` (a pending one that the included transaction tells otherwise, or not at all), `final`,
 * `rematched` (told differently by a changed list), `retold` (the same, where it stands), `withdrawn` (no entry names it any
 * more), `linked` (its transaction and another exclude each other).
 * `disputed`: operators disagree about its block. `agreed`: they agree on it again. `vouched`, `contradicted`: an operator
 * that was missing names this block, or another one.
 */
export type HitEventKind =
  | "pending"
  | "included"
  | "removed"
  | "superseded"
  | "final"
  | "rematched"
  | "retold"
  | "withdrawn"
  | "linked"
  | "disputed"
  | "agreed"
  | "vouched"
  | "contradicted";

/** The other of two transactions of which the chain takes only one. */
export interface Replacement {
  readonly transaction: string;
  /** Its alert, of the same subject where there is one; null when nothing of it was told. */
  readonly alertId: string | null;
}

/** One thing that happened to a hit, in the order of `seq`. */
export interface HitEvent {
  readonly seq: number;
  readonly hitId: string;
  readonly alertId: string;
  readonly kind: HitEventKind;
  /** Null on `pending` and what ends it, and on `linked`. */
  readonly block: HitBlock | null;
  /** Set on `pending`, `included`, `rematched`, `retold` and the first `disputed`: everything an alert needs to tell the hit. */
  readonly hit: Hit | null;
  /** On `vouched` and `contradicted`: only the operator it is about. */
  readonly trust: BlockTrust | null;
  /** Why, on `removed`, `withdrawn`, and `retold` where it is not told any more. */
  readonly reason: RetractionReason | null;
  /** Set on `linked`: which of the two this one is. */
  readonly link: { readonly as: "replacedBy" | "replaces"; readonly other: Replacement } | null;
  /** The block was already old when it was scanned (catch-up after downtime, or a start in the past). */
  readonly late: boolean;
  /** Found by a scan of the past: the address was listed after the block was final. */
  readonly retroactive: boolean;
  /** When it was stored, unix milliseconds. */
  readonly at: number;
}
