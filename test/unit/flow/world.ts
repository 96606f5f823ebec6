/**
 * Seeded histories of three small chains with true balances: two of accounts, one of coins. People pay, swap, wrap, split,
 * fail, burn fees, cross bridges and get refunds; some of them are services, some are ours. Blocks come in the order in
 * which things happened; their clocks are not that good.
 */
import type { AccountTransaction, Anchor, FlowBlock, UtxoTransaction } from "../../../src/types/flow-block.ts";
import type { FlowIncident, FlowLabel, FlowOrigin } from "../../../src/types/flow.ts";
import { createRandom, type Random } from "../chains/proof/mutants.ts";
import {
  ACCOUNT_CHAINS,
  accountTransaction,
  ANYBODY,
  assetsOf,
  COIN,
  COIN_CHAIN,
  coinTransaction,
  type Making,
  PEOPLE,
  shuffled,
} from "./world-parts.ts";

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

const CONTRACTS: ReadonlySet<string> = new Set(["Pool", "Router", "Weth", "Vault"]);
const LABELS: Readonly<Record<string, FlowLabel>> = {
  Exchange: { kind: "exchange", entity: "ex" },
  Mixer: { kind: "mixer", entity: "pool:1" },
  Bridge: { kind: "bridge", entity: "across" },
  Weth: { kind: "wrapper", entity: "weth" },
};
const OWN: ReadonlySet<string> = new Set(["Ours", "OursToo"]);

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
  const count = 8 + random.below(16);
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
