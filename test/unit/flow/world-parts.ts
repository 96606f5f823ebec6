/** The transactions of random worlds (world.ts): each moves true balances and coins, or does nothing. */
import type {
  AccountTransaction,
  BridgeEvent,
  FlowBlock,
  Leg,
  UtxoTransaction,
} from "../../../src/types/flow-block.ts";
import type { FlowMethod } from "../../../src/types/flow.ts";
import type { Random } from "../chains/proof/mutants.ts";

export const ACCOUNT_CHAINS = ["eip155:1", "eip155:10"] as const;
export const COIN_CHAIN = "bip122:000000000019d6689c085ae165831e93";
export const COIN = `${COIN_CHAIN}/slip44:0`;

export const PEOPLE = ["Ann", "Bob", "Cid", "Dee", "Eve", "Fay"];
export const ANYBODY = [...PEOPLE, ...PEOPLE, "Exchange", "Mixer", "Bridge", "Ours", "OursToo", "Vault", "Router"];

export interface Coin {
  readonly tx: string;
  readonly index: number;
  readonly amount: bigint;
  readonly address: string;
}

export interface Order {
  readonly key: string;
  readonly from: string;
  readonly asset: string;
  readonly payer: string;
  readonly chain: string;
  readonly to: string;
  readonly amount: bigint;
}

/** What changes while a world is made. */
export interface Making {
  readonly random: Random;
  readonly method: FlowMethod;
  readonly balances: Map<string, bigint>;
  readonly coins: Coin[];
  readonly orders: Order[];
  readonly blocks: FlowBlock[];
  readonly heights: Map<string, number>;
  readonly hasAllAnchors: boolean;
  readonly hasMixes: boolean;
  now: number;
  made: number;
}

export function native(chain: string): string {
  return `${chain}/slip44:60`;
}

export function assetsOf(chain: string): string[] {
  return [native(chain), `${chain}/erc20:Usd`, `${chain}/erc20:Weth`];
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T);
}

/** Moves value where it is there; the leg, or nothing. */
function pay(making: Making, chain: string, of: Omit<Leg, "key">): Omit<Leg, "key">[] {
  const { balances } = making;
  const { from, to, asset, amount } = of;
  const have = from === null ? amount : (balances.get(`${chain}|${from}|${asset}`) ?? 0n);
  if (amount > have) return [];
  if (from !== null) balances.set(`${chain}|${from}|${asset}`, have - amount);
  if (to !== null) balances.set(`${chain}|${to}|${asset}`, (balances.get(`${chain}|${to}|${asset}`) ?? 0n) + amount);
  return [of];
}

export function accountTransaction(making: Making, chain: string, index: number): AccountTransaction {
  const { random, balances } = making;
  making.made += 1;
  const hash = `0x${making.made}`;
  const from = random.pick(PEOPLE);
  const feeAsset = native(chain);
  const fees = pay(making, chain, {
    asset: feeAsset,
    from,
    to: null,
    amount: BigInt(random.below(random.pick([1, 3, 40]))),
  });
  const [paid] = fees;
  const fee =
    paid === undefined || random.below(4) === 0 ? null : { payer: from, asset: feeAsset, amount: paid.amount };
  if (fee === null && paid !== undefined)
    balances.set(`${chain}|${from}|${feeAsset}`, (balances.get(`${chain}|${from}|${feeAsset}`) ?? 0n) + paid.amount);
  const make = random.pick([
    payments,
    payments,
    payments,
    swap,
    wrap,
    split,
    bridgeOut,
    bridgeIn,
    bridgeIn,
    bridgeIn,
    fail,
  ]);
  const { legs, bridge = [], ok = true } = make(making, { chain, from, hash });
  return { hash, index, from, ok, fee, legs: legs.map((leg, key) => ({ ...leg, key: String(key) })), bridge };
}

interface Made {
  readonly legs: readonly Omit<Leg, "key">[];
  readonly bridge?: readonly BridgeEvent[];
  readonly ok?: boolean;
}

