/** What a bundle says beside its proof, as sentences for a person. Pure. */
import type { BundleParts } from "./bundle.ts";

/** Everything that is true only as far as whoever signed is believed. */
export function saidSentences(parts: BundleParts, isBlockPinned: boolean): string[] {
  return [
    ...parts.lacks,
    ...partySentences(parts),
    ...chainSentences(parts, isBlockPinned),
    "Everything else is the signer's word: who the parties are, the list entries and their sources, the customer reference, symbols and decimals of assets, prices, messages, deliveries, and what people did.",
  ];
}

/** Parties on the other side of a UTXO transaction that no transfer of the bundle shows there. */
function partySentences({ transfers }: BundleParts): string[] {
  const shown = (side: "from" | "to") => new Set(transfers.map((transfer) => transfer[side]));
  const sides = { from: shown("from"), to: shown("to") };
  const named = transfers.flatMap((transfer) => [
    ...(transfer.own === null ? [] : [{ transfer, side: transfer.own.side, address: transfer.own.address }]),
    ...transfer.matches
      .filter(({ basis }) => basis !== "keyEquivalent")
      .map(({ side, entry }) => ({ transfer, side, address: entry.address })),
  ]);
  const told = named.filter(({ transfer, side, address }) => transfer[side] === null && !sides[side].has(address));
  const lines = told.map(
    ({ side, address }) =>
      `That ${address} is among the transaction's ${side === "from" ? "inputs" : "outputs"} is told: no transfer here shows it.`,
  );
  return [...new Set(lines)];
}

function chainSentences({ alert, block, trust }: BundleParts, isBlockPinned: boolean): string[] {
  if (block === null) return ["The transaction was in no block when this was made: nothing of it had happened."];
  const { operators, missing, disputing, configured } = trust;
  const named =
    operators.length === 0
      ? "Nobody is said to have named this block."
      : `That this block is of ${alert.chain.name} (${alert.chain.id}), and of no branch that was left, is the word of ${operators.join(", ")} (${operators.length} of ${configured} operators asked), as told by the signer.`;
  return [
    ...(alert.stage === "retracted" ? ["The alert was taken back: what it told does not stand (any more)."] : []),
    isBlockPinned ? `${named} You gave the block's hash yourself: it is this one.` : `${named} ${CHECK_HASH}`,
    ...(missing.length === 0 ? [] : [`${missing.join(", ")} did not answer about it.`]),
    ...(disputing.length === 0 ? [] : [`${disputing.join(", ")} named another block in its place.`]),
  ];
}

const CHECK_HASH =
  "Look the hash up at a node or explorer of your choice, or give it: heistwatch evidence verify FILE --block-hash HASH.";
