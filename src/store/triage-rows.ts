/** Rows of the triage table as the rest of the program knows them. */
import type { TriageCase, TriageState } from "../types/triage.ts";

/** The case of an alert; from `chain` to `alerted_at` copied from the alert, for the list. */
export interface TriageTable {
  alert_id: string;
  chain: string;
  kind: string;
  stage: string;
  severity: string;
  customer_ref: string | null;
  incidents: readonly string[];
  alerted_at: number;
  state: TriageState;
  version: number;
  assignee: string | null;
  due_at: number | null;
  reason: string | null;
  changed_at: number;
  /** What the alert was when the case was last done. */
  judged_severity: string | null;
  judged_stage: string | null;
}

export type CaseRow = Pick<
  TriageTable,
  "alert_id" | "state" | "version" | "assignee" | "due_at" | "reason" | "changed_at"
>;

export function caseOf(row: CaseRow): TriageCase {
  return {
    alertId: row.alert_id,
    state: row.state,
    version: row.version,
    assignee: row.assignee,
    dueAt: row.due_at,
    reason: row.reason,
    changedAt: row.changed_at,
  };
}

/** One side of a line of the audit trail. */
export function caseText({ state, version, assignee, dueAt, reason }: TriageCase): string {
  return JSON.stringify({ state, version, assignee, dueAt, reason });
}
