/**
 * What must be asked of a node before a block can be followed (ACC-1, CNV-1): balances of those who pay out of what may be
 * stolen, and which addresses are contracts. Never too little; a few too many where a block's own payments make new holders.
 */
import type { Address, AssetId } from "../types/chain.ts";
import type { AccountBlock, AccountTransaction } from "../types/flow-block.ts";
import { endOfLabel, isMachine } from "./labels.ts";
import type { FlowEngine } from "./engine.ts";
import { touches } from "./transfers.ts";
import { type BlockWork, isHolder, isOwn, labelOf, openWork } from "./work.ts";

export interface BlockNeeds {
  /** Balances at the end of the previous block. */
  readonly anchors: readonly { readonly address: Address; readonly asset: AssetId }[];
  /** Has it code? */
  readonly contracts: readonly Address[];
}

/** `block`: as it will be applied, without anchors and contracts. Both empty: it can be applied as it is. */
export function needsOf({ incident, ledger, origins }: FlowEngine, block: AccountBlock): BlockNeeds {
  const work = openWork({ ledger, incident, origins, block });
  const anchors = new Map<string, { address: Address; asset: AssetId }>();
  const contracts = new Set<Address>();
  /** Who may hold something by the end of this block. */
  const reached = new Set<Address>();
  const holds = (address: Address | null): address is Address =>
    address !== null && (reached.has(address) || isHolder(work, address));
  const need = (address: Address | null, asset: AssetId) => {
    if (holds(address)) anchors.set(`${address}|${asset}`, { address, asset });
  };
  for (const { chain, block: number, address, assets } of origins.balances) {
    if (chain !== block.chain || number !== block.number) continue;
    reached.add(address);
    for (const asset of assets) need(address, asset);
  }
  for (const tx of block.transactions.toSorted((a, b) => a.index - b.index)) {
    if (!touches(work, tx) && !paysFrom(tx, holds)) continue;
    for (const { from, to } of tx.ok ? tx.legs : []) {
      for (const address of [from, to]) if (address !== null) contracts.add(address);
      const isTheft = origins.transactions.has(`${block.chain}|${tx.hash}`);
      if (to !== null && mayHold(work, to, isTheft)) reached.add(to);
    }
    if (tx.fee !== null) need(tx.fee.payer, tx.fee.asset);
    for (const { from, to, asset } of tx.ok ? tx.legs : []) {
      need(from, asset);
      // With the other methods what was there before counts for who receives, too.
      if (incident.rules.method !== "haircut") need(to, asset);
    }
  }
  return { anchors: [...anchors.values()], contracts: [...contracts] };
}

function paysFrom(tx: AccountTransaction, holds: (address: Address | null) => boolean): boolean {
  return tx.legs.some(({ from }) => holds(from)) || (tx.fee !== null && holds(tx.fee.payer));
}

/** Not where the trail ends anyway: an exchange's wallet pays hundreds in a block. A machine holds only what a theft paid it. */
function mayHold(work: BlockWork, address: Address, isTheft: boolean): boolean {
  const label = labelOf(work, address);
  return !isOwn(work, address) && endOfLabel(label) === null && (isTheft || !isMachine(label));
}
