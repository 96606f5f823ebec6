/** The tables, as Kysely sees them. Times are unix milliseconds of our clock; leases run on the database's clock. */
import type { Generated } from "kysely";
import type { RetractionReason } from "../types/alert.ts";
import type { PendingState } from "../types/mempool.ts";

export interface ChainLeaseTable {
  chain: string;
  holder: string;
  epoch: number;
  /** timestamptz, only ever compared inside SQL. */
  expires_at: Date;
  /** The watchlist version the leader matches with; re-read in every block's transaction. */
  list_version: string;
  finalized_number: number;
}

export interface CheckpointTable {
  chain: string;
  number: number;
  hash: string;
  parent_hash: string;
  timestamp: number;
  scanned: boolean;
  list_version: string;
  /** Decimal; null where work does not decide between branches. */
  work: string | null;
}

export interface CoverageTable {
  chain: string;
  from_number: number;
  to_number: number;
  list_version: string;
  traced: boolean;
  proven: boolean;
  operators: string;
}

export type HitState = "pending" | "included" | "removed" | "final" | "disputed";

export interface HitTable {
  hit_id: string;
  alert_id: string;
  chain: string;
  tx_hash: string;
  /** Null until it was in a block. */
  block_number: number | null;
  block_hash: string | null;
  state: HitState;
  recorded_rule: string | null;
  recorded_reason: string | null;
  /** Hash of the matched entries and own address: a changed list changes it. */
  match_digest: string;
  payload: string;
  created_at: number;
}

export interface HitEventTable {
  seq: Generated<number>;
  hit_id: string;
  alert_id: string;
  kind: string;
  block: string;
  payload: string | null;
  trust: string | null;
  late: boolean;
  reason: RetractionReason | null;
  link: string | null;
  at: number;
  applied: Generated<boolean>;
}

/** Transactions seen in the mempool that touch a watched address. */
export interface PendingTransactionTable {
  chain: string;
  tx_hash: string;
  /** Separated by spaces. */
  slots: string;
  state: PendingState;
  /** Set while `included`. */
  block_number: number | null;
  changed_at: number;
}

export interface AlertTable {
  alert_id: string;
  chain: string;
  tx_hash: string;
  subject: string;
  revision: number;
  kind: string;
  stage: string;
  severity: string;
  action: string;
  summary: string;
  state: string;
  created_at: number;
  updated_at: number;
}

export interface MessageTable {
  webhook_id: string;
  alert_id: string | null;
  revision: number;
  type: string;
  severity: string;
  body: string;
  created_at: number;
}

export type DeliveryState = "pending" | "delivered" | "dead";

export interface DeliveryTable {
  delivery_id: string;
  webhook_id: string;
  sink: string;
  severity: string;
  state: DeliveryState;
  attempt_no: number;
  /** The attempt the current run through the schedule began with; a redrive moves it. */
  schedule_start: Generated<number>;
  next_attempt_at: number;
  dead_reason: string | null;
  last_error: string | null;
  created_at: number;
  delivered_at: number | null;
}

export interface AttemptTable {
  delivery_id: string;
  attempt_no: number;
  at: number;
  duration_ms: number;
  result: string;
  status: number | null;
  error: string | null;
  excerpt: string;
}

export interface OutboxTable {
  id: Generated<number>;
  queue: string;
  job_id: string;
  payload: string;
  run_at: number;
  claimed_until: number;
}

/** One row per block and operator that has not named it. */
export interface UncheckedTable {
  chain: string;
  number: number;
  operator: string;
  hash: string;
  contradicted: Generated<boolean>;
}

export interface EvidenceTable {
  id: Generated<number>;
  chain: string;
  node: string;
  operator: string;
  at: number;
  why: string;
  asked: string;
  answered: string;
}

export interface RelayStateTable {
  one: number;
  last_relayed_id: number;
}

export interface Database {
  chain_lease: ChainLeaseTable;
  checkpoint: CheckpointTable;
  coverage: CoverageTable;
  hit: HitTable;
  hit_event: HitEventTable;
  pending_transaction: PendingTransactionTable;
  alert: AlertTable;
  message: MessageTable;
  delivery: DeliveryTable;
  attempt: AttemptTable;
  outbox: OutboxTable;
  relay_state: RelayStateTable;
  unchecked: UncheckedTable;
  evidence: EvidenceTable;
}
