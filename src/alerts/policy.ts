/**
 * How bad, and what to do: the table by role and basis, and the additive score it caps.
 * Source of table, score and thresholds: docs/alerts.md (the project's alert vocabulary).
 */
import type { Severity } from "../types/alert.ts";
import { DEFAULT_POLICY, type Policy, type Sayer, type Verdict } from "../types/policy.ts";
import type { EntryBasis, EntryRole, WatchEntry } from "../types/watch.ts";

const CRITICAL_HOLD: Verdict = { severity: "critical", action: "hold" };
const HIGH_HOLD: Verdict = { severity: "high", action: "hold" };
const HIGH_REVIEW: Verdict = { severity: "high", action: "review" };
const MEDIUM_REVIEW: Verdict = { severity: "medium", action: "review" };
const LOW: Verdict = { severity: "low", action: "none" };
const INFO: Verdict = { severity: "info", action: "none" };
const NEVER: Verdict = INFO;

const THEFT: Record<Sayer, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: CRITICAL_HOLD,
  researchers: HIGH_HOLD,
  researcher: HIGH_REVIEW,
  explorer: MEDIUM_REVIEW,
};
const LAUNDERING: Record<Sayer, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: HIGH_HOLD,
  researchers: HIGH_REVIEW,
  researcher: MEDIUM_REVIEW,
  explorer: LOW,
};
const MIXER_WITHDRAWAL: Record<Sayer, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: HIGH_REVIEW,
  researchers: MEDIUM_REVIEW,
  researcher: MEDIUM_REVIEW,
  explorer: INFO,
};
const PREPARATION: Record<Sayer, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: MEDIUM_REVIEW,
  researchers: LOW,
  researcher: LOW,
  explorer: INFO,
};
// "off" in the table: such rows are shipped unwatched. An operator who switches one on is told, quietly.
const IT_WORKER: Record<Sayer, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: MEDIUM_REVIEW,
  researchers: LOW,
  researcher: LOW,
  explorer: LOW,
};
// Only a sanctions list makes someone a sanctioned party; another basis under this role is no more than a lead.
const SANCTIONED: Record<Sayer, Verdict> = {
  sanctions: CRITICAL_HOLD,
  official: MEDIUM_REVIEW,
  researchers: LOW,
  researcher: LOW,
  explorer: LOW,
};
const VICTIM: Record<Sayer, Verdict> = {
  sanctions: NEVER,
  official: NEVER,
  researchers: NEVER,
  researcher: NEVER,
  explorer: NEVER,
};

const TABLE: Record<EntryRole, Record<Sayer, Verdict>> = {
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

/** Who says so, as a column of the table. */
export function sayerOf(entry: Pick<WatchEntry, "sanctioned" | "basis" | "independentSources">): Sayer {
  if (entry.sanctioned !== null || entry.basis === "sanctions") return "sanctions";
  if (entry.basis === "researcher") return entry.independentSources >= 2 ? "researchers" : "researcher";
  return entry.basis === "explorer" ? "explorer" : "official";
}

/** The cap on severity and action for one entry. */
export function policyOf(entry: WatchEntry, policy: Policy = DEFAULT_POLICY): Verdict {
  const { severity, action } = overrideOf(entry, policy) ?? TABLE[entry.role][sayerOf(entry)];
  return { severity, action };
}

/**
 * Approvals and delegations to a contract made for a theft come before it: told one level up from what the contract itself
 * is, unless the operator decided otherwise.
 */
export function policyOfRight(entry: WatchEntry, policy: Policy = DEFAULT_POLICY): Verdict {
  const verdict = policyOf(entry, policy);
  const isEarly = entry.role === "preparation" || entry.role === "exploit_contract";
  const isQuiet = verdict.severity === "low" || verdict.severity === "info";
  return isEarly && isQuiet && overrideOf(entry, policy) === undefined ? { ...verdict, severity: "medium" } : verdict;
}

function overrideOf(entry: WatchEntry, { overrides }: Policy): Verdict | undefined {
  const sayer = sayerOf(entry);
  return overrides.find(({ role, saidBy }) => role === entry.role && saidBy === sayer);
}

/** Points for who says so: official 10, several researchers 7, one 4, explorer tags and mixer matches 0. */
export function confidencePoints(entry: { basis: EntryBasis; role: EntryRole; independentSources: number }): number {
  if (entry.role === "mixer_withdrawal" || entry.basis === "explorer") return 0;
  if (entry.basis === "researcher") return entry.independentSources >= 2 ? 7 : 4;
  return 10;
}

export function severityOfScore(total: number, { severityFrom: from }: Policy = DEFAULT_POLICY): Severity {
  if (total >= from.critical) return "critical";
  if (total >= from.high) return "high";
  if (total >= from.medium) return "medium";
  return total >= from.low ? "low" : "info";
}

/** Points for what was worth so many cents. */
export function amountPoints(cents: bigint, { amountSteps }: Policy): number {
  return amountSteps.findLast(({ fromUsd }) => cents >= BigInt(fromUsd) * 100n)?.points ?? 0;
}
