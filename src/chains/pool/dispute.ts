/**
 * Operators that name different blocks, over time: pure, told the time.
 *
 * States: none; `settling` (the ends of two healthy nodes differ for a moment at every fork); `open` (they still do).
 * Always holds: an open dispute ends when those who disagreed agree, or when a person or a proof takes one of them out.
 * Silence does not end it: who cuts off the honest side gains nothing.
 */
import type { Dispute } from "../../types/nodes.ts";
import type { Agreement } from "./agreement.ts";

export interface DisputeState {
  readonly height: number;
  readonly since: number;
  /** When they were last seen to differ. */
  readonly seenAt: number;
  readonly open: boolean;
  /** The hash each operator named last. */
  readonly claims: ReadonlyMap<string, string>;
}

export interface DisputeStep {
  readonly number: number;
  readonly agreement: Agreement;
  /** Operators whose word counts: not drained, not quarantined. */
  readonly heard: ReadonlySet<string>;
  readonly now: number;
  readonly graceMs: number;
}

const STALE_GRACES = 10;

/** The dispute after the answers about one height. */
export function afterAgreement(before: DisputeState | null, step: DisputeStep): DisputeState | null {
  const { agreement, number, now } = step;
  if (agreement.kind === "disputed") {
    const claims = new Map(agreement.sides.flatMap((side) => side.operators.map((name) => [name, side.header.hash])));
    const since = before?.since ?? now;
    return {
      height: Math.min(number, before?.height ?? number),
      since,
      seenAt: now,
      open: before?.open === true || now - since >= step.graceMs,
      claims: new Map([...(before?.claims ?? []), ...claims]),
    };
  }
  if (before === null) return null;
  const claims = new Map([...before.claims].filter(([operator]) => step.heard.has(operator)));
  if (new Set(claims.values()).size <= 1) return null;
  // Blocks below never were in dispute: agreeing on them settles nothing.
  if (agreement.kind !== "agreed" || number < before.height) return { ...before, claims };
  const isSettled = [...claims.keys()].every((operator) => agreement.operators.includes(operator));
  // A fork whose other end fell silent before it was a dispute: forgotten, or an old one would open the next at once.
  const isStale = !before.open && now - before.seenAt > STALE_GRACES * step.graceMs;
  return isSettled || isStale ? null : { ...before, claims };
}

export function disputeOf(state: DisputeState | null): Dispute | null {
  if (state === null || !state.open) return null;
  const sides = new Map<string, string[]>();
  for (const [operator, hash] of state.claims) sides.set(hash, [...(sides.get(hash) ?? []), operator]);
  return {
    height: state.height,
    since: state.since,
    sides: [...sides].map(([hash, operators]) => ({ hash, operators })),
  };
}
