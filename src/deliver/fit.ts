/**
 * A brief made to fit: whole values go first, from the longest list, and are counted; then whole facts, from the least
 * important; the sentence is cut last. The title and the footer always stay.
 */
import type { Brief, Fact } from "./brief.ts";
import { shortened } from "../lib/outside-text.ts";

/** The first form of `brief` that `fits`. `fits` must take a brief of a short title, a footer and nothing else. */
export function fitBrief(brief: Brief, fits: (candidate: Brief) => boolean): Brief {
  let candidate = brief;
  while (!fits(candidate)) {
    const next = withoutValue(candidate) ?? withoutFact(candidate) ?? withShorterSummary(candidate);
    // A service whose limit holds not even this: a bug of ours, told by the conformance suite.
    if (next === null) return candidate;
    candidate = next;
  }
  return candidate;
}

/** A fact as one line: `a; b and 3 more`. */
export function factText({ values, more }: Fact): string {
  return `${values.join("; ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function withoutValue(brief: Brief): Brief | null {
  const longest = brief.facts.reduce<Fact | null>(
    (a, b) => (b.values.length > 1 && b.values.length > (a?.values.length ?? 0) ? b : a),
    null,
  );
  if (longest === null) return null;
  const shorter = { ...longest, values: longest.values.slice(0, -1), more: longest.more + 1 };
  return { ...brief, facts: brief.facts.map((fact) => (fact === longest ? shorter : fact)) };
}

function withoutFact(brief: Brief): Brief | null {
  return brief.facts.length === 0 ? null : { ...brief, facts: brief.facts.slice(0, -1) };
}

function withShorterSummary(brief: Brief): Brief | null {
  const length = Array.from(brief.summary).length;
  return length <= 1 ? null : { ...brief, summary: shortened(brief.summary, Math.ceil(length / 2)) };
}
