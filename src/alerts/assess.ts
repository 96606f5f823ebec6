/** Score, caps, severity and action of an alert, each part with its reason. Pure. */
import { ACTIONS, type Action, type AlertKind, SEVERITIES, type Severity, type Stage } from "../types/alert.ts";
import { CALLDATA_KEY, RIGHTS } from "../types/chain.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import { DEFAULT_POLICY, type Policy, type Verdict } from "../types/policy.ts";
import { MUTE_WORDS, type WatchEntry } from "../types/watch.ts";
import { amountPoints, confidencePoints, policyOf, policyOfRight, sayerOf, severityOfScore } from "./policy.ts";
import { formatUsd } from "./text.ts";
import { surelyWorth, type Worth, worthOf } from "./worth.ts";

export interface Score {
  readonly amount: number;
  readonly share: number;
  readonly proximity: number;
  readonly confidence: number;
  readonly total: number;
  /** Each part in words. */
  readonly reasons: readonly string[];
  /** What lowered (or, for sanctioned contact, raised) the outcome, in words. */
  readonly caps: readonly string[];
}

export interface Assessment {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly action: Action;
  readonly score: Score;
}

// An amount of unknown value counts as this many cents, the lower end of a range. Counting it as nothing would let a large
// theft pass as a small one; the caps of the table still hold.
const UNKNOWN_COUNTS_AS = 1_000_000n;
const SMALL_CENTS = 1_000n;
const SMALL_SCORE_MAX = 19;
// Below it even sanctioned contact is no more than dust somebody sent.
const SANCTIONED_FROM_CENTS = 100n;
/** From so much on an amount is judged otherwise, whatever the policy is; its own steps come beside. */
export const WORTH_STEPS_CENTS = [SANCTIONED_FROM_CENTS, SMALL_CENTS] as const;
// A direct hit: all of the amount, one hop.
const DIRECT_SHARE_POINTS = 20;
const DIRECT_PROXIMITY_POINTS = 30;
const SANCTIONED_FLOOR = 80;

const NOT_EXACT = {
  sameKey: "the listed account on another chain",
  keyEquivalent: "another address of the listed address's key",
} as const;

export interface Judging {
  readonly stage: Stage;
  /** Operators name different blocks; it tells the two kinds of `pending` apart. */
  readonly disputed?: boolean;
  readonly policy?: Policy;
  /** What they are worth together; absent: as their values say. */
  readonly worth?: Worth;
}