interface At {
  readonly chain: string;
  readonly from: string;
  readonly hash: string;
}

/** Now and then all of it, mostly a part. */
function someOf({ random, balances }: Making, chain: string, address: string, asset: string): bigint {
  const have = balances.get(`${chain}|${address}|${asset}`) ?? 0n;
  return random.below(3) === 0 ? have : (have * BigInt(random.below(101))) / 100n;
}

function payments(making: Making, { chain }: At): Made {
  const { random } = making;
  return {
    legs: Array.from({ length: 1 + random.below(3) }).flatMap(() => {
      const from = random.pick([...PEOPLE, ...PEOPLE, "Ours", "Vault", "Exchange"]);
      const asset = random.pick(assetsOf(chain));
      return pay(making, chain, { asset, from, to: random.pick(ANYBODY), amount: someOf(making, chain, from, asset) });
    }),
  };
}

/** Sometimes the pool pays first, sometimes another one receives, sometimes part of it comes back. */
function swap(making: Making, { chain, from }: At): Made {
  const { random } = making;
  const [given = "", got = ""] = shuffled(assetsOf(chain), random);
  const amount = someOf(making, chain, from, given);
  const to = random.pick([from, from, ...PEOPLE]);
  const out = (amount * BigInt(1 + random.below(300))) / 100n;
  const legs = [
    { asset: given, from, to: "Pool", amount },
    { asset: got, from: "Pool", to, amount: out },
    ...(random.below(4) === 0 ? [{ asset: given, from: "Pool", to: from, amount: amount / 3n }] : []),
  ];
  const paid = legs.flatMap((leg) => pay(making, chain, leg));
  return { legs: random.below(2) === 0 ? paid : paid.toReversed() };
}

function wrap(making: Making, { chain, from }: At): Made {
  const weth = `${chain}/erc20:Weth`;
  const coin = native(chain);
  if (making.random.below(2) === 0) {
    const amount = someOf(making, chain, from, coin);
    const paid = pay(making, chain, { asset: coin, from, to: "Weth", amount });
    return { legs: [...paid, ...pay(making, chain, { asset: weth, from: null, to: from, amount })] };
  }
  const amount = someOf(making, chain, from, weth);
  const paid = pay(making, chain, { asset: coin, from: "Weth", to: from, amount });
  return { legs: paid.length === 0 ? [] : [...paid, ...pay(making, chain, { asset: weth, from, to: null, amount })] };
}

/** Through a contract that keeps nothing. */
function split(making: Making, { chain, from }: At): Made {
  const { random } = making;
  const asset = random.pick(assetsOf(chain));
  const amount = someOf(making, chain, from, asset);
  const part = (amount * BigInt(random.below(101))) / 100n;
  const legs = [
    { asset, from, to: "Router", amount },
    { asset, from: "Router", to: random.pick(ANYBODY), amount: part },
    { asset, from: "Router", to: random.pick(ANYBODY), amount: amount - part },
  ];
  return { legs: legs.flatMap((leg) => pay(making, chain, leg)) };
}

function bridgeOut(making: Making, { chain, from, hash }: At): Made {
  const { random, orders } = making;
  const asset = random.pick(assetsOf(chain));
  const amount = someOf(making, chain, from, asset);
  const legs = pay(making, chain, { asset, from, to: "Bridge", amount });
  if (legs.length === 0 || amount === 0n) return { legs };
  const to = { chain: random.pick([...ACCOUNT_CHAINS, COIN_CHAIN]), address: random.pick(ANYBODY) };
  const key = `order:${hash}`;
  orders.push({ key, from: chain, asset, payer: from, chain: to.chain, to: to.address, amount });
  return { legs, bridge: [{ direction: "out", bridge: "across", key, legs: ["0"], destination: to }] };
}

