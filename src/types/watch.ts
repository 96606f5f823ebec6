/** Whom we watch, and which addresses are our own. */
import type { AddressTable } from "./address-table.ts";
import type { Address, ChainId } from "./chain.ts";

export const ENTRY_ROLES = [
  "theft",
  "exploiter",
  "laundering",
  "mixer_deposit",
  "mixer_withdrawal",
  "preparation",
  "exploit_contract",
  "it_worker_network",
  "it_worker_wallet",
  "sanctioned_person",
  "sanctioned_entity",
  "victim",
  "victim_contract",
  "restrained_funds",
] as const;
export type EntryRole = (typeof ENTRY_ROLES)[number];

/** Who says so, strongest first. */
export const ENTRY_BASES = [
  "sanctions",
  "notice",
  "court_filing",
  "victim_statement",
  "researcher",
  "explorer",
] as const;
export type EntryBasis = (typeof ENTRY_BASES)[number];

export const ENTRY_CONFIDENCES = ["confirmed", "named_by_researcher", "block_explorer_label"] as const;
export type EntryConfidence = (typeof ENTRY_CONFIDENCES)[number];

/** `on`: watched. `off`: shipped, not watched until switched on. `never`: victims and restrained funds, never matched. */
export const ENTRY_DEFAULTS = ["on", "off", "never"] as const;
export type EntryDefault = (typeof ENTRY_DEFAULTS)[number];

/** `to_only`: a custodial address whose outflows are the custodian's sweeps, matched as recipient only. */
export const ENTRY_DIRECTIONS = ["both", "to_only"] as const;
export type EntryDirection = (typeof ENTRY_DIRECTIONS)[number];

export interface Incident {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** UTC date of the theft or listing, `YYYY-MM-DD`, where known. */
  readonly date: string | null;
  readonly attribution: string | null;
  readonly attributionBasis: string | null;
  /** Attribution is disputed or thin: alerts are at most medium and say so. */
  readonly disputed: boolean;
}

/** One address on one list, with why and who says so. */
export interface WatchEntry {
  /** `<list>/<chain>/<address>`. */
  readonly id: string;
  readonly list: string;
  readonly listVersion: string;
  readonly chain: ChainId;
  readonly address: Address;
  readonly incident: string;
  readonly role: EntryRole;
  readonly label: string;
  readonly basis: EntryBasis;
  readonly confidence: EntryConfidence;
  readonly independentSources: number;
  readonly sanctioned: { readonly list: string; readonly source: string } | null;
  readonly default: EntryDefault;
  readonly direction: EntryDirection;
  readonly custodian: string | null;
  /** Whether a contract stands at the address, where known. A contract is matched on its own chain only. */
  readonly contract?: boolean;
  readonly note: string | null;
  /** `quoted`: what the opened source itself quotes, often the official page. */
  readonly sources: readonly { readonly ref: string; readonly label: string | null; readonly quoted?: string }[];
  /** Who added it and when (unix ms); absent: it came with a file. */
  readonly addedBy?: string;
  readonly addedAt?: number;
  /** Unix ms: somebody should look at what was added with little behind it. */
  readonly reviewBy?: number;
  /** Reference of the investigation. */
  readonly case?: string;
  readonly tlp?: Tlp;
  /** UTC day or moment. A new entry whose start lies ahead tells from then on; it ends nothing that is told already. */
  readonly validFrom?: string;
  /** UTC day or moment: what moves after it is only recorded. Of a sanctioned entry it means nothing. */
  readonly validUntil?: string;
  /** Present: its hits are recorded, but tell and hold nothing. */
  readonly muted?: EntryMute;
}

/**
 * `unconfirmed`: added, but it touches so many that a second person must confirm. `notYetValid`: its list says that it
 * begins later.
 */
export interface EntryMute {
  readonly why: "disputed" | "unconfirmed" | "suppressed" | "notYetValid";
  readonly by: string;
  /** Unix ms; null: until a second person decides. */
  readonly until: number | null;
}

/** As a person reads them. */
export const MUTE_WORDS: Readonly<Record<EntryMute["why"], string>> = {
  disputed: "disputed",
  unconfirmed: "unconfirmed",
  suppressed: "suppressed",
  notYetValid: "not valid yet",
};

/** Who may see it, by the Traffic Light Protocol: weakest restriction first. `white` of TLP 1.0 is `clear`. */
export const TLP_LEVELS = ["clear", "green", "amber", "amber+strict", "red"] as const;
export type Tlp = (typeof TLP_LEVELS)[number];

/** An address of the operator, with the customer it belongs to. */
export interface OwnAddress {
  readonly chain: ChainId;
  readonly address: Address;
  readonly customerRef: string | null;
  /** What the wallet is for. */
  readonly wallet: "deposit" | "hot" | "cold" | "other";
}

/** The lists a block is matched with: immutable, replaced as a whole. */
export interface Watchlist {
  /** Changes whenever the content changes; stored with every block it was matched with. */
  readonly version: string;
  readonly incidents: ReadonlyMap<string, Incident>;
  /**
   * Entries matched on this chain for this address; empty when nobody watches it. First those of this chain, then those of
   * other EVM chains where it is the same ordinary account; each in list order.
   */
  entriesOf(chain: ChainId, address: Address): readonly WatchEntry[];
  ownOf(chain: ChainId, address: Address): OwnAddress | null;
  /**
   * Every address that `entriesOf` has an entry for, own ones not: what blocks are scanned for. Contracts listed on another
   * EVM chain are in it too; `entriesOf` knows that they are not matched.
   */
  readonly addresses: AddressTable;
  /** Entries with `default: on`, of every chain. */
  readonly watchedCount: number;
}
