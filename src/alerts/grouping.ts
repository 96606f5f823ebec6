/**
 * Which alerts are told one by one and which together. Pure: says what an alert counts for; the store counts.
 * Everything is stored either way. Rules and numbers: docs/alerts.md, Grouping.
 *
 * Severity is part of every key: a thousand harmless alerts never use up what a severe one is told by.
 */
import type { Grouping, GroupAsk, Severity } from "../types/alert.ts";
import type { Hit } from "../types/hit.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Own addresses that one entry touches within an hour before the others are told together. */
const FAN_OUT_MAX = 20;
/** Alerts of one party and one incident within an hour before the others are told together. */
const REPEAT_MAX = 5;
/** Sanctioned contact below 100 USD is told together from the first. */
const SMALL_USD_CENTS = 10_000n;

export interface Groupable {
  /** Told ones, in the order of the transaction. Not empty. */
  readonly hits: readonly Hit[];
  readonly subject: string;
  readonly severity: Severity;
  /** Null: unknown. */
  readonly usdCents: bigint | null;
  readonly isFirst: boolean;
  readonly sinks: readonly string[];
}

export function groupingOf({ hits, subject, severity, usdCents, isFirst, sinks }: Groupable): Grouping {
  const first = hits[0] as Hit;
  const asset = first.transfer.assetId;
  const amount = hits.reduce((sum, { transfer }) => (transfer.assetId === asset ? sum + transfer.amount : sum), 0n);
  return {
    sinks,
    asks: asksOf({ hits, subject, severity, usdCents }),
    isFirst,
    subject,
    asset,
    amount,
    usdCents,
    mayStandOut: severity !== "info" && first.asset.listed,
  };
}

function asksOf({ hits, subject, severity, usdCents }: Omit<Groupable, "isFirst" | "sinks">): GroupAsk[] {
  const { matches, own, chain } = hits[0] as Hit;
  const match = matches[0] as Hit["matches"][number];
  const { entry } = match;
  const hour = { windowMs: HOUR_MS, isUrgent: true } as const;
  if (severity === "info" && hits.every(isNoise))
    return [
      {
        rule: "noise",
        key: `noise ${chain}`,
        about: `dust and unlisted tokens on ${chain}`,
        limit: 0,
        counts: "alerts",
        windowMs: DAY_MS,
        isUrgent: false,
      },
    ];
  const isSanctioned = hits.some((hit) => hit.matches.some((one) => one.entry.sanctioned !== null));
  if (isSanctioned && own !== null && isSmall(hits, usdCents))
    return [
      {
        ...hour,
        rule: "smallSanctioned",
        key: `smallSanctioned ${entry.id}`,
        about: `${entry.label} (${entry.address}), below 100 USD each`,
        limit: 0,
        counts: "alerts",
      },
    ];
  const repeat: GroupAsk = {
    ...hour,
    rule: "repeat",
    key: `repeat ${severity} ${entry.incident} ${chain} ${subject} ${severity === "critical" ? entry.address : ""}`,
    about: `${subject}, ${entry.incident}`,
    limit: REPEAT_MAX,
    counts: "alerts",
  };
  if (own === null) return [repeat];
  const fanOut: GroupAsk = {
    ...hour,
    rule: "fanOut",
    key: `fanOut ${severity} ${entry.id}`,
    about: `${entry.label} (${entry.address})`,
    limit: FAN_OUT_MAX,
    counts: "subjects",
  };
  return [fanOut, repeat];
}

/** Worth so little, or so easily made, that nobody is called for one of them. */
function isNoise({ transfer, asset }: Hit): boolean {
  return !asset.listed || isDust({ transfer, asset });
}

function isDust({ transfer, asset }: Pick<Hit, "transfer" | "asset">): boolean {
  return transfer.amount < asset.dustBelow;
}

/** Where the value is unknown, only dust is known to be small. */
function isSmall(hits: readonly Hit[], usdCents: bigint | null): boolean {
  return usdCents === null ? hits.every(isDust) : usdCents < SMALL_USD_CENTS;
}
