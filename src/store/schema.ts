/** The tables, as Kysely sees them. Times are unix milliseconds of our clock; leases run on the database's clock. */
import type { Generated } from "kysely";
import type { RetractionReason } from "../types/alert.ts";
import type { JobLane } from "../types/queue-names.ts";
import type { PendingState } from "../types/mempool.ts";
import type { ProposalState } from "../types/watch-change.ts";
import type { Reading, ScanState } from "../types/retro.ts";
import type { ScreenTables } from "./screen-tables.ts";
import type { TriageTable } from "./triage-rows.ts";
import type { ReadTables } from "./read-tables.ts";
import type { GroupTables } from "./group-tables.ts";
import type { OwnTables } from "./own-tables.ts";
import type { PaymentTables } from "./payment-tables.ts";
import type {
  RewatchedTable,
  WatchChangeTable,
  WatchEntryTable,
  WatchRowTable,
  WatchVersionTable,
} from "./watch-tables.ts";

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
  /** `live`, or the id of the scan of the past that read the blocks. */
  scan: string;
  reading: Reading;
  from_number: number;
  to_number: number;
  list_version: string;
  traced: boolean;
  proven: boolean;
  operators: string;
}

export interface HitTable {
  hit_id: string;
  alert_id: string;
  chain: string;
  tx_hash: string;
  /** Null until it was in a block. */
  block_number: number | null;
  block_hash: string | null;
  state: "pending" | "included" | "removed" | "final" | "disputed";
  recorded_rule: string | null;
  recorded_reason: string | null;
  /** Hash of the matched entries and own address: a changed list changes it. */
  match_digest: string;
  payload: string;
  created_at: number;
  /** Where it stands, while it is only recorded. */
  block: string | null;
  trust: string | null;
  /** The scan of the past that found it; null where it was found live. */
  retro_scan: string | null;
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
  retroactive: Generated<boolean>;
  at: number;
  applied: Generated<boolean>;
  lane: Generated<JobLane>;
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
  /** The group whose digests tell it; null: it is told by itself. */
  held_in: string | null;
}

export interface MessageTable {
  webhook_id: string;
  alert_id: string | null;
  revision: number;
  type: string;
  severity: string;
  body: string;
  created_at: number;
  /** The message that this one repeats, marked as a replay. */
  replay_of: Generated<string | null>;
}

export type DeliveryState = "pending" | "delivered" | "dead";

