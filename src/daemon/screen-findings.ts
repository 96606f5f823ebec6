/** What is known against a transaction or an address beside the lists: its transfers, and alerts that are stored. Pure. */
import { assess } from "../alerts/assess.ts";
import { summarize } from "../alerts/text.ts";
import { matchTransfers } from "../match/match-block.ts";
import type { Exposure, KnownAlert, StoredHit } from "../store/screen-facts.ts";
import { ACTIONS, SEVERITIES } from "../types/alert.ts";
import type { ChainId } from "../types/chain.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import type { Policy } from "../types/policy.ts";
import type { Finding } from "../types/screening.ts";
import type { TokenList } from "../types/tokens.ts";
import type { Watchlist } from "../types/watch.ts";
import { isUndecided } from "./screen-lookup.ts";
import type { ReadTransaction } from "./screen-transaction.ts";

export interface TransactionContext {
  readonly chain: ChainId;
  readonly watchlist: Watchlist;
  readonly tokens: TokenList;
  readonly policy: Policy;
}

/** One finding for each party that its alerts are about, and one for each transfer that is only recorded. */
export function findingsOfTransaction(
  read: ReadTransaction,
  context: TransactionContext,
): { findings: Finding[]; matches: EntryMatch[] } {
  const hits = hitsNow(read, context);
  const told = hits.filter(({ hit }) => hit.recordedOnly === null || hit.promoted === true);
  const parties = [...Map.groupBy(told, ({ hit }) => hit.alertId).values()];
  const recorded = hits.flatMap(({ hit }) => (hit.promoted === true || hit.recordedOnly === null ? [] : [hit]));
  return {
    findings: [...parties.map((party) => findingOf(party, context.policy)), ...recorded.map(findingOfRecorded)],
    matches: hits.flatMap(({ hit }) => hit.matches),
  };
}

function findingOfRecorded({ recordedOnly, matches }: Hit): Finding {
  const isOpen = recordedOnly?.rule === "entryMuted" && matches.some(isUndecided);
  return { code: "transfer", severity: "info", action: isOpen ? "review" : "none", text: recordedOnly?.reason ?? "" };
}

/**
 * Where its block was read, the transfers matched with these lists are the truth, and the store adds what they were worth;
 * else what the store holds is all there is.
 */
function hitsNow({ transfers, standing, hits }: ReadTransaction, context: TransactionContext): readonly StoredHit[] {
  if (standing.gap !== null) return hits;
  const stored = new Map(hits.map((one) => [one.hit.hitId, one]));
  return matchTransfers(transfers, { ...context, at: standing.block.timestamp }).map((hit) => {
    const before = stored.get(hit.hitId);
    const { value, promoted } = before?.hit ?? {};
    const known = { ...(value === undefined ? {} : { value }), ...(promoted === undefined ? {} : { promoted }) };
    return { hit: { ...hit, ...known }, state: before?.state ?? "included" };
  });
}

function findingOf(party: readonly StoredHit[], policy: Policy): Finding {
  const hits: readonly Hit[] = party.map(({ hit }) => hit);
  const disputed = party.some(({ state }) => state === "disputed");
  const stage = disputed || party.every(({ state }) => state === "pending") ? "pending" : "included";
  const { severity, action, score } = assess(hits, { stage, disputed, policy });
  const sentence = summarize(hits, { stage, disputed, retraction: null, wasMined: stage === "included" });
  return { code: "transfer", severity, action, text: [sentence, ...score.caps].join(" ") };
}

/** Somebody on no list who dealt with a listed address: a person looks, nothing is held for it alone. */
export function findingsOfExposure(exposure: Exposure | null): Finding[] {
  const standing = (exposure?.alerts ?? []).filter(({ stage }) => stage !== "retracted");
  const telling = standing.filter(({ action }) => action !== "none");
  const [strongest] = telling.toSorted((a, b) => weightOf(b) - weightOf(a));
  if (strongest === undefined) return [];
  const count = `${telling.length}${exposure?.isCut === true ? " or more" : ""}`;
  const text = `${count} stored ${telling.length === 1 ? "alert names" : "alerts name"} this address, the worst is ${strongest.alertId}`;
  return [{ code: "exposed", severity: strongest.severity ?? "medium", action: "review", text }];
}

/** One that is not folded yet may be anything. */
function weightOf({ action, severity }: KnownAlert): number {
  return ACTIONS.indexOf(action ?? "hold") * SEVERITIES.length + SEVERITIES.indexOf(severity ?? "critical");
}
