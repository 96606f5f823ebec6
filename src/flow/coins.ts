/** Transactions of UTXO chains (UTX, CJ-2): all inputs together pay all outputs and the fee. */
import type { UtxoBlock, UtxoInput, UtxoTransaction } from "../types/flow-block.ts";
import type { FlowBasis, FlowEdge, Lot } from "../types/flow.ts";
import { apportion, largest } from "./arithmetic.ts";
import { type Arrival, arrivalsOf, deliverArrival } from "./arrivals.ts";
import { type CoinJoin, detectCoinJoin, spendableOf } from "./coinjoin.ts";
import { continuations } from "./continuation.ts";
import { deliver } from "./deliver.ts";
import { BEGINNING } from "./delivery.ts";
import { recordSourceTo } from "./hits.ts";
import { bookEnd, bookTotals, positionKeyOf } from "./ledger.ts";
import { atHop, joined, lotsOf, takeFront, taintIn } from "./lots.ts";
import { bookMixer } from "./mixers.ts";
import { putPosition, topUp } from "./positions.ts";
import { type BlockWork, isControlled, isOwn, labelOf } from "./work.ts";

// CJ-2, of the denomination: 0.5 %, at least 10,000 satoshi.
const CHANGE_TOLERANCE = 200n;
const CHANGE_TOLERANCE_MIN = 10_000n;

/** An input, and what of it is stolen. */
interface Spent {
  readonly input: UtxoInput;
  readonly holder: string;
  readonly tainted: bigint;
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  readonly lots: readonly Lot[];
}

/** What the inputs bring in all. `lead`: the one with most of it. */
interface Brought {
  readonly tainted: bigint;
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  readonly lead: Spent | null;
  readonly joined?: FlowEdge["joined"];
}

interface Context {
  readonly tx: UtxoTransaction;
  readonly block: UtxoBlock;
  readonly spent: readonly Spent[];
  readonly brought: Brought;
  readonly arrivals: ReadonlyMap<string, Arrival>;
}

export function applyCoins(work: BlockWork, block: UtxoBlock, tx: UtxoTransaction): void {
  Object.assign(work.tx, { hash: tx.hash, index: tx.index, edges: 0 });
  recordSources(work, block, tx);
  const spent = tx.inputs.map((input) => spend(work, block, input));
  const brought = broughtBy(spent);
  const payments = tx.outputs.map((output, n) => ({
    key: keyOf(n),
    to: output.address,
    asset: block.asset,
    amount: output.amount,
  }));
  const context = { tx, block, spent, brought, arrivals: arrivalsOf(work, tx.bridge, payments) };
  const isOrigin = work.origins.transactions.has(`${work.chain}|${tx.hash}`);
  if (brought.tainted === 0n && context.arrivals.size === 0 && !isOrigin) return;
  const mix = brought.tainted === 0n || hasExchange(work, tx) ? null : detectCoinJoin(tx);
  if (mix === null) payOutputs(work, context);
  else stopAtMix(work, context, mix);
}

function keyOf(output: number): string {
  return `vout:${output}`;
}

/** UTX-2, ORG-3: a coin is spent whole. */
function spend(work: BlockWork, { asset }: UtxoBlock, input: UtxoInput): Spent {
  const { chain, ledger } = work;
  const holder = `${input.tx}:${input.index}`;
  const known = ledger.rows.positions.get(positionKeyOf({ chain, holder, asset }));
  const controlled = isControlled(work, input.address);
  const clean = { chain, holder, owner: input.address, asset, tainted: 0n, hop: 0, steps: 0, observed: 0n };
  const held = known ?? (controlled ? { ...clean, basis: "exact" as const } : null);
  if (held === null) return { ...clean, input, basis: "exact", lots: lotsOf(input.amount, 0n, 0) };
  const coin = controlled ? topUp(work, held, input.amount) : held;
  if (known !== undefined) putPosition(work, { ...known, tainted: 0n });
  return { ...coin, input, lots: coin.lots ?? [] };
}

