/** The score of followed funds that reach an own address: four parts that add up, then caps; docs/flow.md, Score. Pure. */
import type { Severity } from "../types/alert.ts";
import { DEFAULT_POLICY, type Policy } from "../types/policy.ts";
import { amountPoints, severityOfScore } from "./policy.ts";

/** Who says where the funds were stolen. */
export type OriginConfidence = "official" | "vendor" | "community" | "heuristic";

export interface Exposure {
  /** Of the stolen part. */
  readonly usdCents: bigint;
  readonly shareBps: number;
  readonly hop: number;
  readonly confidence: OriginConfidence;
  /** The origin is on a sanctions list. */
  readonly sanctioned: boolean;
  /** A link on the way is a guess: a bridge order without a key, a mixer's withdrawal that an analyst matched. */
  readonly unconfirmedLink: boolean;
}

export interface ExposureScore {
  readonly amount: number;
  readonly share: number;
  readonly proximity: number;
  readonly confidence: number;
  readonly total: number;
  readonly severity: Severity;
}

const CONFIDENCE: Record<OriginConfidence, number> = { official: 10, vendor: 7, community: 4, heuristic: 0 };
const UNCONFIRMED_MAX = 59;
const SMALL_CENTS = 1_000n;
const SMALL_MAX = 19;
/** Direct contact with a sanctioned address, from this many cents on. */
const SANCTIONED_FROM_CENTS = 100n;
const SANCTIONED_MIN = 80;

export function scoreExposure(of: Exposure, policy: Policy = DEFAULT_POLICY): ExposureScore {
  const parts = {
    amount: amountPoints(of.usdCents, policy),
    share: sharePoints(of.shareBps),
    proximity: proximityPoints(of.hop),
    confidence: CONFIDENCE[of.confidence],
  };
  const sum = parts.amount + parts.share + parts.proximity + parts.confidence;
  const total = capped(sum, of);
  return { ...parts, total, severity: severityOfScore(total, policy) };
}

function capped(sum: number, { usdCents, unconfirmedLink, sanctioned, hop }: Exposure): number {
  if (sanctioned && hop === 1 && usdCents >= SANCTIONED_FROM_CENTS) return Math.max(sum, SANCTIONED_MIN);
  const confirmed = unconfirmedLink ? Math.min(sum, UNCONFIRMED_MAX) : sum;
  return usdCents < SMALL_CENTS ? Math.min(confirmed, SMALL_MAX) : confirmed;
}

export function sharePoints(bps: number): number {
  if (bps >= 5_000) return 20;
  if (bps >= 1_000) return 14;
  if (bps >= 100) return 7;
  return bps >= 10 ? 3 : 0;
}

export function proximityPoints(hop: number): number {
  if (hop <= 1) return 30;
  if (hop <= 3) return 24;
  if (hop <= 6) return 18;
  return hop <= 12 ? 12 : 6;
}
