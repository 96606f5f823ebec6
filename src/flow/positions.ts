/**
 * What holders have: stolen funds that come (`credit`), and what of a payment is stolen (`takeFrom`; ACC-3 to ACC-5,
 * ORG-3, FIFO, POI). Coins of a UTXO chain are positions too; they are spent whole, by utxo.ts.
 */
import type { Address, AssetId } from "../types/chain.ts";
import type { FlowBasis, Lot, Position } from "../types/flow.ts";
import { largest, shareOf } from "./arithmetic.ts";
import { endOfLabel } from "./labels.ts";
import { bookEnd, bookTask, bookTotals, positionKeyOf } from "./ledger.ts";
import { hopOf, joined, sizeOf, taintIn, takeFront } from "./lots.ts";
import { addEdge, type BlockWork, isControlled, labelOf, nodeOf } from "./work.ts";

/** The part of a payment that is stolen. */
export interface Taken {
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  /** Only with `fifo`: the payment in the order it left. */
  readonly lots?: readonly Lot[];
}

export interface Payment {
  readonly address: Address;
  readonly asset: AssetId;
  readonly amount: bigint;
}

/** Takes a payment out of what its sender holds; null: nothing of it is stolen. Asked before the payment is moved. */
export function takeFrom(work: BlockWork, payment: Payment): Taken | null {
  const { address, asset, amount } = payment;
  const known = work.ledger.rows.positions.get(positionKeyOf({ chain: work.chain, holder: address, asset }));
  const controlled = isControlled(work, address);
  if (known === undefined && !controlled) return null;
  if (known !== undefined && !controlled && endsHere(work, known)) return null;
  const balance = balanceOf(work, payment);
  const held = known === undefined ? emptyPosition(work, payment) : reconcile(work, known);
  const position = controlled ? topUp(work, held, largest(balance.amount, amount, held.tainted)) : held;
  if (position.tainted === 0n) return null;
  const basis = balance.basis === "exact" ? position.basis : "observed";
  const { tainted, left, lots } = split(work, position, {
    amount,
    whole: largest(balance.amount, amount, position.tainted),
  });
  putPosition(work, { ...position, tainted: left, ...(lots === undefined ? {} : { lots: lots.left }) });
  const { steps } = position;
  const hop = lots === undefined ? position.hop : (hopOf(lots.taken) ?? position.hop);
  return { amount, tainted, hop, steps, basis, ...(lots === undefined ? {} : { lots: lots.taken }) };
}

interface Split {
  readonly tainted: bigint;
  /** Stays tainted. */
  readonly left: bigint;
  readonly lots?: { readonly taken: readonly Lot[]; readonly left: readonly Lot[] };
}

function split({ rules }: BlockWork, position: Position, of: { amount: bigint; whole: bigint }): Split {
  if (rules.method === "poison") return { tainted: of.amount, left: of.whole - of.amount };
  if (rules.method === "haircut") {
    const tainted = shareOf(position.tainted, of.amount, of.whole);
    return { tainted, left: position.tainted - tainted };
  }
  const lots = takeFront(position.lots ?? [], of.amount);
  const tainted = taintIn(lots.taken);
  return { tainted, left: position.tainted - tainted, lots };
}

/** What came to an address. `lots`: in this order; only with `fifo`. */
export interface Credit extends Payment {
  readonly holder: string;
  readonly owner: Address | null;
  readonly tainted: bigint;
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  readonly lots?: readonly Lot[];
}

/** Adds to a position, or opens one. Asked after the payment was moved. */
export function credit(work: BlockWork, to: Omit<Credit, "address">): void {
  const { holder, owner, asset, amount, tainted, hop, steps, basis, lots } = to;
  const found = work.ledger.rows.positions.get(positionKeyOf({ chain: work.chain, holder, asset }));
  const known = found === undefined ? undefined : reconcileOnTouch(work, found);
  const isCoin = holder !== owner;
  const balance = isCoin || owner === null ? null : balanceOf(work, { address: owner, asset });
  const sum = (known?.tainted ?? 0n) + tainted;
  // POI-1: one stolen unit makes the whole balance stolen.
  const whole = work.rules.method === "poison" ? largest((known?.tainted ?? 0n) + amount, balance?.amount ?? 0n) : sum;
  const before = known?.lots ?? cleanLot((balance?.amount ?? 0n) - amount);
  if (known === undefined) work.reconciled.add(positionKeyOf({ chain: work.chain, holder, asset }));
  putPosition(work, {
    chain: work.chain,
    holder,
    owner,
    asset,
    tainted: whole,
    hop: Math.min(known?.hop ?? hop, hop),
    steps: Math.min(known?.steps ?? steps, steps),
    basis: known?.basis === "observed" ? "observed" : basis,
    observed: known?.observed ?? 0n,
    ...(lots === undefined ? {} : { lots: joined(before, lots) }),
  });
}

/** FIFO-1: clean funds queue up behind what a holder has. With the other methods the balance tells. */
export function creditClean(work: BlockWork, { address, asset, amount }: Payment): void {
  if (work.rules.method !== "fifo") return;
  const found = work.ledger.rows.positions.get(positionKeyOf({ chain: work.chain, holder: address, asset }));
  if (found === undefined) return;
  const known = reconcileOnTouch(work, found);
  putPosition(work, { ...known, lots: joined(known.lots ?? [], cleanLot(amount)) });
}