function broughtBy(spent: readonly Spent[]): Brought {
  const tainted = spent.filter((one) => one.tainted > 0n);
  const whole = tainted.reduce((sum, one) => sum + one.tainted, 0n);
  const part = tainted.reduce((most, one) => largest(most, one.tainted), 0n);
  const lead = tainted.find((one) => one.tainted === part) ?? null;
  return {
    tainted: whole,
    hop: Math.min(...tainted.map(({ hop }) => hop)),
    steps: Math.min(...tainted.map(({ steps }) => steps)),
    basis: tainted.some(({ basis }) => basis === "observed") ? "observed" : "exact",
    lead,
    ...(tainted.length > 1 ? { joined: { others: tainted.length - 1, part, whole } } : {}),
  };
}

/** UTX-1, UTX-3, POI-1: what each output gets, and the fee last. */
function sharesOf({ rules }: BlockWork, { tx, spent, brought }: Context): { tainted: bigint; lots?: Lot[] }[] {
  const feeAmount = feeOf(tx);
  const amounts = [...tx.outputs.map(({ amount }) => amount), feeAmount];
  if (brought.tainted === 0n) return amounts.map(() => ({ tainted: 0n }));
  if (rules.method === "poison") return amounts.map((tainted) => ({ tainted }));
  if (rules.method === "haircut") return apportion(brought.tainted, amounts).map((tainted) => ({ tainted }));
  let left: readonly Lot[] = joined(...spent.map(({ lots }) => lots));
  return amounts.map((amount) => {
    const { taken, left: rest } = takeFront(left, amount);
    left = rest;
    return { tainted: taintIn(taken), lots: taken };
  });
}

/** A coinbase pays no fee, and what it makes comes from nobody. */
function feeOf({ inputs, outputs }: UtxoTransaction): bigint {
  const paid =
    inputs.reduce((sum, { amount }) => sum + amount, 0n) - outputs.reduce((sum, { amount }) => sum + amount, 0n);
  return largest(paid, 0n);
}

function payOutputs(work: BlockWork, context: Context): void {
  const { tx, block, brought } = context;
  const shares = sharesOf(work, context);
  const continued = continuations(work, tx);
  for (const [n, { amount }] of tx.outputs.entries()) {
    const share = shares[n] ?? { tainted: 0n };
    const hop = brought.hop + (continued.has(n) ? 0 : 1);
    payOutput(work, context, { n, amount, hop, ...share });
  }
  const fee = shares.at(-1)?.tainted ?? 0n;
  bookEnd(work.ledger, { chain: work.chain, asset: block.asset, kind: "fee", ref: "", tainted: fee });
}

interface Paying {
  readonly n: number;
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly hop: number;
  readonly lots?: readonly Lot[];
}

function payOutput(work: BlockWork, context: Context, { n, amount, tainted, hop, lots }: Paying): void {
  const { tx, block, brought, arrivals } = context;
  const { chain, origins, rules } = work;
  const { asset } = block;
  const output = tx.outputs[n];
  const to = { holder: output?.unspendable === true ? "" : `${tx.hash}:${n}`, owner: output?.address ?? null };
  const origin = origins.legs.get(`${chain}|${tx.hash}|${keyOf(n)}`);
  if (origin !== undefined) {
    bookTotals(work.ledger, { chain, asset, injected: amount - tainted });
    const from = { holder: "", address: tx.inputs[0]?.address ?? null, asset };
    const lotsFrom = rules.method === "fifo" ? { lots: lotsOf(amount, amount, 0) } : {};
    const via = origin.via === undefined ? {} : { via: { type: "mixer" as const, name: origin.via } };
    deliver(work, { ...BEGINNING, asset, amount, tainted: amount, from, to, ...lotsFrom, ...via });
    return;
  }
  const orders = tx.bridge.filter(({ direction, legs }) => direction === "out" && legs.includes(keyOf(n)));
  const arrival = arrivals.get(keyOf(n));
  const passed = arrival === undefined ? amount : tainted;
  const { lead } = brought;
  if (lead !== null)
    deliver(work, {
      kind: "transfer",
      asset,
      amount: passed,
      tainted,
      from: { holder: lead.holder, address: lead.input.address, asset },
      to,
      hop,
      steps: brought.steps + 1,
      basis: brought.basis,
      senderHop: brought.hop,
      sender: lead.input.address,
      orders,
      ...(brought.joined === undefined ? {} : { joined: brought.joined }),
      ...(lots === undefined
        ? {}
        : { lots: atHop(arrival === undefined ? lots : stolenOf(lots), (from) => from + hop - brought.hop) }),
    });
  if (arrival !== undefined)
    deliverArrival(work, arrival, {
      paid: { key: keyOf(n), to: to.owner, asset, amount },
      holder: to.holder,
      passed: tainted,
      orders,
    });
}

