/** What a fold remembers between two runs, and what it needs to know around it. */
import type { RetractionReason, Severity, Stage } from "../types/alert.ts";
import type { BlockTrust } from "../types/chain.ts";
import type { Hit, HitBlock, Replacement } from "../types/hit.ts";
import type { Policy, Route } from "../types/policy.ts";

export type HitStatus = "pending" | "included" | "disputed" | "removed" | "final";

export interface HitStanding {
  readonly hit: Hit;
  /** Null until it was in a block. */
  readonly block: HitBlock | null;
  readonly trust: BlockTrust;
  readonly late: boolean;
  /** Found by a scan of the past: `fresh` where somebody can still act on it. Absent: found live. */
  readonly retroactive?: "fresh" | "history";
  readonly status: HitStatus;
}

/** What the fold remembers between two runs. */
export interface AlertState {
  readonly hits: ReadonlyMap<string, HitStanding>;
  readonly retractedAt: number | null;
  readonly retraction: RetractionReason | null;
  /** The transaction that took this one's place, while this one does not stand. */
  readonly replacedBy: Replacement | null;
  /** The transaction whose place this one took. */
  readonly replaces: Replacement | null;
  /** Core of the last revision made; empty before the first. */
  readonly lastCore: string;
  readonly lastStage: Stage | null;
  /** Sinks that were told of it, by name; absent in what older versions stored. */
  readonly sentTo?: readonly string[];
  /** What older versions stored in its place: all sinks were told. */
  readonly wasSent?: boolean;
}

export interface FoldContext {
  /** Display names of chains by id. */
  readonly chainName: (id: string) => string;
  readonly operatorsConfigured: (chain: string) => number;
  /** Sinks that get alerts, and which of them gets what. */
  readonly sinks: readonly string[];
  /** Of these, those that take alerts of a group together. */
  readonly groupingSinks: ReadonlySet<string>;
  /** Those that are not told what is no news. */
  readonly newsSinks: ReadonlySet<string>;
  readonly routes: readonly Route[];
  readonly policy: Policy;
  /** Alerts below this are stored, not sent. */
  readonly minSeverity: Severity;
  readonly encode: (state: AlertState) => string;
  readonly decode: (text: string) => AlertState;
}
