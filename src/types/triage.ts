/** What people do with an alert: its case, who has it, and where it stands. */
import type { Severity } from "./alert.ts";

export const TRIAGE_STATES = [
  "open",
  "investigating",
  "awaiting_info",
  "escalated",
  "pending_sar",
  "reported",
  "closed_true",
  "closed_false",
  "suppressed",
] as const;
export type TriageState = (typeof TRIAGE_STATES)[number];

/** Nobody has to act any more, until the system or a person opens the case again. */
export const DONE_STATES = ["reported", "closed_true", "closed_false", "suppressed"] as const;
export type DoneState = (typeof DONE_STATES)[number];

export function isDone(state: TriageState): state is DoneState {
  return (DONE_STATES as readonly TriageState[]).includes(state);
}

/** Why a case is done, by the state it ends in. */
export const DONE_REASONS: Readonly<Record<DoneState, readonly string[]>> = {
  reported: ["sar_filed", "sanctions_report", "law_enforcement", "other"],
  closed_true: ["funds_held", "funds_returned", "account_closed", "already_reported", "no_action_possible", "other"],
  closed_false: ["wrong_attribution", "own_transfer", "legitimate_source", "service_address", "retracted", "other"],
  suppressed: ["dust", "poisoning", "duplicate", "accepted_risk", "test", "other"],
};

/** One case per alert, made with the alert's first revision. */
export interface TriageCase {
  readonly alertId: string;
  readonly state: TriageState;
  /** Rises with every change, also when the alert itself gains weight: a change names the version it saw. */
  readonly version: number;
  /** A person's name; null: nobody's. */
  readonly assignee: string | null;
  /** Unix ms, as all times here; null: no clock runs. */
  readonly dueAt: number | null;
  /** Of `DONE_REASONS`; null while it is not done. */
  readonly reason: string | null;
  readonly changedAt: number;
}

/** What an act changes of a case. */
export type CasePatch = Partial<Pick<TriageCase, "state" | "assignee" | "dueAt" | "reason">>;

/** Hours from an alert's first revision until its case is due, by severity; absent: no clock. */
export type DueHours = Readonly<Partial<Record<Severity, number | undefined>>>;
