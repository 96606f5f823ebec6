/**
 * Block x Watchlist -> Hit[]. Pure.
 *
 * Always holds: every transfer whose sender or recipient is watched gives exactly one hit, whatever its amount or
 * token. What is not worth telling is stored all the same, with the rule and the reason (`recordedOnly`).
 */
import type { Asset, Block, ChainId, Transfer } from "../types/chain.ts";
import type { EntryMatch, Hit, RecordedOnly, Side } from "../types/hit.ts";
import type { TokenList } from "../types/tokens.ts";
import type { OwnAddress, Watchlist } from "../types/watch.ts";
import { alertIdOf, hitIdOf } from "../lib/ids.ts";

export interface MatchContext {
  readonly chain: ChainId;
  readonly watchlist: Watchlist;
  readonly tokens: TokenList;
}

export function matchBlock(block: Block, context: MatchContext): Hit[] {
  return matchTransfers(block.transfers, context);
}

/** The same for transfers that are in no block (yet). */
export function matchTransfers(transfers: readonly Transfer[], context: MatchContext): Hit[] {
  const hits: Hit[] = [];
  for (const transfer of transfers) {
    const matches = matchesOf(transfer, context);
    if (matches.length > 0) hits.push(hitOf(transfer, matches, context));
  }
  return hits;
}

function matchesOf(transfer: Transfer, { chain, watchlist }: MatchContext): EntryMatch[] {
  const matches: EntryMatch[] = [];
  for (const side of ["from", "to"] as const) {
    for (const entry of watchlist.entriesOf(chain, transfer[side])) {
      // A custodial address pays out other people's money: only what reaches it says something.
      if (side === "from" && entry.direction === "to_only") continue;
      matches.push({ side, entry, incident: watchlist.incidents.get(entry.incident) ?? null, basis: "exact" });
    }
  }
  return matches;
}

function hitOf(transfer: Transfer, matches: readonly EntryMatch[], { chain, watchlist, tokens }: MatchContext): Hit {
  const own = ownSide(matches, {
    from: watchlist.ownOf(chain, transfer.from),
    to: watchlist.ownOf(chain, transfer.to),
  });
  const watchedSide: Side = matches.some((match) => match.side === "from") ? "from" : "to";
  const subject = own?.address.address ?? transfer[watchedSide];
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
    recordedOnly: recordedOnly({ transfer, asset, matches, ownTouched: own !== null }),
  };
}

/** The own address the alert is about: the one opposite the watched address, so a customer is named, not the thief. */
function ownSide(matches: readonly EntryMatch[], own: { from: OwnAddress | null; to: OwnAddress | null }): Hit["own"] {
  const preferred: Side = matches.some((match) => match.side === "from") ? "to" : "from";
  for (const side of [preferred, preferred === "to" ? "from" : "to"] as const) {
    const address = own[side];
    if (address !== null) return { side, address };
  }
  return null;
}

interface Telling {
  readonly transfer: Transfer;
  readonly asset: Asset;
  readonly matches: readonly EntryMatch[];
  readonly ownTouched: boolean;
}

/** Which hits are only recorded; the rules of docs/line.md, Match. First rule wins. */
function recordedOnly({ transfer, asset, matches, ownTouched }: Telling): RecordedOnly | null {
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
  return null;
}
