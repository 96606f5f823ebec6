/**
 * Orders to bridges (BRG). The chain an order leaves writes its row, the chain it arrives on writes what it paid; neither
 * writes the other's, so that the state does not depend on which of the two is read first. How an order stands is worked
 * out from both.
 */
import type { AssetId, ChainId } from "../types/chain.ts";
import type { BridgeEvent } from "../types/flow-block.ts";
import type { EdgeNode, Handoff } from "../types/flow.ts";
import { apportion } from "./arithmetic.ts";
import type { Delivery } from "./delivery.ts";
import { recordAnnounced } from "./hits.ts";
import { bookEnd, bookTask, type Ledger } from "./ledger.ts";
import { addEdge, type BlockWork } from "./work.ts";

// BRG-6
const EXPIRES_AFTER_S = 7 * 86_400;

export function handoffNode(key: string, asset: AssetId): EdgeNode {
  return { holder: `handoff:${key}`, address: null, asset };
}

/** BRG-1: a stolen payment into a bridge becomes an order, or one for each order that names it. */
export function openHandoffs(work: BlockWork, delivery: Delivery): void {
  const { orders, amount, tainted } = delivery;
  const told = orders.map((order) => order.amount ?? 0n);
  // Where one does not say what it is worth, none is believed more than another.
  const amounts = apportion(amount, told.every((one) => one > 0n) ? told : orders.map(() => 1n));
  const taints = apportion(tainted, amounts);
  for (const [at, order] of orders.entries())
    openHandoff(work, delivery, { order, amount: amounts[at] ?? 0n, tainted: taints[at] ?? 0n });
}

function openHandoff(
  work: BlockWork,
  delivery: Delivery,
  { order, amount, tainted }: { order: BridgeEvent; amount: bigint; tainted: bigint },
): void {
  const { ledger, chain, block, at, tx } = work;
  const { asset, senderHop, steps, basis } = delivery;
  if (tainted === 0n) return;
  const known = ledger.rows.handoffs.get(order.key);
  // One order paid by several payments of its transaction. Anything else under its key is no order we can follow.
  if (known !== undefined && (known.tx !== tx.hash || known.chain !== chain || known.asset !== asset)) {
    bookEnd(ledger, { chain, asset, kind: "bridgeUnresolved", ref: order.bridge, tainted });
    bookTask(ledger, { kind: "bridgeUnresolved", chain, about: order.key, asset, tainted, block: block.number });
    return;
  }
  const handoff: Handoff = {
    key: order.key,
    bridge: order.bridge,
    chain,
    asset,
    tx: tx.hash ?? "",
    block: block.number,
    at,
    amount: (known?.amount ?? 0n) + amount,
    tainted: (known?.tainted ?? 0n) + tainted,
    hop: Math.min(known?.hop ?? senderHop, senderHop),
    steps: Math.min(known?.steps ?? steps, steps),
    basis: known?.basis === "observed" ? "observed" : basis,
    destination: order.destination ?? null,
    refunded: 0n,
    refunds: 0,
  };
  ledger.rows.handoffs.set(order.key, handoff);
  const edge = addEdge(work, {
    kind: "handoff",
    from: delivery.from,
    to: handoffNode(order.key, asset),
    amount,
    tainted,
    hop: senderHop,
    ...(delivery.joined === undefined ? {} : { joined: delivery.joined }),
    ...(delivery.via === undefined ? {} : { via: delivery.via }),
  });
  announce(work, handoff, edge);
}

function announce(work: BlockWork, handoff: Handoff, edge: string): void {
  const { destination } = handoff;
  if (destination?.address == null || !work.incident.names.isOwn(destination.chain, destination.address)) return;
  const { chain, address } = destination;
  recordAnnounced(work, handoff, { chain, address, asset: destination.keyless?.asset ?? "", edge });
}

export type HandoffStatus = "pending" | "matched" | "refunded" | "expired" | "outOfScope";

/** How an order stands, `now` in Unix seconds. */
export function statusOf(
  ledger: Ledger,
  handoff: Handoff,
  of: { now: number; isFollowed: (chain: ChainId) => boolean },
): HandoffStatus {
  if (ledger.deliveriesOf.has("", handoff.key)) return "matched";
  if (handoff.refunds > 0) return "refunded";
  if (handoff.destination !== null && !of.isFollowed(handoff.destination.chain)) return "outOfScope";
  return of.now > handoff.at + EXPIRES_AFTER_S ? "expired" : "pending";
}

/** Where the taint of an order is in the books of its chain. The three always sum to all of it that was not given back. */
export function bookedOf(ledger: Ledger, handoff: Handoff): { pending: bigint; convOut: bigint; bridgeFee: bigint } {
  const left = handoff.tainted - handoff.refunded;
  if (ledger.deliveriesOf.has("", handoff.key)) return { pending: 0n, convOut: left, bridgeFee: 0n };
  if (handoff.refunds > 0) return { pending: 0n, convOut: 0n, bridgeFee: left };
  return { pending: left, convOut: 0n, bridgeFee: 0n };
}
