/** The tables of alerts that are told together, and of hits that are told in sum, as Kysely sees them. */
import type { Generated } from "kysely";

/** Alerts that are told together, for one window of time. At most one of a key is not closed. */
export interface AlertGroupTable {
  group_id: string;
  rule: string;
  key: string;
  severity: string;
  about: string;
  opened_at: number;
  closes_at: number;
  closed: Generated<boolean>;
  alerts: Generated<number>;
  subjects: Generated<number>;
  held: Generated<number>;
  retracted: Generated<number>;
  digests: Generated<number>;
  /** As of the last digest. */
  held_told: Generated<number>;
  retracted_told: Generated<number>;
  digest_due_at: number | null;
  /** JSON. */
  sinks: string;
}

export interface AlertGroupMemberTable {
  group_id: string;
  alert_id: string;
  subject: string;
  asset: string;
  /** Numeric: as text. */
  amount: string;
  usd_cents: string | null;
  held: boolean;
  at: number;
}

/** Recorded hits that were pruned. */
export interface RecordedTotalTable {
  chain: string;
  rule: string;
  hits: number;
}

/** Days whose recorded hits were told. */
export interface RecordedDigestTable {
  day: string;
  at: number;
}

export interface GroupTables {
  alert_group: AlertGroupTable;
  alert_group_member: AlertGroupMemberTable;
  recorded_total: RecordedTotalTable;
  recorded_digest: RecordedDigestTable;
}
