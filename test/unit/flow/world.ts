/**
 * Seeded histories of three small chains with true balances: two of accounts, one of coins. People pay, swap, wrap, split,
 * fail, burn fees, cross bridges and get refunds; some of them are services, some are ours. Blocks come in the order in
 * which things happened; their clocks are not that good.
 */
import type {
  AccountTransaction,
  Anchor,
  BridgeEvent,
  FlowBlock,
  Leg,
  UtxoTransaction,
} from "../../../src/types/flow-block.ts";
import type { FlowIncident, FlowLabel, FlowMethod, FlowOrigin } from "../../../src/types/flow.ts";
import { createRandom, type Random } from "../chains/proof/mutants.ts";

export const ACCOUNT_CHAINS = ["eip155:1", "eip155:10"] as const;
export const COIN_CHAIN = "bip122:000000000019d6689c085ae165831e93";
export const COIN = `${COIN_CHAIN}/slip44:0`;

export interface World {
  readonly seed: number;
  readonly incident: FlowIncident;
  /** In the order in which things happened. */
  readonly blocks: readonly FlowBlock[];
  /** At the end; by chain, address and asset. */
  readonly balances: ReadonlyMap<string, bigint>;
  /** Unspent at the end; by `<transaction>:<output>`. */
  readonly coins: ReadonlyMap<string, bigint>;
  /** At the very start; by chain, address and asset. */
  readonly start: ReadonlyMap<string, bigint>;
  /** Every balance that a rule may ask for was told, and nothing moved unseen. */
  readonly hasAllAnchors: boolean;
  readonly hasMixes: boolean;
}

const PEOPLE = ["Ann", "Bob", "Cid", "Dee", "Eve", "Fay"];
const CONTRACTS: ReadonlySet<string> = new Set(["Pool", "Router", "Weth", "Vault"]);
const LABELS: Readonly<Record<string, FlowLabel>> = {
  Exchange: { kind: "exchange", entity: "ex" },
  Mixer: { kind: "mixer", entity: "pool:1" },
  Bridge: { kind: "bridge", entity: "across" },
  Weth: { kind: "wrapper", entity: "weth" },
};
const OWN: ReadonlySet<string> = new Set(["Ours", "OursToo"]);
const ANYBODY = [...PEOPLE, ...PEOPLE, "Exchange", "Mixer", "Bridge", "Ours", "OursToo", "Vault", "Router"];

interface Coin {
  readonly tx: string;
  readonly index: number;
  readonly amount: bigint;
  readonly address: string;
}

interface Order {
  readonly key: string;
  readonly from: string;
  readonly asset: string;
  readonly payer: string;
  readonly chain: string;
  readonly to: string;
  readonly amount: bigint;
}

