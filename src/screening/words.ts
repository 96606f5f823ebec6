/** Why something is unknown, and what to do, as a person reads it. Pure. */
import type { ChainStanding, GapCode, ScreenFacts } from "../types/screening.ts";

type Words = (facts: ScreenFacts) => string;

const WORDS: Readonly<Record<GapCode, Words>> = {
  invalidAddress: () => "this is not an address of that chain, or its checksum is wrong: look where it was copied from",
  invalidTransaction: () => "this is not the hash of a transaction of that chain",
  noAdapter: () => "no adapter reads this chain: its transfers are not watched, only the lists were looked at",
  notConfigured: () =>
    "this chain is not in the configuration: its transfers are not watched, only the lists were looked at",
  notFollowed: () => "no daemon follows this chain (yet): start one, or wait until it has scanned its first block",
  chainTrouble: withChain(({ trouble }) => `the chain does not move here: ${trouble ?? "unknown trouble"}`),
  lagging: withChain(({ headNumber, covered }) =>
    headNumber === null
      ? "no node tells how far the chain is"
      : `scanned up to block ${covered?.to ?? "none"}, the chain is at ${headNumber}: ask again once it has caught up`,
  ),
  headStands: withChain(
    ({ covered }) => `no new block since ${timeOf(covered?.toTime ?? 0)}: the nodes may be cut off from the chain`,
  ),
  coverageHole: withChain(({ holes }) =>
    holes > 0
      ? `${holes} ${holes === 1 ? "block was" : "blocks were"} not scanned, heistwatch coverage names them: that is a bug, report it`
      : "the block of this transaction was not scanned",
  ),
  listStale: ({ lists }) => `${lists.stale.join("; ")}: import the current version`,
  listsBehind: () => "the lists were just changed and are not in force here yet: ask again in a second",
  rematching: () =>
    "the lists were just changed, the newest blocks are being matched with them: ask again in a few seconds",
  quorumLost: withChain(({ trust: { quorum, missing, agreed } }) =>
    missing.length > 0
      ? `${quorum} operators must agree, and ${missing.join(", ")} ${missing.length === 1 ? "does" : "do"} not answer`
      : `${quorum} operators must agree, the newest blocks were named by ${agreed}`,
  ),
  disputed: () => "operators name different blocks: nothing is certain until they agree",
  notProven: () => "the block's content was not recomputed against its hash",
  retroScanRunning: withChain(
    ({ pastScans }) =>
      `the past of listed addresses is being read (${pastScans} ${pastScans === 1 ? "scan" : "scans"}, heistwatch retro list): what they did then is not known yet`,
  ),
  notSeenYet: () => "no own node knows this transaction: wait until it is in a block, or name its block",
  inMempool: () => "in no block yet: a transaction that waits may be replaced. Ask again once it is in a block",
  notScannedYet: () => "its block was not scanned yet: ask again in a few seconds",
  otherBlock: () => "the nodes now name another block at that height than was scanned: ask again in a few seconds",
  movesNothing: () => "the block holds no movement of value by this transaction: name the right block, or look by hand",
  notTraced: () =>
    "value moved inside contract calls was not looked for: use a node that traces, or set traces: off for this chain and accept it",
  nodeUnavailable: () => "no own node gave its block in time: ask again",
};

export function gapText(code: GapCode, facts: ScreenFacts): string {
  const detail = facts.transaction !== null && facts.transaction.gap === code ? facts.transaction.detail : "";
  return detail === "" ? WORDS[code](facts) : `${WORDS[code](facts)} (${detail})`;
}

function withChain(words: (chain: ChainStanding) => string): Words {
  return ({ chain }) => (typeof chain === "string" ? chain : words(chain));
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
