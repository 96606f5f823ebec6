/**
 * One block on top of a ledger: transactions by their index whatever order they come in (ORD-1), inside a transaction by
 * the rules of its kind. Changes rows of the block's own chain only, and reads nothing but the ledger and the block.
 */
import type { FlowBlock } from "../types/flow-block.ts";
import type { FlowIncident } from "../types/flow.ts";
import { applyCoins } from "./coins.ts";
import { bookTask, type Ledger, positionKeyOf } from "./ledger.ts";
import { balanceOf, emptyPosition, putPosition, settleBalances, topUp } from "./positions.ts";
import { applyTransaction, touches } from "./transfers.ts";
import { type BlockWork, openWork, type OriginIndex } from "./work.ts";

export function applyBlock(of: {
  ledger: Ledger;
  incident: FlowIncident;
  origins: OriginIndex;
  block: FlowBlock;
}): void {
  const work = openWork(of);
  const { block } = of;
  startBalances(work);
  if (block.kind === "utxo") {
    for (const tx of inOrder(block.transactions)) applyCoins(work, block, tx);
  } else if (block.transactions.some((tx) => touches(work, tx))) {
    // Most blocks touch nobody.
    for (const tx of inOrder(block.transactions)) applyTransaction(work, tx);
    settleBalances(work);
  }
  closeBlock(work);
}

function inOrder<T extends { readonly index: number }>(transactions: readonly T[]): readonly T[] {
  return transactions.toSorted((a, b) => a.index - b.index);
}

/** ORG-2: what an address has at the start of this block is stolen. */
function startBalances(work: BlockWork): void {
  const { origins, chain, block, ledger } = work;
  for (const origin of origins.balances) {
    if (origin.chain !== chain || origin.block !== block.number) continue;
    for (const asset of origin.assets) {
      const at = { address: origin.address, asset };
      const { amount, basis } = balanceOf(work, at);
      if (basis === "observed")
        bookTask(ledger, {
          kind: "balanceUnknown",
          chain,
          about: origin.address,
          asset,
          tainted: 0n,
          block: block.number,
        });
      const key = positionKeyOf({ chain, holder: origin.address, asset });
      const held = ledger.rows.positions.get(key) ?? { ...emptyPosition(work, at), basis };
      const topped = topUp(work, held, amount, origin.via);
      if (topped !== held) putPosition(work, topped);
    }
  }
}

/** BND-5: above the budget small new positions are not opened any more, from the next block of this chain on. */
function closeBlock(work: BlockWork): void {
  const { ledger, chain, block, at, rules } = work;
  const { number, hash } = block;
  // One step at the budget, and one more for each further tenth of it.
  const steps = Math.floor((ledger.positionsOn(chain) * 10) / rules.positionsMax) - 9;
  const floorLevel = Math.max(work.floorLevel, steps);
  if (floorLevel > work.floorLevel)
    bookTask(ledger, { kind: "floorRaised", chain, about: chain, asset: "", tainted: 0n, block: number });
  ledger.rows.chains.set(chain, { chain, number, hash, keyTime: at, floorLevel });
}
