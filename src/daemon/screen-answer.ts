/** A screening answer as it leaves, and as it is kept: amounts and times as text. */
import { isoOf, watchEntryOf } from "../alerts/body.ts";
import type { AlertData } from "../alerts/body-schema.ts";
import type { KnownAlert } from "../store/screen-facts.ts";
import type { Action, Severity } from "../types/alert.ts";
import type { EntryMatch } from "../types/hit.ts";
import type {
  Asked,
  ChainStanding,
  ScreenDecision,
  ScreenReason,
  ScreenVerdict,
  TransactionBlock,
} from "../types/screening.ts";
import type { EntryMute } from "../types/watch.ts";
import type { Standings } from "./screen-standing.ts";

export interface ScreenAnswer {
  readonly answerId: string;
  /** ISO 8601, as all times here. */
  readonly at: string;
  readonly askedBy: string;
  /** The strongest of the items. */
  readonly verdict: ScreenVerdict;
  readonly lists: AnswerLists;
  /** Each chain asked about once. */
  readonly chains: readonly AnswerChain[];
  /** In the order asked. */
  readonly items: readonly AnswerItem[];
}

export interface AnswerLists {
  /** Of the lists that the whole answer was made with. */
  readonly version: string;
  readonly revision: number;
  readonly fresh: boolean;
  /** Those with a maximum age. */
  readonly aged: Standings["freshness"]["lists"];
}

export interface AnswerChain {
  readonly chain: string;
  readonly configured: boolean;
  readonly followed: boolean;
  readonly readAt: string | null;
  /** Blocks scanned live. */
  readonly covered: { readonly from: number; readonly to: number; readonly toTime: string } | null;
  readonly headNumber: number | null;
  readonly holes: number;
  readonly pastScans: number;
  readonly trust: {
    readonly operators: number;
    readonly quorum: number;
    readonly missing: readonly string[];
    readonly disputed: boolean;
    readonly proven: boolean;
    readonly traced: boolean;
  } | null;
}

export type AnswerWatch = AlertData["watch"][number] & {
  readonly validFrom: string | null;
  readonly validUntil: string | null;
  readonly muted: EntryMute["why"] | null;
};

export interface AnswerItem {
  /** As asked. */
  readonly chain: string;
  readonly address?: string;
  readonly direction?: string;
  readonly usdCents?: string | null;
  readonly transaction?: string;
  /** The address or transaction as its chain writes it; null: it is none. */
  readonly canonical: string | null;
  readonly verdict: ScreenVerdict;
  readonly severity: Severity | null;
  readonly action: Action;
  readonly reasons: readonly ScreenReason[];
  readonly watch: readonly AnswerWatch[];
  readonly watchTotal: number;
  readonly exposure: { readonly alerts: readonly KnownAlert[]; readonly more: boolean };
  /** The block a transaction was read from. */
  readonly block?: { readonly number: number; readonly hash: string; readonly timestamp: string } | null;
}

// As in an alert.
const WATCH_MAX = 8;

export function chainOf(chain: string, standing: ChainStanding | undefined): AnswerChain {
  const { covered = null, trust = null } = standing ?? {};
  return {
    chain,
    configured: standing !== undefined,
    followed: standing?.followed ?? false,
    readAt: standing === undefined ? null : isoOf(standing.readAt),
    covered: covered === null ? null : { from: covered.from, to: covered.to, toTime: isoOf(covered.toTime) },
    headNumber: standing?.headNumber ?? null,
    holes: standing?.holes ?? 0,
    pastScans: standing?.pastScans ?? 0,
    trust:
      trust === null
        ? null
        : {
            operators: trust.configured,
            quorum: trust.quorum,
            missing: trust.missing,
            disputed: trust.disputed,
            proven: trust.proven,
            traced: trust.traced,
          },
  };
}

export interface ItemParts {
  readonly asked: Asked;
  readonly canonical: string | null;
  readonly decision: ScreenDecision;
  readonly matches: readonly EntryMatch[];
  readonly alerts: readonly KnownAlert[];
  readonly hasMoreAlerts: boolean;
  readonly block: TransactionBlock | null;
}

export function itemOf({ asked, canonical, decision, matches, alerts, hasMoreAlerts, block }: ItemParts): AnswerItem {
  const watch = watchOf(matches);
  return {
    ...askedOf(asked),
    canonical,
    ...decision,
    watch: watch.slice(0, WATCH_MAX),
    watchTotal: watch.length,
    exposure: { alerts, more: hasMoreAlerts },
    ...("transaction" in asked ? { block: block === null ? null : blockOf(block) } : {}),
  };
}

function askedOf(asked: Asked): Pick<AnswerItem, "chain" | "address" | "direction" | "usdCents" | "transaction"> {
  if ("transaction" in asked) return { chain: asked.chain, transaction: asked.transaction };
  const { chain, address, direction, usdCents } = asked;
  return { chain, address, direction, usdCents: usdCents?.toString() ?? null };
}

/** Each entry once and side, as an alert names it, and how long it holds. */
function watchOf(matches: readonly EntryMatch[]): AnswerWatch[] {
  const entries = new Map<string, AnswerWatch>();
  for (const match of matches) {
    const { validFrom = null, validUntil = null, muted } = match.entry;
    entries.set(`${match.side} ${match.entry.id}`, {
      ...watchEntryOf(match),
      validFrom,
      validUntil,
      muted: muted?.why ?? null,
    });
  }
  return [...entries.values()];
}

function blockOf({ number, hash, timestamp }: TransactionBlock): NonNullable<AnswerItem["block"]> {
  return { number, hash, timestamp: isoOf(timestamp * 1_000) };
}