/** The strongest outcome among the alert's hits and the entries behind each. `hits` is not empty. */
export function assess(
  hits: readonly Hit[],
  { stage, disputed = false, policy = DEFAULT_POLICY, worth = worthOf(hits) }: Judging,
): Assessment {
  const kind: AlertKind = hits.some((hit) => hit.own !== null) ? "exposure" : "movement";
  let best: Assessment | null = null;
  for (const hit of hits) {
    for (const match of hit.matches) {
      const one = assessMatch(hit, match, { kind, stage, disputed, policy, worth });
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

interface Context {
  readonly kind: AlertKind;
  readonly stage: Stage;
  readonly disputed: boolean;
  readonly policy: Policy;
  /** Of the whole alert. */
  readonly worth: Worth;
}

/** What the caps of one match look at. */
interface Facts {
  readonly sanctioned: boolean;
  readonly isRight: boolean;
  readonly dust: boolean;
  readonly worth: Worth;
  /** Cents that may lower the outcome: all of it is known, by prices that were compared. Null: they may not. */
  readonly surelyCents: bigint | null;
}

const OF_RIGHT: Worth = { knownCents: 0n, unknown: "a right over value, no value that moved", compared: true };

function assessMatch(hit: Hit, match: EntryMatch, of: Context): Assessment {
  const { entry } = match;
  const sanctioned = entry.sanctioned !== null;
  const isRight = RIGHTS.includes(hit.transfer.category);
  const worth = isRight ? OF_RIGHT : of.worth;
  const facts: Facts = {
    sanctioned,
    isRight,
    // Many small legs are no dust together.
    dust: !isRight && hit.transfer.amount < hit.asset.dustBelow && worth.knownCents < SMALL_CENTS,
    worth,
    surelyCents: surelyWorth(worth),
  };
  // What a sanctions list says is judged by the default, whatever the operator's policy is.
  const policy = sayerOf(entry) === "sanctions" ? DEFAULT_POLICY : of.policy;
  const score = scoreOf(entry, facts, policy);
  const standard = isRight ? policyOfRight(entry) : policyOf(entry);
  const verdict = isRight ? policyOfRight(entry, policy) : policyOf(entry, policy);
  const caps = [...score.caps];
  const severity = severityOfScore(score.total, policy);
  const byDefault = severityOfScore(score.total);
  if (severity !== byDefault)
    caps.push(`operator policy: a score of ${score.total} is ${severity}, by default ${byDefault}`);
  if (verdict.severity !== standard.severity || verdict.action !== standard.action)
    caps.push(
      `operator policy: ${entry.role} by ${sayerOf(entry)} is at most ${verdict.severity}, ${verdict.action}; by default ${standard.severity}, ${standard.action}`,
    );
  const capped = capOutcome({ severity, action: verdict.action }, caps, { hit, match, facts, policy, verdict, of });
  return { kind: of.kind, ...capped, score: { ...score, caps } };
}

function scoreOf(entry: WatchEntry, { sanctioned, dust, worth, surelyCents }: Facts, policy: Policy): Score {
  const caps: string[] = [];
  const amount = amountOf(worth, policy, caps);
  const confidence = confidencePoints(entry);
  let total = amount.points + DIRECT_SHARE_POINTS + DIRECT_PROXIMITY_POINTS + confidence;
  const capScore = (most: number, why: string) => {
    if (total <= most) return;
    total = most;
    caps.push(`${why}: score at most ${most}`);
  };
  // A notice or a court names the withdrawal itself; everybody else has matched it to a deposit.
  const demixed = entry.role === "mixer_withdrawal" && (entry.basis === "researcher" || entry.basis === "explorer");
  if (demixed && !sanctioned) capScore(59, "mixer withdrawal matched by research");
  if (dust && !sanctioned) capScore(SMALL_SCORE_MAX, "dust");
  if (isBelow(surelyCents, SMALL_CENTS) && !sanctioned) capScore(SMALL_SCORE_MAX, "worth less than 10 USD");
  if (sanctioned && !isBelow(surelyCents, SANCTIONED_FROM_CENTS) && total < SANCTIONED_FLOOR) {
    total = SANCTIONED_FLOOR;
    caps.push("direct contact with a sanctioned address: score at least 80");
  }
  const reasons = [
    `amount ${amount.points}: ${amount.reason}`,
    `share ${DIRECT_SHARE_POINTS}: all of it`,
    `proximity ${DIRECT_PROXIMITY_POINTS}: direct, one hop`,
    `confidence ${confidence}: named by ${sayerOf(entry)} as ${entry.role}`,
  ];
  return {
    amount: amount.points,
    share: DIRECT_SHARE_POINTS,
    proximity: DIRECT_PROXIMITY_POINTS,
    confidence,
    total,
    reasons,
    caps,
  };
}

function isBelow(cents: bigint | null, limit: bigint): boolean {
  return cents !== null && cents < limit;
}

/** A price that nobody compared is a node's word: it may add to what an unknown value counts, and takes nothing away. */
function amountOf(worth: Worth, policy: Policy, caps: string[]): { points: number; reason: string } {
  const known = amountPoints(worth.knownCents, policy);
  const byDefault = amountPoints(worth.knownCents, DEFAULT_POLICY);
  const worthText = `worth ${formatUsd(worth.knownCents)}`;
  if (known !== byDefault) caps.push(`operator policy: ${worthText} counts ${known} points, by default ${byDefault}`);
  if (worth.unknown === null && worth.compared) return { points: known, reason: worthText };
  const points = Math.max(known, amountPoints(UNKNOWN_COUNTS_AS, policy));
  const why = worth.unknown === null ? "a price compared with no other" : unknownText(worth);
  if (points > known) caps.push(`${why}: amount counted as 10,000 to 100,000 USD`);
  return { points, reason: worth.knownCents > 0n ? `${worthText} as far as known; ${why}` : why };
}

function unknownText({ unknown }: Worth): string {
  return unknown === "" ? "value in USD unknown" : `value in USD unknown (${unknown})`;
}

interface Capping {
  readonly hit: Hit;
  readonly match: EntryMatch;
  readonly facts: Facts;
  readonly policy: Policy;
  /** Of the table. */
  readonly verdict: Verdict;
  readonly of: Context;
}

/** Everything that keeps an outcome down, in order; each that does says so in `caps`. */
function capOutcome(start: Verdict, caps: string[], capping: Capping): Verdict {
  const { hit, match, facts, verdict, of } = capping;
  const { entry, incident, basis, ended } = match;
  const { sanctioned } = facts;
  let { severity, action } = start;
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

  capSeverity(verdict.severity, `${entry.role} by ${sanctioned ? "sanctions" : entry.basis}`);
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
  const [most, why] = actionByWorth(capping);
  capAction(most, why);
  if (hit.transfer.key === CALLDATA_KEY) {
    capSeverity("medium", "only asked for by a pending call: anyone can send one");
    capAction("prepare", "only asked for by a pending call");
  }
  // A hold needs a block that is agreed on.
  if (of.stage === "pending") capAction("review", of.disputed ? "not in an agreed block" : "not in a block yet");
  if (of.stage === "retracted") capAction("none", "retracted");
  return { severity, action };
}

/** The most that may be advised for what the transfers are worth, and why. Sanctions know no minimum but dust. */
function actionByWorth({ facts, policy }: Capping): readonly [Action, string] {
  const { sanctioned, dust, worth, surelyCents } = facts;
  if (sanctioned)
    return isBelow(surelyCents, SANCTIONED_FROM_CENTS) ? ["review", "worth less than 1 USD"] : ["report", ""];
  if (dust) return ["none", "dust"];
  if (isBelow(surelyCents, SMALL_CENTS)) return ["none", "worth less than 10 USD"];
  const { holdAboveUsd } = policy;
  if (worth.knownCents > BigInt(holdAboveUsd) * 100n) return ["report", ""];
  if (surelyCents === null)
    return ["review", worth.unknown === null ? "a price compared with no other" : "value in USD unknown"];
  const isDefault = holdAboveUsd === DEFAULT_POLICY.holdAboveUsd;
  const limit = `worth no more than ${formatUsd(BigInt(holdAboveUsd) * 100n)}`;
  return ["review", isDefault ? limit : `operator policy: ${limit}, by default ${DEFAULT_POLICY.holdAboveUsd} USD`];
}
