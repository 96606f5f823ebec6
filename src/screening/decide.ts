/**
 * Facts about one item -> verdict. Pure.
 *
 * Always holds: `clear` is said only where nothing is missing that could have shown something; what is known against an
 * item is said whatever is missing, and wins over `unknown`.
 */
import { ACTIONS, type Action, SEVERITIES } from "../types/alert.ts";
import type { Finding, GapCode, ScreenDecision, ScreenFacts, ScreenReason, ScreenVerdict } from "../types/screening.ts";
import { gapsOf } from "./gaps.ts";
import { gapText } from "./words.ts";

const VERDICT_OF: Readonly<Record<Action, Extract<ScreenVerdict, "hold" | "review"> | null>> = {
  // The policy advises nothing: too small, muted, over, or too thin. It is told, and keeps nothing from being clear.
  none: null,
  prepare: "review",
  review: "review",
  hold: "hold",
  report: "hold",
};

export function decide(facts: ScreenFacts): ScreenDecision {
  const gaps = gapsOf(facts);
  const strongest = strongestOf(facts.findings);
  return {
    verdict: verdictOf(strongest?.action ?? "none", gaps),
    severity: strongest?.severity ?? null,
    action: strongest?.action ?? "none",
    reasons: [...facts.findings.map(({ code, text }): ScreenReason => ({ code, text })), ...gaps.map(reasonOf(facts))],
  };
}

function verdictOf(action: Action, gaps: readonly GapCode[]): ScreenVerdict {
  return VERDICT_OF[action] ?? (gaps.length > 0 ? "unknown" : "clear");
}

/** By what is to be done, then by how bad it is. */
function strongestOf(findings: readonly Finding[]): Finding | null {
  const weight = ({ action, severity }: Finding) =>
    ACTIONS.indexOf(action) * SEVERITIES.length + SEVERITIES.indexOf(severity);
  return findings.reduce<Finding | null>(
    (best, one) => (best === null || weight(one) > weight(best) ? one : best),
    null,
  );
}

function reasonOf(facts: ScreenFacts): (code: GapCode) => ScreenReason {
  return (code) => ({ code, text: gapText(code, facts) });
}
