/** How what is watched changes: by whom, with whose consent, and what becomes of it. */
import type { IncidentInput } from "./watchlist-format.ts";
import type { WatchEntry } from "./watch.ts";

/** Each may do what those before it may. `service`: a machine that asks before money moves, and may look at nothing. */
export const PERSON_ROLES = ["service", "viewer", "investigator", "approver", "admin"] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

/** Who asks. One name is one person, however many tokens. */
export interface Actor {
  readonly name: string;
  readonly role: PersonRole;
}

export const WATCH_ACTIONS = [
  "add",
  "change",
  "review",
  "remove",
  "suppress",
  "dispute",
  "undo",
  "confirm",
  "import",
  "mute ended",
] as const;
export type WatchAction = (typeof WATCH_ACTIONS)[number];

/** One entry before and after; null: not on its list. */
export interface EntryChange {
  readonly entryId: string;
  readonly before: WatchEntry | null;
  readonly after: WatchEntry | null;
}

/** A change of one list. */
export interface ListChange {
  readonly list: string;
  /** As its file or we name it. */
  readonly version: string;
  readonly incident: IncidentInput;
  /** The file it is imported from; null: made by people here. */
  readonly file: string | null;
  readonly entries: readonly EntryChange[];
}

export type ProposalState = "open" | "approved" | "rejected" | "expired" | "void";

/** A change that waits for a second person. */
export interface Proposal {
  readonly proposalId: string;
  /** SHA-256 of the change: what is approved is exactly what was proposed. */
  readonly changeHash: string;
  readonly action: WatchAction;
  readonly change: ListChange;
  readonly proposer: string;
  readonly why: string | null;
  /** Unix ms, as all times here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly state: ProposalState;
  readonly decidedBy: string | null;
  readonly decidedAt: number | null;
}

export interface AuditRecord {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  /** The entry, list, proposal or person it is about. */
  readonly subject: string;
  readonly why: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly approver: string | null;
  readonly changeHash: string | null;
}

/** An entry that is matched from now on, and from which block: all from there on are matched with it, none before. */
export interface WatchedEntry {
  readonly entry: WatchEntry;
  /** Null: its chain was not followed yet, so it is matched from the chain's first block on. */
  readonly joinAt: number | null;
  /** Of the watchlists, with this change. */
  readonly revision: number;
}
