/** Transactions of account chains (ACC): the fee, then leg by leg, or as a whole where assets are exchanged (CNV). */
import type { AccountTransaction, BridgeEvent, Leg } from "../types/flow-block.ts";
import type { FlowOrigin } from "../types/flow.ts";
import { type Arrival, arrivalsOf, deliverArrival } from "./arrivals.ts";
import { convert, findMachines } from "./conversion.ts";
import { deliver } from "./deliver.ts";
import { BEGINNING } from "./delivery.ts";
import { recordSourceTo } from "./hits.ts";
import { bookEnd, bookTotals } from "./ledger.ts";
import { atHop, lotsOf } from "./lots.ts";
import { creditClean, type Taken, takeFrom } from "./positions.ts";
import { type BlockWork, isHolder, isNamed, isOwn, nodeOf } from "./work.ts";

/** Applies one transaction, whoever it is about: balances are kept for all. */
export function applyTransaction(work: BlockWork, tx: AccountTransaction): void {
  Object.assign(work.tx, { hash: tx.hash, index: tx.index, edges: 0 });
  const legs = tx.ok ? tx.legs.filter((leg) => isMovement(work, leg)) : [];
  if (!touches(work, tx)) {
    moveAll(work, tx, legs);
    return;
  }
  payFee(work, tx);
  recordSources(work, legs);
  const arrivals = arrivalsOf(work, tx.bridge, legs);
  const own = legs.filter(({ key }) => !arrivals.has(key));
  const origins = new Map(legs.flatMap((leg) => originOf(work, leg) ?? []));
  const machines = origins.size > 0 ? null : findMachines(work, tx, own);
  if (machines === null) {
    for (const leg of legs) {
      const orders = tx.bridge.filter(({ direction, legs: named }) => direction === "out" && named.includes(leg.key));
      applyLeg(work, leg, { orders, arrival: arrivals.get(leg.key), origin: origins.get(leg.key) });
    }
    return;
  }
  // What a bridge pays is there before it is exchanged.
  for (const leg of legs)
    if (arrivals.has(leg.key)) applyLeg(work, leg, { orders: [], arrival: arrivals.get(leg.key) });
  convert(work, tx, { legs: own, machines });
}

/** FPS-1, FPS-2: what moves nothing, or is no token of the list, does not exist. */
function isMovement({ incident }: BlockWork, { amount, from, to, asset }: Leg): boolean {
  return amount > 0n && from !== to && incident.names.isFollowed(asset);
}

/** Whether any rule could have something to say. */
export function touches(work: BlockWork, tx: AccountTransaction): boolean {
  const { ledger, origins, chain } = work;
  if (origins.transactions.has(`${chain}|${tx.hash}`) || (tx.fee !== null && isHolder(work, tx.fee.payer))) return true;
  if (tx.bridge.some(({ key }) => ledger.rows.handoffs.get(key) !== undefined)) return true;
  return tx.legs.some(
    ({ from, to }) =>
      isHolder(work, from) ||
      (to !== null && (isHolder(work, to) || isNamed(work, to) || ledger.keyless.has(chain, to))),
  );
}

function moveAll({ balances }: BlockWork, { fee }: AccountTransaction, legs: readonly Leg[]): void {
  if (fee !== null) balances.move(fee.asset, fee.payer, -fee.amount);
  for (const leg of legs) {
    balances.move(leg.asset, leg.from, -leg.amount);
    balances.move(leg.asset, leg.to, leg.amount);
  }
}

/** ACC-2 */
function payFee(work: BlockWork, { fee }: AccountTransaction): void {
  if (fee === null || fee.amount === 0n) return;
  const taken = takeFrom(work, { address: fee.payer, asset: fee.asset, amount: fee.amount });
  work.balances.move(fee.asset, fee.payer, -fee.amount);
  if (taken !== null)
    bookEnd(work.ledger, { chain: work.chain, asset: fee.asset, kind: "fee", ref: "", tainted: taken.tainted });
}

/** HIT-1, role source. */
function recordSources(work: BlockWork, legs: readonly Leg[]): void {
  for (const { from: payer, to, asset, amount } of legs)
    if (isOwn(work, payer) && !isOwn(work, to)) recordSourceTo(work, { payer, to, asset, amount });
}

function originOf({ origins, chain, tx }: BlockWork, leg: Leg): [[string, FlowOrigin]] | null {
  const origin = origins.legs.get(`${chain}|${tx.hash}|${leg.key}`);
  return origin === undefined ? null : [[leg.key, origin]];
}

interface LegContext {
  readonly orders: readonly BridgeEvent[];
  readonly arrival: Arrival | undefined;
  readonly origin?: FlowOrigin | undefined;
}

function applyLeg(work: BlockWork, leg: Leg, { orders, arrival, origin }: LegContext): void {
  const { from, to, asset, amount } = leg;
  const taken = from === null ? null : takeFrom(work, { address: from, asset, amount });
  work.balances.move(asset, from, -amount);
  work.balances.move(asset, to, amount);
  if (origin !== undefined) return begin(work, leg, { origin, taken });
  if (arrival !== undefined) return arrive(work, leg, { arrival, taken, orders });
  if (taken !== null && taken.tainted > 0n) return pass(work, leg, { taken, orders });
  if (to !== null) creditClean(work, { address: to, asset, amount });
}

/** ACC-3 */
function pass(work: BlockWork, leg: Leg, { taken, orders }: { taken: Taken; orders: readonly BridgeEvent[] }): void {
  const { from, to, asset, amount } = leg;
  deliver(work, {
    kind: "transfer",
    asset,
    amount,
    tainted: taken.tainted,
    from: nodeOf(from, asset),
    to: { holder: to ?? "", owner: to },
    hop: taken.hop + 1,
    steps: taken.steps + 1,
    basis: taken.basis,
    senderHop: taken.hop,
    sender: from,
    orders,
    ...(taken.lots === undefined ? {} : { lots: atHop(taken.lots, (hop) => hop + 1) }),
  });
}

/** ORG-1: all of it is stolen, whoever pays it. */
function begin(work: BlockWork, leg: Leg, { origin, taken }: { origin: FlowOrigin; taken: Taken | null }): void {
  const { from, to, asset, amount } = leg;
  bookTotals(work.ledger, { chain: work.chain, asset, injected: amount - (taken?.tainted ?? 0n) });
  deliver(work, {
    ...BEGINNING,
    asset,
    amount,
    tainted: amount,
    from: nodeOf(from, asset),
    to: { holder: to ?? "", owner: to },
    ...(origin.via === undefined ? {} : { via: { type: "mixer", name: origin.via } }),
    ...(work.rules.method === "fifo" ? { lots: lotsOf(amount, amount, 0) } : {}),
  });
}

/** BRG-2, BRG-5: a bridge pays. What its payer holds of stolen funds itself goes along. */
function arrive(
  work: BlockWork,
  leg: Leg,
  { arrival, taken, orders }: { arrival: Arrival; taken: Taken | null; orders: readonly BridgeEvent[] },
): void {
  const passed = taken?.tainted ?? 0n;
  if (taken !== null && passed > 0n) {
    const lots = taken.lots?.filter(({ hop }) => hop !== null);
    pass(work, { ...leg, amount: passed }, { taken: lots === undefined ? taken : { ...taken, lots }, orders });
  }
  deliverArrival(work, arrival, { paid: leg, holder: leg.to ?? "", passed, orders });
}