function stolenOf(lots: readonly Lot[]): Lot[] {
  return lots.filter(({ hop }) => hop !== null);
}

/** CJ-2: what went into a mix ends there, but for change that can only be one payer's. */
function stopAtMix(work: BlockWork, context: Context, mix: CoinJoin): void {
  const { chain, ledger } = work;
  const { tx, block, brought } = context;
  const { asset } = block;
  let left = brought.tainted;
  for (const { n, group } of linkedChange(context, mix)) {
    const amount = tx.outputs[n]?.amount ?? 0n;
    const tainted = (group.tainted * amount) / group.amount;
    const lots = work.rules.method === "fifo" ? { lots: lotsOf(amount, tainted, group.hop) } : {};
    payOutput(work, { ...context, brought: broughtBy(group.spent) }, { n, amount, tainted, hop: group.hop, ...lots });
    left -= tainted;
  }
  const pool = `coinjoin:${mix.type}`;
  if (left === 0n) return;
  bookEnd(ledger, { chain, asset, kind: "mixer", ref: pool, tainted: left });
  bookMixer(work, { pool, asset, tainted: left });
  const equal = new Set(mix.denominations);
  const candidates = spendableOf(tx).flatMap(({ output, index }) => (equal.has(output.amount) ? [index] : []));
  const { type, denominations } = mix;
  ledger.rows.coinjoins.set(`${chain}|${tx.hash}`, {
    chain,
    tx: tx.hash,
    type,
    denominations,
    tainted: left,
    candidates,
  });
}

/** The inputs of one address. */
interface Group {
  readonly spent: readonly Spent[];
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly hop: number;
}

/** Change that fits one payer only, of a payer that only it fits. Needs a single denomination. */
function linkedChange({ tx, spent }: Context, { denominations }: CoinJoin): { n: number; group: Group }[] {
  const [denomination] = denominations;
  if (denomination === undefined || denominations.length > 1) return [];
  const tolerance = largest(denomination / CHANGE_TOLERANCE, CHANGE_TOLERANCE_MIN) + feeOf(tx);
  const groups = [...Map.groupBy(spent, ({ input }) => input.address ?? input)].map(([, members]) => groupOf(members));
  const fits = spendableOf(tx).flatMap(({ output, index: n }) => {
    if (output.amount === denomination) return [];
    const fitting = groups.filter((group) => distance(group.amount, output.amount + denomination) <= tolerance);
    const [group] = fitting;
    return group === undefined || fitting.length > 1 ? [] : [{ n, group }];
  });
  return fits.filter(({ group }) => group.tainted > 0n && fits.filter((other) => other.group === group).length === 1);
}

function groupOf(spent: readonly Spent[]): Group {
  const { tainted, hop } = broughtBy(spent);
  return { spent, amount: spent.reduce((sum, { input }) => sum + input.amount, 0n), tainted, hop };
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

function hasExchange(work: BlockWork, { inputs }: UtxoTransaction): boolean {
  return inputs.some(({ address }) => labelOf(work, address)?.kind === "exchange");
}

/** HIT-1, role source: one of our coins pays the thief, or whoever holds stolen funds now. */
function recordSources(work: BlockWork, { asset }: UtxoBlock, { inputs, outputs }: UtxoTransaction): void {
  const payer = inputs.find(({ address }) => isOwn(work, address))?.address ?? null;
  if (payer === null) return;
  for (const { address, amount } of outputs)
    if (amount > 0n && !isOwn(work, address)) recordSourceTo(work, { payer, to: address, asset, amount });
}