/** ORG-2, ORG-3: all of `whole` is stolen from here on. What was not yet is where the trail begins. */
export function topUp(work: BlockWork, position: Position, whole: bigint, via?: string): Position {
  const { chain, asset, owner } = position;
  const injected = whole - position.tainted;
  if (injected <= 0n) return position;
  bookTotals(work.ledger, { chain, asset, injected });
  addEdge(work, {
    kind: "origin",
    from: nodeOf(null, asset),
    to: { holder: position.holder, address: owner, asset },
    amount: injected,
    tainted: injected,
    hop: 0,
    ...(via === undefined ? {} : { via: { type: "mixer", name: via } }),
  });
  const lots = work.rules.method === "fifo" ? { lots: [{ amount: whole, hop: 0 }] } : {};
  return { ...position, tainted: whole, hop: 0, steps: 0, ...lots };
}

/** ACC-1, ACC-5: what an address has right now. */
export function balanceOf(
  { balances, ledger, chain }: BlockWork,
  { address, asset }: { address: Address; asset: AssetId },
): { readonly amount: bigint; readonly basis: FlowBasis } {
  const anchor = balances.anchorOf(asset, address);
  const moved = balances.movedOf(asset, address);
  if (anchor !== undefined) return { amount: anchor + moved, basis: "exact" };
  const position = ledger.rows.positions.get(positionKeyOf({ chain, holder: address, asset }));
  return { amount: (position?.observed ?? 0n) + moved, basis: "observed" };
}

/** At the end of a block: what holders have as far as seen, for blocks without a balance from a node (ACC-5). */
export function settleBalances({ balances, ledger, chain }: BlockWork): void {
  for (const { asset, address, by } of balances.moved()) {
    const key = positionKeyOf({ chain, holder: address, asset });
    const position = ledger.rows.positions.get(key);
    if (position === undefined) continue;
    const observed = largest((balances.anchorOf(asset, address) ?? position.observed) + by, position.tainted);
    if (observed !== position.observed) ledger.rows.positions.set(key, { ...position, observed });
  }
}

/** Writes a position, or removes it where nothing stolen is left. */
export function putPosition(work: BlockWork, position: Position): void {
  const { positions } = work.ledger.rows;
  const key = positionKeyOf(position);
  if (!work.taintBefore.has(key)) work.taintBefore.set(key, positions.get(key)?.tainted ?? 0n);
  if (position.tainted === 0n) positions.delete(key);
  else positions.set(key, position);
}

/** Moves all of a position to a trail end. */
export function endPosition(work: BlockWork, position: Position, end: ReturnType<typeof endOfLabel>): void {
  if (end === null) return;
  bookEnd(work.ledger, { chain: position.chain, asset: position.asset, ...end, tainted: position.tainted });
  putPosition(work, { ...position, tainted: 0n });
}

export function emptyPosition(work: BlockWork, { address, asset }: { address: Address; asset: AssetId }): Position {
  const lots = work.rules.method === "fifo" ? { lots: [] } : {};
  const at = { chain: work.chain, holder: address, owner: address, asset };
  return { ...at, tainted: 0n, hop: 0, steps: 0, basis: "exact", observed: 0n, ...lots };
}

/** A holder that has become a service (its label begins here): what it pays out is not followed (SVC-1). */
function endsHere(work: BlockWork, position: Position): boolean {
  const end = endOfLabel(labelOf(work, position.owner));
  endPosition(work, position, end);
  return end !== null;
}

/** ACC-4 at the first payment of a block; with `fifo` at the first touch (FIFO-2). */
function reconcile(work: BlockWork, position: Position): Position {
  const key = positionKeyOf(position);
  const anchor = position.owner === null ? undefined : work.balances.anchorOf(position.asset, position.owner);
  if (anchor === undefined || work.reconciled.has(key)) return position;
  work.reconciled.add(key);
  if (work.rules.method === "fifo") return reconcileLots(work, position, anchor);
  const missing = (work.taintBefore.get(key) ?? position.tainted) - anchor;
  return missing > 0n ? loseUntracked(work, position, missing) : position;
}

function reconcileOnTouch(work: BlockWork, position: Position): Position {
  return work.rules.method === "fifo" ? reconcile(work, position) : position;
}

function reconcileLots(work: BlockWork, position: Position, anchor: bigint): Position {
  const lots = position.lots ?? [];
  const surplus = anchor - sizeOf(lots);
  if (surplus >= 0n) return { ...position, lots: joined(lots, cleanLot(surplus)) };
  const { taken, left } = takeFront(lots, -surplus);
  return { ...loseUntracked(work, position, taintIn(taken)), lots: left };
}

function loseUntracked(work: BlockWork, position: Position, tainted: bigint): Position {
  const { chain, asset, holder } = position;
  if (tainted === 0n) return position;
  bookEnd(work.ledger, { chain, asset, kind: "untracked", ref: "", tainted });
  bookTask(work.ledger, { kind: "untracked", chain, about: holder, asset, tainted, block: work.block.number });
  const rest = { ...position, tainted: position.tainted - tainted };
  putPosition(work, rest);
  return rest;
}

function cleanLot(amount: bigint): Lot[] {
  return amount > 0n ? [{ amount, hop: null }] : [];
}
