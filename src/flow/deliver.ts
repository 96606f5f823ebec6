/**
 * Where a stolen payment ends up: the first rule that fits decides. Own addresses come first, before any filter, so that
 * nothing that reaches us is invisible (HIT-3).
 */
import type { TrailEndKind } from "../types/flow.ts";
import { type Delivery, edgeOf } from "./delivery.ts";
import { openHandoffs } from "./handoffs.ts";
import { recordDestination } from "./hits.ts";
import { endOfLabel } from "./labels.ts";
import { bookEnd, bookTask, positionKeyOf } from "./ledger.ts";
import { bookMixer } from "./mixers.ts";
import { credit } from "./positions.ts";
import { countReceiver, exceedsFanout, isSuspected, noteReceiver, suspect } from "./senders.ts";
import { addEdge, type BlockWork, floorOf, isOwn, labelOf } from "./work.ts";

interface End {
  readonly kind: TrailEndKind;
  readonly ref: string;
}

// CNV-5: the operator is asked about a contract without a label that is paid this many times the floor.
const LARGE = 100n;
const BURNT: End = { kind: "service", ref: "burn" };

export function deliver(work: BlockWork, delivery: Delivery): void {
  if (delivery.tainted === 0n) return;
  const end = endOf(work, delivery);
  if (end === "order") {
    noteSender(work, delivery, null);
    openHandoffs(work, delivery);
  } else if (end !== null) endAt(work, delivery, end);
  else hold(work, delivery);
}

/** The rules in their order (SVC, BRG-1, MIX, BND). Null: it is held. */
function endOf(work: BlockWork, delivery: Delivery): End | "order" | null {
  const { owner, holder } = delivery.to;
  if (isOwn(work, owner)) return { kind: "own", ref: "" };
  if (delivery.orders.length > 0) return "order";
  const service = holder === "" ? BURNT : endOfLabel(labelOf(work, owner));
  if (service !== null) return service;
  if (isSuspected(work, owner)) return { kind: "suspectedService", ref: owner };
  const bound = boundOf(work, delivery);
  if (bound !== null) return { kind: bound, ref: "" };
  const { sender } = delivery;
  if (sender !== null && exceedsFanout(work, sender, owner ?? holder)) return { kind: "suspectedService", ref: sender };
  return null;
}

/** BND-1 to BND-3, BND-5. */
function boundOf({ rules, ledger, chain, floorLevel }: BlockWork, delivery: Delivery): TrailEndKind | null {
  const { asset, tainted, amount, hop, steps, to } = delivery;
  const isNew = ledger.rows.positions.get(positionKeyOf({ chain, holder: to.holder, asset })) === undefined;
  const floor = floorOf(rules, asset) * (isNew ? 10n ** BigInt(floorLevel) : 1n);
  if (tainted < floor) return "dust";
  if (tainted * 10_000n < amount * BigInt(rules.minShareBps)) return "dilution";
  return hop > rules.maxHops || steps > rules.maxSteps ? "hopLimit" : null;
}

function endAt(work: BlockWork, delivery: Delivery, end: End): void {
  const { ledger, chain, block } = work;
  const { asset, tainted, to, sender } = delivery;
  bookEnd(ledger, { chain, asset, ...end, tainted });
  // Anyone may send dust, as often as they like: it is summed up, not drawn.
  if (end.kind === "dust" || end.kind === "dilution") return;
  const edge = addEdge(work, edgeOf(delivery));
  const label = labelOf(work, to.owner);
  noteSender(work, delivery, label?.kind === "exchange" ? label.entity : null);
  if (end.kind === "own") recordDestination(work, delivery, edge);
  if (end.kind === "mixer") bookMixer(work, { pool: end.ref, asset, tainted });
  if (end.kind === "bridgeUnresolved")
    bookTask(ledger, { kind: end.kind, chain, about: to.holder, asset, tainted, block: block.number });
  // Not where a suspected sender pays itself.
  if (end.kind === "suspectedService" && end.ref === sender && to.owner !== sender)
    suspect(work, sender, { asset, tainted });
}

function hold(work: BlockWork, delivery: Delivery): void {
  const { ledger, chain, block, rules } = work;
  const { asset, tainted, to, sender } = delivery;
  addEdge(work, edgeOf(delivery));
  noteSender(work, delivery, null);
  credit(work, { ...delivery, ...to });
  if (sender !== null) countReceiver(work, sender, to.owner ?? to.holder);
  const isContract = block.kind === "account" && to.owner !== null && block.contracts.has(to.owner);
  if (isContract && tainted >= LARGE * floorOf(rules, asset) && labelOf(work, to.owner) === null)
    bookTask(ledger, { kind: "labelContract", chain, about: to.holder, asset, tainted, block: block.number });
}

function noteSender(work: BlockWork, { sender, to }: Delivery, exchange: string | null): void {
  if (sender !== null && sender !== to.owner) noteReceiver(work, sender, exchange);
}
