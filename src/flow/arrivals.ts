/** What bridges pay (BRG-2, BRG-5, BRG-6): a payment that an order of this ledger explains carries its part on. */
import type { Address, AssetId } from "../types/chain.ts";
import type { BridgeEvent } from "../types/flow-block.ts";
import type { Handoff, HandoffDelivery } from "../types/flow.ts";
import { smaller } from "./arithmetic.ts";
import { deliver } from "./deliver.ts";
import { handoffNode } from "./handoffs.ts";
import { bookTotals } from "./ledger.ts";
import { lotsOf } from "./lots.ts";
import type { BlockWork } from "./work.ts";

// BRG-6
const MATCH_WINDOW_S = 86_400;

/** A payment in a transaction: a leg, or an output. */
export interface Paid {
  readonly key: string;
  readonly to: Address | null;
  readonly asset: AssetId;
  readonly amount: bigint;
}

/** The order a payment belongs to. */
export interface Arrival {
  readonly handoff: Handoff;
  readonly direction: BridgeEvent["direction"];
  readonly link: HandoffDelivery["link"];
}

/** The payments of a transaction that known orders explain, by their key. */
export function arrivalsOf(
  work: BlockWork,
  events: readonly BridgeEvent[],
  payments: readonly Paid[],
): Map<string, Arrival> {
  const { handoffs } = work.ledger.rows;
  const arrivals = new Map<string, Arrival>();
  for (const { direction, key, legs } of events) {
    const handoff = handoffs.get(key);
    if (direction === "out" || handoff === undefined) continue;
    for (const leg of legs) arrivals.set(leg, { handoff, direction, link: "exact" });
  }
  for (const paid of payments) {
    const handoff = arrivals.has(paid.key) ? null : keylessOf(work, paid);
    if (handoff !== null) arrivals.set(paid.key, { handoff, direction: "in", link: "heuristic" });
  }
  return arrivals;
}

/** BRG-6: the one order that no event will name and that this payment fits; null: none, or several. */
function keylessOf({ ledger, chain, at }: BlockWork, paid: Paid): Handoff | null {
  if (paid.to === null || !ledger.keyless.has(chain, paid.to)) return null;
  const fitting = [...ledger.keyless.of(chain, paid.to)].flatMap((key) => {
    const handoff = ledger.rows.handoffs.get(key);
    const order = handoff?.destination?.keyless;
    if (handoff === undefined || order === undefined || ledger.deliveriesOf.has("", key)) return [];
    const inTime = at >= handoff.at && at <= handoff.at + MATCH_WINDOW_S;
    const inAmount = paid.amount >= order.minOut && paid.amount * 100n <= order.expected * 102n;
    return inTime && inAmount && order.asset === paid.asset ? [handoff] : [];
  });
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** `passed`: what of the payment is stolen already, by whoever paid it, and was delivered as such. */
export interface Arriving {
  readonly paid: Paid;
  readonly holder: string;
  readonly passed: bigint;
  readonly orders: readonly BridgeEvent[];
}

export function deliverArrival(work: BlockWork, arrival: Arrival, { paid, holder, passed, orders }: Arriving): void {
  const { direction, link } = arrival;
  // Several payments of one transaction may belong to one order: read what the one before left of it.
  const handoff = work.ledger.rows.handoffs.get(arrival.handoff.key) ?? arrival.handoff;
  const isRefund = direction === "refund" && handoff.chain === work.chain && handoff.asset === paid.asset;
  const clean = paid.amount - passed;
  const most = isRefund ? smaller(clean, handoff.tainted - handoff.refunded) : clean;
  const tainted = smaller((paid.amount * handoff.tainted) / handoff.amount, most);
  const hop = isRefund ? handoff.hop : handoff.hop + 1;
  if (isRefund) bookRefund(work, handoff, tainted);
  else bookPayout(work, { handoff, paid, tainted, link });
  deliver(work, {
    kind: isRefund ? "refund" : "handoff",
    asset: paid.asset,
    amount: clean,
    tainted,
    from: handoffNode(handoff.key, handoff.asset),
    to: { holder, owner: paid.to },
    hop,
    steps: handoff.steps + 1,
    basis: handoff.basis,
    senderHop: hop,
    sender: null,
    orders,
    via: { type: "bridge", name: handoff.bridge, key: handoff.key, link },
    ...(work.rules.method === "fifo" ? { lots: lotsOf(clean, tainted, hop) } : {}),
  });
}

function bookRefund({ ledger }: BlockWork, handoff: Handoff, tainted: bigint): void {
  const { key, refunded, refunds } = handoff;
  ledger.rows.handoffs.set(key, { ...handoff, refunded: refunded + tainted, refunds: refunds + 1 });
}

function bookPayout(
  { ledger, chain, block, tx }: BlockWork,
  of: { handoff: Handoff; paid: Paid; tainted: bigint; link: HandoffDelivery["link"] },
): void {
  const { handoff, paid, tainted, link } = of;
  const { key: leg, asset, amount } = paid;
  const row = {
    handoff: handoff.key,
    chain,
    asset,
    tx: tx.hash ?? "",
    block: block.number,
    leg,
    amount,
    tainted,
    link,
  };
  ledger.rows.deliveries.set(`${row.handoff}|${chain}|${row.tx}|${leg}`, row);
  bookTotals(ledger, { chain, asset, convIn: tainted });
}
