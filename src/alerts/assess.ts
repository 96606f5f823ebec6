/** Score, caps, severity and action of an alert, each part with its reason. Pure. */
import { ACTIONS, type Action, type AlertKind, SEVERITIES, type Severity, type Stage } from "../types/alert.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import { CALLDATA_KEY, RIGHTS } from "../types/chain.ts";
import { MUTE_WORDS } from "../types/watch.ts";
import { confidencePoints, policyOf, policyOfRight, severityOfScore } from "./policy.ts";

export interface Score {
  readonly amount: number;
  readonly share: number;
  readonly proximity: number;
  readonly confidence: number;
  readonly total: number;
  /** What lowered (or, for sanctioned contact, raised) the outcome, in words. */
  readonly caps: readonly string[];
}

export interface Assessment {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly action: Action;
  readonly score: Score;
}

// No price source yet: an amount of unknown value counts as 10,000 to 100,000 USD. Counting it as nothing would let a
// large theft pass as a small one; the caps of the table still hold.
const UNKNOWN_VALUE_POINTS = 28;
// A direct hit: all of the amount, one hop.
const DIRECT_SHARE_POINTS = 20;
const DIRECT_PROXIMITY_POINTS = 30;
const SANCTIONED_FLOOR = 80;

const NOT_EXACT = {
  sameKey: "the listed account on another chain",
  keyEquivalent: "another address of the listed address's key",
} as const;

/**
 * The strongest outcome among the alert's hits and the entries behind each. `hits` is not empty. `disputed`: operators
 * name different blocks; it tells the two kinds of `pending` apart.
 */
export function assess(hits: readonly Hit[], stage: Stage, disputed = false): Assessment {
  const kind: AlertKind = hits.some((hit) => hit.own !== null) ? "exposure" : "movement";
  let best: Assessment | null = null;
  for (const hit of hits) {
    for (const match of hit.matches) {
      const one = assessMatch(hit, match, { kind, stage, disputed });
      if (best === null || outranks(one, best)) best = one;
    }
  }
  if (best === null) throw new Error("assertion failed: an alert has at least one matched hit");
  return best;
}

function outranks(a: Assessment, b: Assessment): boolean {
  const bySeverity = rank(SEVERITIES, a.severity) - rank(SEVERITIES, b.severity);
  if (bySeverity !== 0) return bySeverity > 0;
  const byAction = rank(ACTIONS, a.action) - rank(ACTIONS, b.action);
  return byAction === 0 ? a.score.total > b.score.total : byAction > 0;
}

function oneLower(severity: Severity): Severity {
  return SEVERITIES[Math.max(0, rank(SEVERITIES, severity) - 1)] as Severity;
}

function rank<T>(order: readonly T[], value: T): number {
  return order.indexOf(value);
}

function assessMatch(
  hit: Hit,
  { entry, incident, basis, ended }: EntryMatch,
  of: { kind: AlertKind; stage: Stage; disputed: boolean },
): Assessment {
  const caps: string[] = [];
  const parts = {
    amount: UNKNOWN_VALUE_POINTS,
    share: DIRECT_SHARE_POINTS,
    proximity: DIRECT_PROXIMITY_POINTS,
    confidence: confidencePoints(entry),
  };
  caps.push("value in USD unknown: amount counted as 10,000 to 100,000 USD");
  let total = parts.amount + parts.share + parts.proximity + parts.confidence;
  const sanctioned = entry.sanctioned !== null;
  const isRight = RIGHTS.includes(hit.transfer.category);
  const dust = !isRight && hit.transfer.amount < hit.asset.dustBelow;
  // A notice or a court names the withdrawal itself; everybody else has matched it to a deposit.
  const demixed = entry.role === "mixer_withdrawal" && (entry.basis === "researcher" || entry.basis === "explorer");
  if (demixed && !sanctioned && total > 59) {
    total = 59;
    caps.push("mixer withdrawal matched by research: score at most 59");
  }
  if (dust && !sanctioned && total > 19) {
    total = 19;
    caps.push("dust: score at most 19");
  }
  if (sanctioned && total < SANCTIONED_FLOOR) {
    total = SANCTIONED_FLOOR;
    caps.push("direct contact with a sanctioned address: score at least 80");
  }

  const policy = isRight ? policyOfRight(entry) : policyOf(entry);
  let severity = severityOfScore(total);
  let action: Action = policy.action;
  const capSeverity = (most: Severity, why: string) => {
    if (rank(SEVERITIES, severity) <= rank(SEVERITIES, most)) return;
    severity = most;
    caps.push(`${why}: at most ${most}`);
  };
  const capAction = (most: Action, why: string) => {
    if (rank(ACTIONS, action) <= rank(ACTIONS, most)) return;
    action = most;
    caps.push(`${why}: action at most ${most}`);
  };

  capSeverity(policy.severity, `${entry.role} by ${entry.sanctioned === null ? entry.basis : "sanctions"}`);
  if (basis !== "exact" && !sanctioned) {
    capSeverity(oneLower(severity), NOT_EXACT[basis]);
    capAction("review", NOT_EXACT[basis]);
  }
  if (of.kind === "movement") {
    capSeverity("medium", "no own address touched");
    capAction("review", "no own address touched");
  }
  if (entry.muted !== undefined) {
    capSeverity("info", `the entry is ${MUTE_WORDS[entry.muted.why]}`);
    capAction("none", `the entry is ${MUTE_WORDS[entry.muted.why]}`);
  }
  if (ended === true) {
    capSeverity("info", `the entry was valid until ${entry.validUntil}`);
    capAction("none", `the entry was valid until ${entry.validUntil}`);
  }
  if (incident?.disputed === true && !sanctioned) {
    capSeverity("medium", "attribution of the incident is disputed");
    capAction("review", "attribution of the incident is disputed");
  }
  if (!hit.asset.listed) {
    capSeverity("info", "token outside the token list: anyone can make one claim this transfer");
    capAction("none", "token outside the token list");
  }
  // A hold needs more than 100 USD; without a price only a sanctions list, which knows no minimum, justifies one.
  if (!sanctioned) capAction("review", "value in USD unknown");
  if (dust && !sanctioned) capAction("none", "dust");
  if (hit.transfer.key === CALLDATA_KEY) {
    capSeverity("medium", "only asked for by a pending call: anyone can send one");
    capAction("prepare", "only asked for by a pending call");
  }
  // A hold needs a block that is agreed on.
  if (of.stage === "pending") capAction("review", of.disputed ? "not in an agreed block" : "not in a block yet");
  if (of.stage === "retracted") capAction("none", "retracted");
  return { kind: of.kind, severity, action, score: { ...parts, total, caps } };
}
