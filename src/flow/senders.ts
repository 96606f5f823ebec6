/** Who pays stolen funds on, and to how many: suspected services (BND-4), inferred deposit addresses (SVC-2). */
import type { Address, AssetId } from "../types/chain.ts";
import type { FlowSender } from "../types/flow.ts";
import { bookTask, senderKeyOf } from "./ledger.ts";
import { endPosition } from "./positions.ts";
import { type BlockWork, labelOf } from "./work.ts";

export function isSuspected({ ledger, chain }: BlockWork, address: Address | null): address is Address {
  return address !== null && ledger.rows.senders.get(senderKeyOf(chain, address))?.suspected === true;
}

/** SVC-2: `exchange` is the labelled exchange that was paid; null: somebody else was. */
export function noteReceiver(work: BlockWork, sender: Address, exchange: string | null): void {
  const row = senderOf(work, sender);
  const same = exchange !== null && (row.exchange ?? exchange) === exchange && !row.paidElsewhere;
  putSender(work, same ? { ...row, exchange } : { ...row, exchange: null, paidElsewhere: true });
}

export function exceedsFanout(work: BlockWork, sender: Address, receiver: string): boolean {
  if (isCounted(work, sender, receiver)) return false;
  return senderOf(work, sender).receivers >= work.rules.maxFanout && labelOf(work, sender)?.kind !== "wallet";
}

export function countReceiver(work: BlockWork, sender: Address, receiver: string): void {
  if (isCounted(work, sender, receiver)) return;
  const row = senderOf(work, sender);
  work.ledger.rows.receivers.set(pairKeyOf(work, sender, receiver), true);
  putSender(work, { ...row, receivers: row.receivers + 1 });
}

/** Ends all that the sender still holds. The payment that made it suspect is booked by its caller. */
export function suspect(work: BlockWork, sender: Address, paid: { asset: AssetId; tainted: bigint }): void {
  const { ledger, chain, block } = work;
  putSender(work, { ...senderOf(work, sender), suspected: true });
  bookTask(ledger, { kind: "suspectedService", chain, about: sender, ...paid, block: block.number });
  for (const key of ledger.holdings.of(chain, sender)) {
    const left = ledger.rows.positions.get(key);
    if (left !== undefined) endPosition(work, left, { kind: "suspectedService", ref: sender });
  }
}

function isCounted(work: BlockWork, sender: Address, receiver: string): boolean {
  return receiver === sender || work.ledger.rows.receivers.get(pairKeyOf(work, sender, receiver)) !== undefined;
}

function pairKeyOf({ chain }: BlockWork, sender: Address, receiver: string): string {
  return `${chain}|${sender}|${receiver}`;
}

function senderOf({ ledger, chain }: BlockWork, address: Address): FlowSender {
  return (
    ledger.rows.senders.get(senderKeyOf(chain, address)) ?? {
      chain,
      address,
      receivers: 0,
      suspected: false,
      exchange: null,
      paidElsewhere: false,
    }
  );
}

function putSender({ ledger }: BlockWork, row: FlowSender): void {
  ledger.rows.senders.set(senderKeyOf(row.chain, row.address), row);
}
