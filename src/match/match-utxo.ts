/**
 * One UTXO transaction x Watchlist -> Hit[]. Pure.
 *
 * All inputs together pay all outputs: nobody can say which paid which. So an own address that is paid by a transaction
 * with a watched input is touched, whatever else went in; and one transaction gives one alert per affected party:
 *
 * - each own address that is paid (change that returns to it aside) by a transaction with a watched input;
 * - else the first own address that pays, when a watched address is paid;
 * - else the first watched address that pays; else each watched address that is paid.
 *
 * Watched inputs, and outputs to others, belong to the first of these parties.
 */
import { assert } from "../lib/assert.ts";
import type { Transfer, TransferCategory } from "../types/chain.ts";
import { ENTRY_BASES } from "../types/watch.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import { hitOf, type MatchContext, matchesOf, type OwnSide } from "./hit-of.ts";

const UTXO: ReadonlySet<TransferCategory> = new Set(["input", "output"]);

export function isUtxo({ category }: Transfer): boolean {
  return UTXO.has(category);
}

// A consolidation of 260 watched coins that pays 300 customers would repeat 78,000 entries; the inputs' own hits have
// them all. The strongest come first, so that no alert is told weaker.
const SENDERS_MAX = 16;

/** `transfers`: all inputs and outputs of one transaction, in order. */
export function matchUtxo(transfers: readonly Transfer[], context: MatchContext): Hit[] {
  const parts = transfers.map((transfer) => ({ transfer, matches: reachedOf(transfer, context) }));
  if (parts.every(({ matches }) => matches.length === 0)) return [];
  const senders = strongestOf(parts.flatMap(({ transfer, matches }) => (transfer.category === "input" ? matches : [])));
  const paid = senders.length === 0 ? [] : transfers.flatMap((transfer) => ownRecipient(transfer, context) ?? []);
  const paying = transfers.flatMap((transfer) => ownSender(transfer, context) ?? []);
  const party = paid[0] ?? paying[0] ?? null;
  const firstSender = parts.find(({ transfer, matches }) => transfer.category === "input" && matches.length > 0);
  const hits: Hit[] = [];
  for (const { transfer, matches } of parts) {
    const recipient = senders.length === 0 ? null : ownRecipient(transfer, context);
    const all = recipient === null ? matches : [...senders, ...matches];
    if (all.length === 0) continue;
    const own = recipient ?? party;
    const subject = own?.address.address ?? firstSender?.transfer.from ?? transfer.from ?? transfer.to;
    assert(subject !== null, "an input has a sender, an output a recipient");
    hits.push(hitOf({ transfer, matches: all, own, subject }, context));
  }
  return hits;
}

function reachedOf(transfer: Transfer, context: MatchContext): EntryMatch[] {
  return matchesOf(transfer, context).filter((match) => isReached(transfer, match));
}

/** Change reaches nobody who did not have it: it says nothing about an address that is watched as a recipient only. */
export function isReached({ change }: Transfer, { entry }: EntryMatch): boolean {
  return change !== true || entry.direction !== "to_only";
}

function ownRecipient({ to, change }: Transfer, { chain, watchlist }: MatchContext): OwnSide | null {
  const address = to === null || change === true ? null : watchlist.ownOf(chain, to);
  return address === null ? null : { side: "to", address };
}

function ownSender({ from }: Transfer, { chain, watchlist }: MatchContext): OwnSide | null {
  const address = from === null ? null : watchlist.ownOf(chain, from);
  return address === null ? null : { side: "from", address };
}

/** Each entry once, the ones that weigh most first: those that tell at all, sanctioned, exact, then by who says so. */
export function strongestOf(matches: readonly EntryMatch[]): EntryMatch[] {
  const byEntry = new Map<string, EntryMatch>();
  for (const match of matches) {
    const known = byEntry.get(match.entry.id);
    if (known === undefined || known.basis !== "exact") byEntry.set(match.entry.id, match);
  }
  return [...byEntry.values()].toSorted((a, b) => weightOf(a) - weightOf(b)).slice(0, SENDERS_MAX);
}

function weightOf({ entry, basis, ended }: EntryMatch): number {
  const listed = entry.sanctioned === null ? ENTRY_BASES.length : 0;
  // Entries that are over or muted must not crowd out the one that tells.
  const quiet = ended === true || entry.muted !== undefined ? 2 * ENTRY_BASES.length : 0;
  return 2 * (quiet + listed + ENTRY_BASES.indexOf(entry.basis)) + (basis === "exact" ? 0 : 1);
}