/** What a bridge pays is worth about what it got, in whatever asset; in one or more payments, or given back. */
function bridgeIn(making: Making, at: At): Made {
  const { random, orders } = making;
  const isRefund = random.below(2) === 0;
  const open = orders.filter((order) => at.chain === (isRefund ? order.from : order.chain));
  if (open.length === 0) return payments(making, at);
  const order = random.pick(open);
  const asset = isRefund ? order.asset : random.pick(assetsOf(at.chain));
  const amount = (order.amount * BigInt(30 + random.below(70))) / 100n;
  const from = random.pick(["Relayer", "Relayer", ...PEOPLE]);
  const legs = pay(making, at.chain, { asset, from, to: isRefund ? order.payer : order.to, amount });
  if (legs.length === 0) return { legs };
  const direction = isRefund ? "refund" : "in";
  return { legs, bridge: [{ direction, bridge: "across", key: order.key, legs: ["0"] }] };
}

/** A reverted transaction: its legs are told and did not happen. */
function fail(_making: Making, { chain, from }: At): Made {
  return { ok: false, legs: [{ asset: native(chain), from, to: "Bob", amount: 10n }] };
}

export function coinTransaction(making: Making, index: number): UtxoTransaction {
  const { random, coins, orders } = making;
  making.made += 1;
  const hash = `coin${making.made}`;
  const isMix = making.hasMixes && random.below(3) === 0 && coins.length > 3;
  const count = isMix ? 3 + random.below(2) : 1 + random.below(3);
  const inputs = shuffled(coins, random).slice(0, count);
  for (const input of inputs) coins.splice(coins.indexOf(input), 1);
  if (inputs.length === 0) return coinbase(making, hash, index);
  const whole = inputs.reduce((sum, { amount }) => sum + amount, 0n);
  const amounts = isMix ? mixOf(inputs.map(({ amount }) => amount)) : partsOf(whole, random);
  const incoming = orders.filter((order) => order.chain === COIN_CHAIN);
  const paid = incoming.length > 0 && random.below(3) === 0 ? random.pick(incoming) : null;
  const outputs = amounts.map((amount, n) => {
    const address = n === 0 && paid !== null ? paid.to : random.pick([...ANYBODY, inputs[0]?.address ?? "Ann"]);
    return random.below(12) === 0 ? { amount, address: null, unspendable: true as const } : { amount, address };
  });
  const bridge: BridgeEvent[] =
    paid === null ? [] : [{ direction: "in", bridge: "across", key: paid.key, legs: ["vout:0"] }];
  if (paid === null && random.below(5) === 0) {
    const to = { chain: random.pick(ACCOUNT_CHAINS), address: random.pick(ANYBODY) };
    const key = `order:${hash}`;
    const amount = amounts[0] ?? 0n;
    orders.push({ key, from: COIN_CHAIN, asset: COIN, payer: "Ann", chain: to.chain, to: to.address, amount });
    bridge.push({ direction: "out", bridge: "across", key, legs: ["vout:0"], destination: to });
  }
  for (const [n, { amount, address }] of outputs.entries())
    if (address !== null && amount > 0n) coins.push({ tx: hash, index: n, amount, address });
  return {
    hash,
    index,
    inputs: inputs.map(({ tx, index: n, ...coin }) => ({ tx, index: n, ...coin })),
    outputs,
    bridge,
  };
}

function coinbase(making: Making, hash: string, index: number): UtxoTransaction {
  const coin = { tx: hash, index: 0, amount: 500n, address: making.random.pick(PEOPLE) };
  making.coins.push(coin);
  return { hash, index, inputs: [], outputs: [{ amount: 500n, address: coin.address }], bridge: [] };
}

/** The rest is the fee. */
function partsOf(whole: bigint, random: Random): bigint[] {
  let left = whole;
  return Array.from({ length: 1 + random.below(4) }, () => {
    const part = (left * BigInt(random.below(101))) / 100n;
    left -= part;
    return part;
  });
}

/** Equal outputs and what is left of each, less a little. */
function mixOf(amounts: readonly bigint[]): bigint[] {
  const least = amounts.reduce((one, other) => (one < other ? one : other));
  const equal = least > 4n ? least / 2n : least;
  return [...amounts.map(() => equal), ...amounts.map((amount) => amount - equal)];
}
