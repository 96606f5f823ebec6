/** Own addresses that stolen funds reach, or that pay their holders (HIT). */
import type { Address, AssetId, ChainId } from "../types/chain.ts";
import type { FlowHit, Handoff } from "../types/flow.ts";
import { bpsOf } from "./arithmetic.ts";
import type { Delivery } from "./delivery.ts";
import { type BlockWork, isNamed } from "./work.ts";

/** HIT-1: one hit per transaction, own address, asset and role. */
export function hitKeyOf(hit: Pick<FlowHit, "chain" | "tx" | "address" | "asset" | "role">): string {
  return `${hit.chain}|${hit.tx}|${hit.address}|${hit.asset}|${hit.role}`;
}

/** Stolen funds arrived. Several payments of one transaction add up; its path is that of the largest. */
export function recordDestination(work: BlockWork, delivery: Delivery, edge: string): void {
  const { ledger, chain, block, tx, rules } = work;
  const { to, asset, amount, tainted, hop, basis } = delivery;
  if (to.owner === null || tx.hash === null) return;
  const id = { chain, tx: tx.hash, address: to.owner, asset, role: "destination" as const };
  const before = ledger.rows.hits.get(hitKeyOf(id));
  const largest = before?.edge == null ? undefined : ledger.rows.edges.get(before.edge);
  const sum = { amount: (before?.amount ?? 0n) + amount, tainted: (before?.tainted ?? 0n) + tainted };
  ledger.rows.hits.set(hitKeyOf(id), {
    ...id,
    ...sum,
    ...nearnessOf(Math.min(before?.hop ?? hop, hop)),
    stage: "included",
    block: { number: block.number, hash: block.hash },
    shareBps: bpsOf({ tainted: sum.tainted, whole: sum.amount }),
    method: rules.method,
    basis: before?.basis === "observed" ? "observed" : basis,
    edge: largest !== undefined && largest.tainted >= tainted ? (before?.edge ?? edge) : edge,
  });
}

/** An own address pays the thief, or whoever holds stolen funds now: a hit though nothing of it is stolen. */
export function recordSourceTo(
  work: BlockWork,
  of: { payer: Address; to: Address | null; asset: AssetId; amount: bigint },
): void {
  const { ledger, chain, block, tx, rules } = work;
  const hop = of.to === null ? null : distanceTo(work, of.to);
  if (tx.hash === null || hop === null) return;
  const id = { chain, tx: tx.hash, address: of.payer, asset: of.asset, role: "source" as const };
  const before = ledger.rows.hits.get(hitKeyOf(id));
  ledger.rows.hits.set(hitKeyOf(id), {
    ...id,
    ...nearnessOf(Math.min(before?.hop ?? hop, hop)),
    stage: "included",
    block: { number: block.number, hash: block.hash },
    amount: (before?.amount ?? 0n) + of.amount,
    tainted: 0n,
    shareBps: 0,
    method: rules.method,
    basis: "exact",
    edge: null,
  });
}

/** How many steps from the theft who pays this address is; null: it holds nothing stolen, and no origin names it. */
function distanceTo(work: BlockWork, to: Address): number | null {
  if (isNamed(work, to)) return 1;
  const { ledger, chain } = work;
  const hops = [...ledger.holdings.of(chain, to)].flatMap((key) => ledger.rows.positions.get(key)?.hop ?? []);
  return hops.length === 0 ? null : Math.min(...hops) + 1;
}

/** BRG-1: an order names an own address; nothing has arrived. */
export function recordAnnounced(
  work: BlockWork,
  handoff: Handoff,
  to: { chain: ChainId; address: Address; asset: AssetId; edge: string },
): void {
  const id = { chain: to.chain, tx: handoff.key, address: to.address, asset: to.asset, role: "destination" as const };
  work.ledger.rows.hits.set(hitKeyOf(id), {
    ...id,
    ...nearnessOf(handoff.hop + 1),
    stage: "announced",
    block: null,
    amount: handoff.amount,
    tainted: handoff.tainted,
    shareBps: bpsOf({ tainted: handoff.tainted, whole: handoff.amount }),
    method: work.rules.method,
    basis: handoff.basis,
    edge: to.edge,
  });
}

/** HIT-2: direct is what the thief's own address paid. The theft's own payment, hop 0, is no further away. */
function nearnessOf(hop: number): Pick<FlowHit, "hop" | "exposure"> {
  return { hop: Math.max(1, hop), exposure: hop <= 1 ? "direct" : "indirect" };
}
