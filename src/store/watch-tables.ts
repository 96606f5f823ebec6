/** The tables of watched entries, as Kysely sees them. Times are unix milliseconds. */
import type { Generated } from "kysely";

/** What is watched now; what was, is in `watch_change`. */
export interface WatchEntryTable {
  entry_id: string;
  list: string;
  chain: string;
  address: string;
  payload: string;
  digest: string;
  /** When its dispute or suppression ends. */
  wake_at: number | null;
  review_by: number | null;
  /** When its dates end; null: never. */
  valid_until: number | null;
  review_told: Generated<number | null>;
  end_told: Generated<number | null>;
}

/** A file's row as it was last imported. */
export interface WatchRowTable {
  entry_id: string;
  list: string;
  digest: string;
}

export interface WatchVersionTable {
  list: string;
  number: number;
  version: string;
  incident: string;
  action: string;
  actor: string;
  approver: string | null;
  why: string | null;
  at: number;
  /** Of the book when it was made; null in versions older than this column. */
  revision: number | null;
  mark: string | null;
}

export interface WatchChangeTable {
  list: string;
  number: number;
  entry_id: string;
  before: string | null;
  after: string | null;
}

/** Up to this block the live scan does not count for the address: it got a new entry since. */
export interface RewatchedTable {
  chain: string;
  address: string;
  final_number: number;
}
