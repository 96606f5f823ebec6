/** How alerts are judged, as far as an operator may change it. The default is docs/alerts.md. */
import type { Action, Severity } from "./alert.ts";
import type { EntryRole } from "./watch.ts";

/** Who says so, as columns of the policy table. */
export const SAYERS = ["sanctions", "official", "researchers", "researcher", "explorer"] as const;
export type Sayer = (typeof SAYERS)[number];

export interface Verdict {
  readonly severity: Severity;
  readonly action: Action;
}

export interface PolicyOverride extends Verdict {
  readonly role: EntryRole;
  /** Never sanctions: what a sanctions list says is not for the operator to weigh. */
  readonly saidBy: Exclude<Sayer, "sanctions">;
}

export interface Policy {
  /** The least score of each severity; below `low` it is info. */
  readonly severityFrom: Readonly<Record<Exclude<Severity, "info">, number>>;
  /** Points by value: the last step whose `fromUsd` is reached counts. Ascending, the first at 0. */
  readonly amountSteps: readonly { readonly fromUsd: number; readonly points: number }[];
  /** Advice is never to hold what is worth no more than this. */
  readonly holdAboveUsd: number;
  /** Cells of the table that the operator fills otherwise. */
  readonly overrides: readonly PolicyOverride[];
}

export const DEFAULT_POLICY: Policy = {
  severityFrom: { critical: 80, high: 60, medium: 40, low: 20 },
  amountSteps: [
    { fromUsd: 0, points: 0 },
    { fromUsd: 10, points: 5 },
    { fromUsd: 100, points: 12 },
    { fromUsd: 1_000, points: 20 },
    { fromUsd: 10_000, points: 28 },
    { fromUsd: 100_000, points: 34 },
    { fromUsd: 1_000_000, points: 40 },
  ],
  holdAboveUsd: 100,
  overrides: [],
};

/** Which alerts a sink gets that is named in `to`. Every list that is given must have the alert's value; not given: any. */
export interface Route {
  readonly to: readonly string[];
  readonly minSeverity?: Severity | undefined;
  readonly kinds?: readonly string[] | undefined;
  readonly actions?: readonly Action[] | undefined;
  readonly incidents?: readonly string[] | undefined;
  /** CAIP-2. */
  readonly chains?: readonly string[] | undefined;
  /** Customer references; a `*` at the end stands for any rest. */
  readonly customers?: readonly string[] | undefined;
}