export interface DeliveryTable {
  delivery_id: string;
  webhook_id: string;
  sink: string;
  severity: string;
  lane: Generated<JobLane>;
  state: DeliveryState;
  attempt_no: number;
  /** The attempt the current run through the schedule began with; a redrive moves it. */
  schedule_start: Generated<number>;
  next_attempt_at: number;
  dead_reason: string | null;
  last_error: string | null;
  created_at: number;
  delivered_at: number | null;
  /** When it was handed to the fallback sink of its sink. */
  fallback_at: Generated<number | null>;
  /** The sink it was handed over from. */
  fallback_for: Generated<string | null>;
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
  lane: Generated<JobLane>;
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

/** One row: rises with every change of what is watched. */
export interface WatchStateTable {
  one: number;
  revision: number;
  /** Random, another one with each revision. */
  mark: Generated<string>;
}

export interface WatchListTable {
  list: string;
  /** Of its newest version. */
  number: number;
  version: string;
  incident: string;
  /** The file it is imported from; null: made by people here. */
  file: string | null;
}

export interface WatchAuditTable {
  seq: Generated<number>;
  at: number;
  actor: string;
  action: string;
  subject: string;
  why: string | null;
  before: string | null;
  after: string | null;
  approver: string | null;
  change_hash: string | null;
}

export interface WatchProposalTable {
  proposal_id: string;
  change_hash: string;
  action: string;
  list: string;
  payload: string;
  proposer: string;
  why: string | null;
  created_at: number;
  expires_at: number;
  state: ProposalState;
  decided_by: string | null;
  decided_at: number | null;
}

export interface WatchPersonTable {
  name: string;
  role: string;
  token_id: string;
  token_hash: string;
  created_by: string;
  created_at: number;
  expires_at: number;
  revoked_at: number | null;
}

/** Which entries a hit was matched with, ever. */
export interface HitEntryTable {
  entry_id: string;
  hit_id: string;
}

/** Every list version blocks were matched with, in the order they were first used. */
export interface ListVersionTable {
  seq: Generated<number>;
  version: string;
  at: number;
  /** Of the book it was made from, and what else its members follow from; null: not known. */
  revision: number | null;
  basis: string | null;
}

/** From which list version to which (that one excluded; null: to this day) an address is named. */
export interface ListMemberTable {
  chain: string;
  address: string;
  since_seq: number;
  until_seq: number | null;
}

export interface RetroScanTable {
  scan_id: string;
  chain: string;
  state: ScanState;
  reading: Reading;
  from_number: number;
  to_number: number;
  /** How many blocks are to be read: those nobody had scanned for its addresses. */
  blocks: number;
  reason: string;
  requested_by: string;
  created_at: number;
  ended_at: number | null;
  /** Its summaries are stored. */
  told: Generated<boolean>;
  /** What keeps it from going on, and since when. */
  trouble: string | null;
  trouble_since: number | null;
}

export interface RetroAddressTable {
  scan_id: string;
  address: string;
  /** The address has a newer entry: what the scan read does not count for it any more. */
  stale: Generated<boolean>;
}

export interface RetroRangeTable {
  scan_id: string;
  chain: string;
  /** Ranges of one chunk are read together, whichever scan they belong to. */
  chunk: number;
  from_number: number;
  to_number: number;
  state: "open" | "claimed" | "done";
  /** Rises with every claim: whoever slept through its claim stores nothing. */
  epoch: Generated<number>;
  holder: string | null;
  /** timestamptz, only ever compared inside SQL. */
  expires_at: Date | null;
  /** Set when done: what it joins below and above. */
  parent_hash: string | null;
  last_hash: string | null;
}

/** An entry that is watched from now on, whose past nobody has asked for yet. */
export interface RetroWantedTable {
  chain: string;
  entry_id: string;
  address: string;
  incident: string;
  join_at: number | null;
  /** Of the watchlists, with the change that asked. */
  revision: Generated<number>;
}

/** What a scan found, by entry: `fresh` where nobody had found it before, `told` where it is more than recorded. */
export interface RetroHitTable {
  scan_id: string;
  entry_id: string;
  address: string;
  hit_id: string;
  alert_id: string;
  block_number: number;
  /** Block time, unix seconds. */
  at: number;
  own: boolean;
  told: boolean;
  fresh: boolean;
}

export interface Database extends GroupTables, OwnTables, PaymentTables, ReadTables, ScreenTables {
  chain_lease: ChainLeaseTable;
  checkpoint: CheckpointTable;
  coverage: CoverageTable;
  hit: HitTable;
  hit_event: HitEventTable;
  pending_transaction: PendingTransactionTable;
  alert: AlertTable;
  triage: TriageTable;
  message: MessageTable;
  delivery: DeliveryTable;
  attempt: AttemptTable;
  outbox: OutboxTable;
  relay_state: RelayStateTable;
  unchecked: UncheckedTable;
  evidence: EvidenceTable;
  watch_state: WatchStateTable;
  watch_list: WatchListTable;
  watch_entry: WatchEntryTable;
  watch_row: WatchRowTable;
  watch_version: WatchVersionTable;
  watch_change: WatchChangeTable;
  watch_audit: WatchAuditTable;
  watch_proposal: WatchProposalTable;
  watch_person: WatchPersonTable;
  hit_entry: HitEntryTable;
  list_version: ListVersionTable;
  list_member: ListMemberTable;
  retro_scan: RetroScanTable;
  retro_address: RetroAddressTable;
  retro_range: RetroRangeTable;
  retro_hit: RetroHitTable;
  retro_wanted: RetroWantedTable;
  rewatched: RewatchedTable;
}
