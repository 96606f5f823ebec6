/** Amounts and sentences for people. Token symbols come from the token list only; labels are stripped of control characters where they enter. */
import { type Asset, CALLDATA_KEY, type UtxoSummary } from "../types/chain.ts";
import { nameFrom } from "../lib/outside-text.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import type { RetractionReason, Stage } from "../types/alert.ts";

// The longest of the shipped incidents that people know by its name.
const INCIDENT_CHARS_MAX = 64;

/** Base units as a decimal number without trailing zeros; null when the decimals are unknown. */
export function formatAmount(amount: bigint, decimals: number | null): string | null {
  if (decimals === null) return null;
  if (decimals === 0) return amount.toString();
  const digits = amount.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, -decimals);
  const fraction = digits.slice(-decimals).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

export function describeAmount(amount: bigint, asset: Asset): string {
  const decimal = formatAmount(amount, asset.decimals);
  const symbol = asset.symbol === null ? null : nameFrom(asset.symbol);
  if (!asset.listed) return `${amount} base units of an unlisted token`;
  return decimal === null ? `${amount} base units of ${symbol ?? "a token"}` : `${decimal} ${symbol ?? "units"}`;
}

/** Whole cents with thousands marked: `12,345.60 USD`. */
export function formatUsd(cents: bigint): string {
  const digits = cents.toString().padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}.${digits.slice(-2)} USD`;
}

/** An amount with its value, where it is known. */
function describeWorth(amount: bigint, asset: Asset, cents: bigint | null): string {
  const text = describeAmount(amount, asset);
  return cents === null ? text : `${text} (${formatUsd(cents)})`;
}

function worthOfHit({ transfer, asset, value }: Hit): string {
  return describeWorth(transfer.amount, asset, value?.usdCents ?? null);
}

/** One sentence: what moved, between whom, why it matters. The customer's reference is not in it: chat rooms read it. */
export function summarize(
  hits: readonly Hit[],
  of: { stage: Stage; disputed: boolean; retraction: RetractionReason | null; wasMined: boolean },
): string {
  const first = hits[0];
  if (first === undefined) throw new Error("assertion failed: an alert has at least one hit");
  const { stage, disputed, retraction, wasMined } = of;
  const more =
    first.transfer.utxo === undefined && hits.length > 1
      ? ` (and ${hits.length - 1} more transfer${hits.length > 2 ? "s" : ""} in this transaction)`
      : "";
  const sentence = `${first.transfer.utxo === undefined ? sentenceOf(first) : describeUtxo(hits, first.transfer.utxo)}${more}.`;
  if (retraction === "recomputed" && !wasMined) return `Withdrawn, ${NOT_DONE}: ${sentence}`;
  if (retraction !== null) return `Withdrawn, ${WITHDRAWN[retraction]}: ${sentence}`;
  if (stage !== "pending") return sentence;
  return disputed
    ? `Disputed between nodes, not in an agreed block: ${sentence}`
    : `Waiting in the mempool, not in a block yet: ${sentence}`;
}

const WITHDRAWN: Record<RetractionReason, string> = {
  reorg: "the transaction left the chain",
  replaced: "another transaction took its place",
  dropped: "the transaction is gone from the mempool",
  recomputed: "the lists of today do not tell it any more",
  entryWithdrawn: "the entry was taken off its list",
};

/** It was only ever told as pending. */
const NOT_DONE = "the transaction is in a block and did not do it";

/** What happened, without the full stop. */
function sentenceOf(hit: Hit): string {
  const from = party(hit, "from");
  const to = party(hit, "to");
  if (hit.transfer.key === CALLDATA_KEY) return askedFor(hit, { from, to });
  switch (hit.transfer.category) {
    case "approval":
      return `${from} allowed ${to} to take ${describeAmount(hit.transfer.amount, hit.asset)}`;
    case "delegation":
      return `${from} signed a delegation of its account to the code of ${to}`;
    case "creation":
      return `${from} created the contract ${to}`;
    case "withdrawal":
      return `${worthOfHit(hit)} of staked coins were paid out to ${to}`;
    case "reward":
      return `${worthOfHit(hit)} of block fees went to ${to}`;
    default:
      return `${worthOfHit(hit)} moved from ${from} to ${to}`;
  }
}

/** A pending call's own words: whether the token will do it, nobody knows before it is executed. */
function askedFor(hit: Hit, { from, to }: { from: string; to: string }): string {
  const amount = worthOfHit(hit);
  return hit.transfer.category === "approval"
    ? `a call asks to allow ${to} to take ${amount} from ${from}`
    : `a call asks to move ${amount} from ${from} to ${to}`;
}

/** What a UTXO transaction did to the party the alert is about; change, where it is certain, left out. */
function describeUtxo(hits: readonly Hit[], utxo: UtxoSummary): string {
  const first = hits[0] as Hit;
  const payer = hits.find(({ matches }) => matches.some(({ side }) => side === "from"));
  const reached = hits.filter(({ transfer }) => transfer.to !== null && transfer.change !== true);
  const paid = reached.filter(({ transfer, own }) => own?.side === "to" && own.address.address === transfer.to);
  if (payer !== undefined && paid.length > 0)
    return `${sumOf(paid)} moved from ${senderOf(payer, utxo)} to ${party(paid[0] as Hit, "to")}`;
  if (payer !== undefined) {
    const away = utxo.outputs.amount - utxo.outputs.changeAmount;
    const amount = away === 0n ? utxo.outputs.amount : away;
    const moved = describeWorth(amount, first.asset, centsLike(hits, amount));
    return `${moved} moved from ${senderOf(payer, utxo)} to ${recipientsOf(hits, utxo)}`;
  }
  const told = reached.length === 0 ? hits : reached;
  return `${sumOf(told)} moved from ${sendersOf(first, utxo)} to ${told.length === 1 ? party(told[0] as Hit, "to") : `${party(told[0] as Hit, "to")} and ${others(told.length - 1, "watched output")}`}`;
}

function sumOf(hits: readonly Hit[]): string {
  const { asset } = hits[0] as Hit;
  const amount = hits.reduce((sum, { transfer }) => sum + transfer.amount, 0n);
  return describeWorth(amount, asset, centsLike(hits, amount));
}

/** Cents of an amount of the hits' own coin, by the largest of them: there rounding weighs least. */
function centsLike(hits: readonly Hit[], amount: bigint): bigint | null {
  const [first, ...rest] = hits as readonly [Hit, ...Hit[]];
  const largest = rest.reduce((a, b) => (b.transfer.amount > a.transfer.amount ? b : a), first);
  const cents = largest.value?.usdCents ?? null;
  return cents === null || largest.transfer.amount === 0n ? null : (cents * amount) / largest.transfer.amount;
}

/** The watched sender, and how many other inputs there are. */
function senderOf(hit: Hit, { inputs }: UtxoSummary): string {
  const { from } = hit.transfer;
  const match = hit.matches.find(({ side }) => side === "from") as EntryMatch;
  const address = from ?? match.entry.address;
  const name = `${address} (${labelOf(match)})`;
  return inputs.count === 1 ? name : `${name} and ${others(inputs.count - 1, "input")}`;
}

/** Who paid a watched address. */
function sendersOf(hit: Hit, { inputs }: UtxoSummary): string {
  const [first] = inputs.first;
  if (hit.own?.side === "from") {
    const { wallet, address } = hit.own.address;
    return `your ${wallet} address ${address}`;
  }
  if (inputs.count === 0) return "a new coinbase";
  if (first === undefined)
    return `${inputs.count} input${inputs.count === 1 ? "" : "s"} whose owners are not known yet`;
  return inputs.count === 1 ? first.address : `${first.address} and ${others(inputs.count - 1, "input")}`;
}

/** Whom a watched address paid: change left out where it is certain. */
function recipientsOf(hits: readonly Hit[], { outputs }: UtxoSummary): string {
  const recipients = outputs.first.filter(({ change }) => change !== true);
  const [first] = recipients;
  if (first === undefined) return outputs.count === 1 ? "itself" : "its own addresses";
  const hit = hits.find(({ transfer }) => transfer.key === `vout:${first.index}`);
  const name = hit === undefined ? first.address : party(hit, "to");
  const changes = outputs.first.length - recipients.length;
  const more = outputs.count - changes - 1;
  return more === 0 ? name : `${name} and ${others(more, "output")}`;
}

function others(count: number, what: string): string {
  return `${count} other ${what}${count === 1 ? "" : "s"}`;
}

function party(hit: Hit, side: "from" | "to"): string {
  // Only inputs and outputs lack a side, and they are told as a whole.
  const address = hit.transfer[side] as string;
  if (hit.own?.side === side) return `your ${hit.own.address.wallet} address ${address}`;
  const match = hit.matches.find((one) => one.side === side);
  if (match === undefined) return address;
  return `${address} (${labelOf(match)})`;
}

function labelOf({ entry, incident, basis }: EntryMatch): string {
  const disputed = incident?.disputed === true ? ", attribution disputed" : "";
  // Names that lists of others brought: in a sentence that people act on they stay names.
  const name = nameFrom(incident?.name ?? entry.incident, INCIDENT_CHARS_MAX);
  return `${name}: ${nameFrom(entry.label)}${disputed}${howMatched(entry, basis)}`;
}

function howMatched({ chain, address }: EntryMatch["entry"], basis: EntryMatch["basis"]): string {
  if (basis === "exact") return "";
  return basis === "sameKey" ? `, same account as listed on ${chain}` : `, same key as ${address}`;
}
