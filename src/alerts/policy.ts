/**
 * How bad, and what to do: the table by role and basis, and the additive score it caps.
 * Source of table, score and thresholds: docs/alerts.md (the project's alert vocabulary).
 */
import type { Action, Severity } from "../types/alert.ts";
import type { EntryBasis, EntryRole, WatchEntry } from "../types/watch.ts";

export interface Verdict {
  readonly severity: Severity;
  readonly action: Action;
}

type Column = "sanctions" | "official" | "researchers" | "researcher" | "explorer";

const CRITICAL_HOLD: Verdict = { severity: "critical", action: "hold" };
const HIGH_HOLD: Verdict = { severity: "high", action: "hold" };
const HIGH_REVIEW: Verdict = { severity: "high", action: "review" };
const MEDIUM_REVIEW: Verdict = { severity: "medium", action: "review" };
const LOW: Verdict = { severity: "low", action: "none" };
const INFO: Verdict = { severity: "info", action: "none" };
const NEVER: Verdict = INFO;

const THEFT: Record<Column, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: CRITICAL_HOLD,
  researchers: HIGH_HOLD,
  researcher: HIGH_REVIEW,
  explorer: MEDIUM_REVIEW,
};
const LAUNDERING: Record<Column, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: HIGH_HOLD,
  researchers: HIGH_REVIEW,
  researcher: MEDIUM_REVIEW,
  explorer: LOW,
};
const MIXER_WITHDRAWAL: Record<Column, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: HIGH_REVIEW,
  researchers: MEDIUM_REVIEW,
  researcher: MEDIUM_REVIEW,
  explorer: INFO,
};
const PREPARATION: Record<Column, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: MEDIUM_REVIEW,
  researchers: LOW,
  researcher: LOW,
  explorer: INFO,
};
// "off" in the table: such rows are shipped unwatched. An operator who switches one on is told, quietly.
const IT_WORKER: Record<Column, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: MEDIUM_REVIEW,
  researchers: LOW,
  researcher: LOW,
  explorer: LOW,
};
// Only a sanctions list makes someone a sanctioned party; another basis under this role is no more than a lead.
const SANCTIONED: Record<Column, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: MEDIUM_REVIEW,
  researchers: LOW,
  researcher: LOW,
  explorer: LOW,
};
const VICTIM: Record<Column, Verdict> = {
  sanctions: NEVER,
  official: NEVER,
  researchers: NEVER,
  researcher: NEVER,
  explorer: NEVER,
};

const TABLE: Record<EntryRole, Record<Column, Verdict>> = {
  theft: THEFT,
  exploiter: THEFT,
  laundering: LAUNDERING,
  mixer_deposit: LAUNDERING,
  mixer_withdrawal: MIXER_WITHDRAWAL,
  preparation: PREPARATION,
  exploit_contract: PREPARATION,
  it_worker_network: IT_WORKER,
  it_worker_wallet: IT_WORKER,
  sanctioned_person: SANCTIONED,
  sanctioned_entity: SANCTIONED,
  victim: VICTIM,
  victim_contract: VICTIM,
  restrained_funds: VICTIM,
};

function columnOf(entry: WatchEntry): Column {
  if (entry.sanctioned !== null || entry.basis === "sanctions") return "sanctions";
  if (entry.basis === "researcher") return entry.independentSources >= 2 ? "researchers" : "researcher";
  return entry.basis === "explorer" ? "explorer" : "official";
}

/** The cap on severity and action for one entry. */
export function policyOf(entry: WatchEntry): Verdict {
  return TABLE[entry.role][columnOf(entry)];
}

/** Approvals and delegations to a contract made for a theft come before it: told one level up from what the contract itself is. */
export function policyOfRight(entry: WatchEntry): Verdict {
  const policy = policyOf(entry);
  const isEarly = entry.role === "preparation" || entry.role === "exploit_contract";
  return isEarly && (policy.severity === "low" || policy.severity === "info")
    ? { ...policy, severity: "medium" }
    : policy;
}

/** Points for who says so: official 10, several researchers 7, one 4, explorer tags and mixer matches 0. */
export function confidencePoints(entry: { basis: EntryBasis; role: EntryRole; independentSources: number }): number {
  if (entry.role === "mixer_withdrawal" || entry.basis === "explorer") return 0;
  if (entry.basis === "researcher") return entry.independentSources >= 2 ? 7 : 4;
  return 10;
}

/** 80 critical, 60 high, 40 medium, 20 low, else info. */
export function severityOfScore(total: number): Severity {
  if (total >= 80) return "critical";
  if (total >= 60) return "high";
  if (total >= 40) return "medium";
  return total >= 20 ? "low" : "info";
}
