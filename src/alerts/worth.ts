/** What an alert's transfers are worth together, as far as anybody can say. Pure. */
import { RIGHTS } from "../types/chain.ts";
import type { Hit, Side } from "../types/hit.ts";

export interface Worth {
  /** Of the transfers whose value is known, whole cents. */
  readonly knownCents: bigint;
  /** Why the value of one or more of them is not known; null: all are. Empty: nobody looked. */
  readonly unknown: string | null;
  /** Every price was held against another one. */
  readonly compared: boolean;
}

/**
 * All legs summed, so that a payment in many small parts counts as the one it is; of what comes in and what goes out the
 * larger one, so that a swap does not count twice. Rights move nothing, and strangers' tokens are worth nothing that could
 * be told: they count only where there is nothing else.
 */
export function worthOf(hits: readonly Hit[]): Worth {
  const moved = hits.filter(({ transfer, asset }) => !RIGHTS.includes(transfer.category) && asset.listed);
  const ofOwn = moved.filter(isOwnLeg);
  const legs = ofOwn.length > 0 ? ofOwn : moved;
  if (legs.length === 0) return { knownCents: 0n, unknown: reasonOf(hits), compared: true };
  const sum = { from: 0n, to: 0n };
  for (const leg of legs) sum[sideOf(leg)] += leg.value?.usdCents ?? 0n;
  return {
    knownCents: sum.from > sum.to ? sum.from : sum.to,
    unknown: legs.every(({ value }) => value?.usdCents != null) ? null : reasonOf(legs),
    compared: legs.every(({ value }) => value === undefined || value.usdCents === null || value.comparedWith !== null),
  };
}

/** Cents that may lower an outcome: all of it is known, by prices that were compared. Null: they may not. */
export function surelyWorth({ knownCents, unknown, compared }: Worth): bigint | null {
  return unknown === null && compared ? knownCents : null;
}

/** The own address itself pays or is paid: not another input or output of its transaction. */
function isOwnLeg({ own, transfer }: Hit): boolean {
  return own !== null && transfer[own.side] === own.address.address;
}

function sideOf({ own, transfer, matches }: Hit): Side {
  if (transfer.category === "input") return "from";
  if (transfer.category === "output") return "to";
  return own?.side ?? (matches.some(({ side }) => side === "from") ? "from" : "to");
}

function reasonOf(hits: readonly Hit[]): string {
  for (const { value } of hits) if (value?.usdCents === null) return value.why;
  return "";
}
