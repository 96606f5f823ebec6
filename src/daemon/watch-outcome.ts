/** What people are told of their acts. */
import type { Applied } from "../store/watch-apply.ts";
import type { ListChange } from "../types/watch-change.ts";
import type { Decision } from "../watchlist/change-rules.ts";
import type { HygieneFinding } from "../watchlist/hygiene.ts";
import type { RecentTouches } from "./recent-touches.ts";
import type { Place } from "./watch-entry.ts";

export interface Found extends Place {
  /** What a person should know before it is watched. */
  readonly findings: readonly HygieneFinding[];
}

export interface Preview {
  readonly places: readonly (Found & {
    /** What other lists say about this address. */
    readonly known: readonly { list: string; chain: string; role: string; label: string; default: string }[];
  })[];
  /** Of the last 24 hours: from stored hits, and from our own nodes where they can tell cheaply. */
  readonly reach: RecentTouches;
  readonly decision: Decision;
}

/** What became of an act. */
export type Outcome =
  | ({
      readonly done: "applied" | "recorded";
      readonly entries: readonly string[];
      readonly live: readonly Live[];
    } & Ids)
  | ({ readonly done: "proposed"; readonly because: string; readonly entries: readonly string[] } & Ids)
  | ({ readonly done: "rejected" } & Ids);

interface Ids {
  readonly proposalId: string | null;
  readonly changeHash: string;
}

/** From which block on every block of a chain is matched with the change; null: the chain was never followed. */
export interface Live {
  readonly chain: string;
  readonly fromBlock: number | null;
}

export function outcomeOf(
  applied: Applied,
  change: ListChange,
  done: "applied" | "recorded",
): Extract<Outcome, { done: "applied" | "recorded" }> {
  const chains = [...new Set(change.entries.map(({ after, before }) => (after ?? before)?.chain as string))];
  return {
    done,
    entries: change.entries.map(({ entryId }) => entryId),
    live: chains.map((chain) => ({ chain, fromBlock: applied.joinAt.get(chain) ?? null })),
    proposalId: null,
    changeHash: applied.changeHash,
  };
}

const NAMED_MAX = 3;

/** The first of them, for a sentence. */
export function named(entryIds: readonly string[]): string {
  const first = entryIds.slice(0, NAMED_MAX).join(", ");
  return entryIds.length > NAMED_MAX ? `${first} and ${entryIds.length - NAMED_MAX} more` : first;
}
