/** What is missing before an item may be called clear. Pure. */
import type { ChainStanding, GapCode, ListStanding, ScreenFacts, TransactionStanding } from "../types/screening.ts";

/** In the order in which they are told. Empty: nothing is missing. */
export function gapsOf({ invalid, chain, lists, transaction, tracesWanted, now }: ScreenFacts): GapCode[] {
  if (invalid !== null) return [invalid];
  if (chain === "noAdapter" || chain === "notConfigured") return [chain, ...ofLists(lists)];
  const ofItem =
    transaction === null ? ofAddress(chain, { lists, now }) : ofTransaction(transaction, { chain, tracesWanted });
  return [...new Set([...ofItem, ...ofLists(lists)])];
}

function ofLists({ stale, revision, storeRevision }: ListStanding): GapCode[] {
  return chosen([
    ["listStale", stale.length > 0],
    ["listsBehind", revision < storeRevision],
  ]);
}

/** An address is clear as of the chain's tip: everything up to there was scanned, and with these lists. */
function ofAddress(chain: ChainStanding, { lists, now }: { lists: ListStanding; now: number }): GapCode[] {
  const { covered, headNumber, lagBlocksMax, tipAgeMsMax, holes, listVersions, trouble, trust, pastScans } = chain;
  if (!chain.followed || covered === null) return ["notFollowed"];
  return chosen([
    ["chainTrouble", trouble !== null],
    ["lagging", headNumber === null || headNumber - covered.to > lagBlocksMax],
    ["headStands", now - covered.toTime > tipAgeMsMax],
    ["coverageHole", holes > 0],
    // What a new entry touched in blocks that are not final is stored once they were matched again.
    ["rematching", listVersions.some((version) => version !== lists.version)],
    ["quorumLost", trust.configured - trust.missing.length < trust.quorum || trust.agreed < trust.quorum],
    ["disputed", trust.disputed],
    ["notProven", !trust.proven],
    // Any listed address may have paid this one in blocks that are still being read.
    ["retroScanRunning", pastScans > 0],
  ]);
}

/**
 * A transaction was read from its proven block and matched with these lists: what other blocks hold, and scans of the past,
 * say nothing more about it. Its chain has to be watched all the same: a reorg would take it away, and nobody would tell.
 */
function ofTransaction(
  transaction: TransactionStanding,
  { chain, tracesWanted }: { chain: ChainStanding; tracesWanted: boolean },
): GapCode[] {
  const { gap, block } = transaction;
  if (gap !== null || block === null) return [gap ?? "notSeenYet"];
  return chosen([
    ["notFollowed", !chain.followed],
    ["quorumLost", block.operators.length < chain.trust.quorum],
    ["notProven", !block.proven],
    ["notTraced", tracesWanted && !block.traced],
  ]);
}

function chosen(conditions: readonly (readonly [GapCode, boolean])[]): GapCode[] {
  return conditions.flatMap(([code, holds]) => (holds ? [code] : []));
}
