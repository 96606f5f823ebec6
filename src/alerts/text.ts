/** Amounts and sentences for people. Token symbols come from the token list only; labels are stripped of control characters where they enter. */
import { type Asset, CALLDATA_KEY } from "../types/chain.ts";
import type { Hit } from "../types/hit.ts";
import type { RetractionReason, Stage } from "../types/alert.ts";

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
  if (!asset.listed) return `${amount} base units of an unlisted token`;
  return decimal === null
    ? `${amount} base units of ${asset.symbol ?? "a token"}`
    : `${decimal} ${asset.symbol ?? "units"}`;
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
    hits.length > 1 ? ` (and ${hits.length - 1} more transfer${hits.length > 2 ? "s" : ""} in this transaction)` : "";
  const sentence = `${sentenceOf(first)}${more}.`;
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
      return `${describeAmount(hit.transfer.amount, hit.asset)} of staked coins were paid out to ${to}`;
    case "reward":
      return `${describeAmount(hit.transfer.amount, hit.asset)} of block fees went to ${to}`;
    default:
      return `${describeAmount(hit.transfer.amount, hit.asset)} moved from ${from} to ${to}`;
  }
}

/** A pending call's own words: whether the token will do it, nobody knows before it is executed. */
function askedFor(hit: Hit, { from, to }: { from: string; to: string }): string {
  const amount = describeAmount(hit.transfer.amount, hit.asset);
  return hit.transfer.category === "approval"
    ? `a call asks to allow ${to} to take ${amount} from ${from}`
    : `a call asks to move ${amount} from ${from} to ${to}`;
}

function party(hit: Hit, side: "from" | "to"): string {
  const address = hit.transfer[side];
  if (hit.own?.side === side) return `your ${hit.own.address.wallet} address ${address}`;
  const match = hit.matches.find((one) => one.side === side);
  if (match === undefined) return address;
  const incident = match.incident?.name ?? match.entry.incident;
  const disputed = match.incident?.disputed === true ? ", attribution disputed" : "";
  return `${address} (${incident}: ${match.entry.label}${disputed})`;
}
