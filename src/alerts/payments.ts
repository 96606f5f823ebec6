/** What an alert counts for in the sums of its customer's day. Pure. */
import type { AlertKind, Payment, Severity, SeverityLadder, Stage } from "../types/alert.ts";
import type { Hit, HitBlock } from "../types/hit.ts";
import type { Policy } from "../types/policy.ts";
import { assess, WORTH_STEPS_CENTS } from "./assess.ts";
import { worthOf } from "./worth.ts";

export interface PaymentsOf {
  readonly alertId: string;
  /** Told ones, in the order of the transaction. Not empty. */
  readonly hits: readonly Hit[];
  /** Null until it was in a block. */
  readonly block: HitBlock | null;
  readonly stage: Stage;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly policy: Policy;
}

/** One for each incident; none while it is not in a block that is agreed on, and where no value is known. */
export function paymentsOf({ alertId, hits, block, stage, kind, severity, policy }: PaymentsOf): readonly Payment[] {
  const own = hits.find((hit) => hit.own !== null)?.own;
  const usdCents = worthOf(hits).knownCents;
  const stands = stage === "included" || stage === "final";
  if (!stands || kind !== "exposure" || block === null || own == null || usdCents <= 0n) return [];
  const incidents = new Set(hits.flatMap(({ matches }) => matches.map(({ entry }) => entry.incident)));
  return [...incidents].toSorted().map((incident) => ({
    alertId,
    incident,
    customerRef: own.address.customerRef,
    own: own.address.address,
    direction: own.side === "to" ? "in" : "out",
    chain: own.address.chain,
    at: block.timestamp * 1_000,
    usdCents,
    severity,
    ladder: ladderOf(hitsOf(hits, incident), policy),
  }));
}

function hitsOf(hits: readonly Hit[], incident: string): Hit[] {
  return hits.flatMap((hit) => {
    const matches = hit.matches.filter(({ entry }) => entry.incident === incident);
    return matches.length === 0 ? [] : [{ ...hit, matches }];
  });
}

function ladderOf(hits: readonly Hit[], policy: Policy): SeverityLadder {
  const froms = new Set([
    0,
    ...WORTH_STEPS_CENTS.map(Number),
    ...policy.amountSteps.map(({ fromUsd }) => fromUsd * 100),
  ]);
  const ladder: { fromCents: number; severity: Severity }[] = [];
  for (const fromCents of [...froms].toSorted((a, b) => a - b)) {
    const worth = { knownCents: BigInt(fromCents), unknown: null, compared: true };
    const { severity } = assess(hits, { stage: "included", policy, worth });
    if (ladder.at(-1)?.severity !== severity) ladder.push({ fromCents, severity });
  }
  return ladder;
}
