/** What every hit shares: who is watched on a side of a transfer, its ids, and whether it is told or only recorded. */
import { assert } from "../lib/assert.ts";
import { alertIdOf, hitIdOf } from "../lib/ids.ts";
import { endOfEntry } from "../lib/moments.ts";
import type { Address, Asset, ChainId, Transfer } from "../types/chain.ts";
import type { EntryMatch, Hit, RecordedOnly, Side } from "../types/hit.ts";
import type { TokenList } from "../types/tokens.ts";
import { MUTE_WORDS, type WatchEntry, type Watchlist } from "../types/watch.ts";

export interface MatchContext {
  readonly chain: ChainId;
  readonly watchlist: Watchlist;
  readonly tokens: TokenList;
  /** When what is matched moved, Unix seconds. Absent: not known, so that no entry counts as over. */
  readonly at?: number;
}

export type OwnSide = NonNullable<Hit["own"]>;

export interface HitParts {
  readonly transfer: Transfer;
  readonly matches: readonly EntryMatch[];
  readonly own: OwnSide | null;
  readonly subject: Address;
}

/** An address by which entries name a side of a transfer. */
export interface Place {
  readonly side: Side;
  readonly address: Address;
  /** Of entries of the transfer's own chain. */
  readonly basis: EntryMatch["basis"];
}

/** Entries that name the transfer's sender or recipient. */
export function matchesOf(transfer: Transfer, context: MatchContext): EntryMatch[] {
  return placesOf(transfer).flatMap((place) => matchesAt(place, context));
}

export function placesOf(transfer: Transfer): Place[] {
  return (["from", "to"] as const).flatMap((side): Place[] => {
    const address = transfer[side];
    if (address === null) return [];
    const others = (transfer.equivalent ?? []).map((other) => ({
      side,
      address: other,
      basis: "keyEquivalent" as const,
    }));
    return [{ side, address, basis: "exact" }, ...others];
  });
}

export function matchesAt(
  { side, address, basis }: Place,
  {
    chain,
    watchlist,
    at,
  }: Pick<MatchContext, "chain" | "at"> & { watchlist: Pick<Watchlist, "entriesOf" | "incidents"> },
): EntryMatch[] {
  const entries = watchlist.entriesOf(chain, address);
  return (side === "from" ? entries.filter(isWatchedAsSender) : entries).map((entry) => ({
    side,
    entry,
    incident: watchlist.incidents.get(entry.incident) ?? null,
    basis: entry.chain === chain ? basis : "sameKey",
    ...endedOf(entry, at),
  }));
}

/** By when it moved, not by when it is matched: what a daemon reads late is told as on its day. */
function endedOf(entry: WatchEntry, at: number | undefined): Pick<EntryMatch, "ended"> {
  return at !== undefined && at * 1_000 >= endOfEntry(entry) ? { ended: true } : {};
}

/** A custodial address pays out other people's money: only what reaches it says something. */
function isWatchedAsSender({ direction }: WatchEntry): boolean {
  return direction !== "to_only";
}

/** `matches` is not empty. */
export function hitOf(
  { transfer, matches, own, subject }: HitParts,
  { chain, tokens, at }: Pick<MatchContext, "chain" | "tokens" | "at">,
): Hit {
  assert(matches.length > 0, "a hit matches an entry");
  const asset = tokens.assetOf(transfer.assetId);
  return {
    hitId: hitIdOf({ chain, txHash: transfer.txHash, key: transfer.key }),
    alertId: alertIdOf({ chain, txHash: transfer.txHash, subject }),
    chain,
    transfer,
    asset,
    matches,
    own,
    subject,
    ...(at === undefined ? {} : { at }),
    recordedOnly: recordedOnly({ transfer, asset, matches, ownTouched: own !== null }),
  };
}

interface Telling {
  readonly transfer: Transfer;
  readonly asset: Asset;
  readonly matches: readonly EntryMatch[];
  readonly ownTouched: boolean;
}

/** Which hits are only recorded; the rules of docs/line.md, Match. First rule wins. */
export function recordedOnly({ transfer, asset, matches, ownTouched }: Telling): RecordedOnly | null {
  const { category, amount } = transfer;
  // Delegations and new contracts are told for what they are; a revoked approval is an approval of zero.
  if (category === "delegation" || category === "creation") return null;
  if (amount === 0n) {
    return {
      rule: "zeroValue",
      reason: "No value moved: anyone can make a token log a transfer of zero in another's name.",
    };
  }
  if (!asset.listed && (category === "wrap" || matches.every((match) => match.side === "to"))) {
    return {
      rule: "unlistedToken",
      reason: "A token outside the token list reached a watched address: anyone can send one.",
    };
  }
  // The most a spender may take is no amount that moved: small allowances are told.
  const sanctioned = matches.some((match) => match.entry.sanctioned !== null);
  if (category !== "approval" && amount < asset.dustBelow && !sanctioned && !ownTouched) {
    return {
      rule: "dust",
      reason: `Less than the dust limit of ${asset.dustBelow} base units, and no own address is touched.`,
    };
  }
  // Last: what is recorded for its entries alone is told once they tell again.
  const current = matches.filter(({ ended }) => ended === undefined);
  const [first] = current;
  if (first === undefined)
    return { rule: "entryEnded", reason: `The entry was valid until ${matches[0]?.entry.validUntil}.` };
  if (first.entry.muted !== undefined && current.every(({ entry }) => entry.muted !== undefined))
    return { rule: "entryMuted", reason: `The entry is ${MUTE_WORDS[first.entry.muted.why]}.` };
  return null;
}
