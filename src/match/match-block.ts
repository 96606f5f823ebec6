/**
 * Block x Watchlist -> Hit[]. Pure.
 *
 * Always holds: every transfer whose sender or recipient is watched gives exactly one hit, whatever its amount or
 * token. What is not worth telling is stored all the same, with the rule and the reason (`recordedOnly`).
 */
import type { Block, Transfer } from "../types/chain.ts";
import type { Hit } from "../types/hit.ts";
import { type HitParts, hitOf, type MatchContext, matchesOf, type OwnSide } from "./hit-of.ts";
import { isUtxo, matchUtxo } from "./match-utxo.ts";

export type { MatchContext } from "./hit-of.ts";

export function matchBlock(block: Block, context: MatchContext): Hit[] {
  return matchTransfers(block.transfers, { ...context, at: block.timestamp });
}

/** The same for transfers that are in no block (yet). */
export function matchTransfers(transfers: readonly Transfer[], context: MatchContext): Hit[] {
  const hits: Hit[] = [];
  const utxo = transfers.filter(isUtxo);
  for (const transfer of utxo.length === 0 ? transfers : transfers.filter((one) => !isUtxo(one))) {
    const matches = matchesOf(transfer, context);
    if (matches.length > 0) hits.push(hitOf(partsOf(transfer, matches, context), context));
  }
  for (const ofTransaction of Map.groupBy(utxo, ({ txHash }) => txHash).values())
    hits.push(...matchUtxo(ofTransaction, context));
  return hits;
}

function partsOf(
  transfer: Transfer,
  matches: HitParts["matches"],
  { chain, watchlist }: Pick<MatchContext, "chain" | "watchlist">,
): HitParts {
  const owner = (side: "from" | "to") => {
    const address = transfer[side];
    return address === null ? null : watchlist.ownOf(chain, address);
  };
  const own = ownSide(matches, { from: owner("from"), to: owner("to") });
  const watchedSide = matches.some((match) => match.side === "from") ? "from" : "to";
  return { transfer, matches, own, subject: own?.address.address ?? (transfer[watchedSide] as string) };
}

/** The own address the alert is about: the one opposite the watched address, so a customer is named, not the thief. */
function ownSide(
  matches: HitParts["matches"],
  own: { from: OwnSide["address"] | null; to: OwnSide["address"] | null },
): OwnSide | null {
  const preferred = matches.some((match) => match.side === "from") ? "to" : "from";
  for (const side of [preferred, preferred === "to" ? "from" : "to"] as const) {
    const address = own[side];
    if (address !== null) return { side, address };
  }
  return null;
}
