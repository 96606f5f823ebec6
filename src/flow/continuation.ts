/** UTX-4: which outputs only go on with what the payer has, and so count as no hop. Amounts never depend on it. */
import type { UtxoOutput, UtxoTransaction } from "../types/flow-block.ts";
import { spendableOf } from "./coinjoin.ts";
import { endOfLabel } from "./labels.ts";
import { type BlockWork, isOwn, labelOf } from "./work.ts";

/** How many times the other one an output must be to be what is left after a payment. */
const REST_FACTOR = 4n;

export function continuations(work: BlockWork, tx: UtxoTransaction): Set<number> {
  const payers = new Set(tx.inputs.flatMap(({ address }) => address ?? []));
  const orders = new Set(tx.bridge.flatMap(({ direction, legs }) => (direction === "out" ? legs : [])));
  const isAway = ({ address }: UtxoOutput, index: number) =>
    isOwn(work, address) || endOfLabel(labelOf(work, address)) !== null || orders.has(`vout:${index}`);
  const spendable = spendableOf(tx);
  const found = new Set(spendable.flatMap(({ output, index }) => (payers.has(output.address ?? "") ? [index] : [])));
  const [first, second] = spendable;
  if (first === undefined || second === undefined || spendable.length > 2) return found;
  const isOnePayer = payers.size === 1 && tx.inputs.every(({ address }) => address !== null);
  for (const [one, other] of [[first, second] as const, [second, first] as const]) {
    if (isAway(one.output, one.index)) continue;
    const isRest = isOnePayer && one.output.amount >= REST_FACTOR * other.output.amount;
    if (isAway(other.output, other.index) || isRest) found.add(one.index);
  }
  return found;
}