/** What changes while a world is made. */
interface Making {
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

export function makeWorld(seed: number): World {
  const random = createRandom(seed);
  const method = random.pick(["haircut", "haircut", "haircut", "fifo", "poison"] as const);
  const making: Making = {
    random,
    method,
    balances: new Map(),
    coins: [],
    orders: [],
    blocks: [],
    heights: new Map(),
    hasAllAnchors: random.below(4) > 0,
    hasMixes: random.below(4) === 0,
    now: 1_000,
    made: 0,
  };
  endow(making);
  const start = new Map(making.balances);
  const count = 8 + random.below(14);
  for (let n = 0; n < count; n += 1) addBlock(making);
  return {
    seed,
    incident: incidentFor(making, seed),
    blocks: making.blocks,
    balances: making.balances,
    coins: new Map(making.coins.map(({ tx, index, amount }) => [`${tx}:${index}`, amount])),
    start,
    hasAllAnchors: making.hasAllAnchors,
    hasMixes: making.hasMixes,
  };
}

export function native(chain: string): string {
  return `${chain}/slip44:60`;
}

function assetsOf(chain: string): string[] {
  return [native(chain), `${chain}/erc20:Usd`, `${chain}/erc20:Weth`];
}

/** Some have much and some little: rounding matters. */
function endow({ random, balances, coins }: Making): void {
  for (const chain of ACCOUNT_CHAINS) {
    for (const address of [...new Set(ANYBODY), "Pool", "Relayer"]) {
      for (const asset of assetsOf(chain)) {
        const isRich = address === "Pool" || address === "Relayer" || address === "Bridge";
        const amount = BigInt(isRich ? 1_000_000 : random.below(random.pick([2, 50, 3_000])));
        if (amount > 0n) balances.set(`${chain}|${address}|${asset}`, amount);
      }
    }
  }
  for (let n = 0; n < 12; n += 1)
    coins.push({ tx: "genesis", index: n, amount: BigInt(1 + random.below(5_000)), address: random.pick(ANYBODY) });
}

function addBlock(making: Making): void {
  const { random, heights, blocks } = making;
  const chain = random.pick([...ACCOUNT_CHAINS, COIN_CHAIN]);
  const number = (heights.get(chain) ?? 99) + 1;
  heights.set(chain, number);
  making.now += random.below(30);
  const head = {
    chain,
    number,
    hash: `${chain}#${number}`,
    parentHash: `${chain}#${number - 1}`,
    // Clocks of miners are off by more than a block.
    timestamp: making.now - random.below(random.pick([1, 1, 90])),
  };
  const count = 1 + random.below(4);
  if (chain === COIN_CHAIN) {
    const transactions = Array.from({ length: count }, (_none, index) => coinTransaction(making, index));
    blocks.push({ ...head, kind: "utxo", asset: COIN, transactions: shuffled(transactions, random) });
    return;
  }
  if (!making.hasAllAnchors) moveUnseen(making, chain);
  const anchors = anchorsOf(making, chain);
  const transactions = Array.from({ length: count }, (_none, index) => accountTransaction(making, chain, index));
  blocks.push({
    ...head,
    kind: "account",
    anchors,
    contracts: CONTRACTS,
    transactions: shuffled(transactions, random),
  });
}

/** What no block shows: a rebase, or value that contracts moved on a node without traces. */
function moveUnseen({ random, balances }: Making, chain: string): void {
  const key = `${chain}|${random.pick(PEOPLE)}|${random.pick(assetsOf(chain))}`;
  balances.set(key, ((balances.get(key) ?? 0n) * BigInt(random.below(150))) / 100n);
}

function anchorsOf({ balances, hasAllAnchors, random }: Making, chain: string): Anchor[] {
  const all = [...new Set([...ANYBODY, "Pool", "Relayer", "Weth"])].flatMap((address) =>
    assetsOf(chain).map((asset) => ({ address, asset, amount: balances.get(`${chain}|${address}|${asset}`) ?? 0n })),
  );
  return hasAllAnchors ? all : all.filter(() => random.below(2) === 0);
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

function accountTransaction(making: Making, chain: string, index: number): AccountTransaction {
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
  const make = random.pick([payments, payments, payments, swap, wrap, split, bridgeOut, bridgeIn, bridgeIn, fail]);
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
  const isRefund = random.below(3) === 0;
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

function coinTransaction(making: Making, index: number): UtxoTransaction {
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

/** Thefts among what happened, early ones more often. */
function incidentFor({ random, method, blocks }: Making, seed: number): FlowIncident {
  return {
    id: `world-${seed}`,
    origins: originsIn(blocks, random),
    names: {
      labelOf: (_chain, address) => LABELS[address] ?? null,
      isOwn: (_chain, address) => OWN.has(address),
      isFollowed: () => true,
    },
    rules: {
      method,
      minTrack: { "*": random.pick([1n, 1n, 1n, 5n]) },
      minShareBps: random.pick([0, 0, 10, 2_000]),
      maxHops: random.pick([32, 32, 2]),
      maxSteps: random.pick([10_000, 10_000, 4]),
      maxFanout: random.pick([1_000, 2, 1]),
      positionsMax: random.pick([200_000, 200_000, 6]),
    },
  };
}

function originsIn(blocks: readonly FlowBlock[], random: Random): FlowOrigin[] {
  const origins: FlowOrigin[] = [];
  for (let n = 1 + random.below(3); n > 0; n -= 1) {
    const block = blocks[random.below(1 + random.below(blocks.length))];
    const tx = block === undefined ? undefined : random.pick<AccountTransaction | UtxoTransaction>(block.transactions);
    if (block === undefined || tx === undefined) continue;
    const { chain, number } = block;
    const mixer = random.below(6) === 0 ? { via: "tornado:1" } : {};
    if ("outputs" in tx) origins.push({ ...mixer, kind: "leg", chain, tx: tx.hash, leg: "vout:0" });
    else if (tx.legs.length > 0)
      origins.push({ ...mixer, kind: "leg", chain, tx: tx.hash, leg: String(random.below(tx.legs.length)) });
    if (random.below(3) === 0)
      origins.push({ kind: "controlled", chain, address: random.pick(PEOPLE), sinceBlock: number });
    if (random.below(4) === 0 && block.kind === "account")
      origins.push({ kind: "balance", chain, address: random.pick(PEOPLE), assets: assetsOf(chain), block: number });
  }
  return origins;
}
