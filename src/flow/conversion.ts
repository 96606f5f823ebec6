/**
 * Transactions in which assets are exchanged (CNV): swaps, wraps, pools. Only what the parties lose and gain in all counts,
 * so that the order of the legs, and what routers and pools do between them, changes nothing.
 */
import type { Address, AssetId } from "../types/chain.ts";
import type { AccountTransaction, Leg } from "../types/flow-block.ts";
import type { FlowEdge } from "../types/flow.ts";
import { isLarger, largest, type Ratio } from "./arithmetic.ts";
import { deliver } from "./deliver.ts";
import { endOfLabel, isMachine } from "./labels.ts";
import { bookTotals } from "./ledger.ts";
import { lotsOf } from "./lots.ts";
import { creditClean, type Taken, takeFrom } from "./positions.ts";
import { type BlockWork, isHolder, isOwn, labelOf, nodeOf } from "./work.ts";

/** What each address gains (or loses) of each asset. Null: made or destroyed. */
type Nets = Map<Address | null, Map<AssetId, bigint>>;

/** CNV-1: the machines of a transaction, where they exchange assets as a whole; null: it is no conversion. */
export function findMachines(
  work: BlockWork,
  tx: AccountTransaction,
  legs: readonly Leg[],
): Set<Address | null> | null {
  const nets = netsOf(legs);
  const tokens = new Set(
    legs.flatMap(({ from, to, asset }) => (from === null || to === null ? [contractOf(asset)] : [])),
  );
  const machines = new Set<Address | null>();
  const sum = new Map<AssetId, bigint>();
  for (const [address, net] of nets) {
    if (!isMachineIn(work, { tx, address, net, tokens })) continue;
    machines.add(address);
    for (const [asset, by] of net) sum.set(asset, (sum.get(asset) ?? 0n) + by);
  }
  return exchanges(sum) ? machines : null;
}

function isMachineIn(
  work: BlockWork,
  of: {
    tx: AccountTransaction;
    address: Address | null;
    net: ReadonlyMap<AssetId, bigint>;
    tokens: ReadonlySet<string>;
  },
): boolean {
  const { tx, address, net, tokens } = of;
  if (address === null) return true;
  const label = labelOf(work, address);
  if (isMachine(label)) return true;
  const isParty = address === tx.from || isHolder(work, address) || isOwn(work, address);
  if (isParty || label?.kind === "wallet" || endOfLabel(label) !== null) return false;
  if (tokens.has(address)) return true;
  // A router that keeps nothing is one too: it neither gives nor gains, so nobody has to ask.
  return exchanges(net) && work.block.kind === "account" && work.block.contracts.has(address);
}

function exchanges(net: ReadonlyMap<AssetId, bigint>): boolean {
  const all = [...net.values()];
  return all.some((by) => by > 0n) && all.some((by) => by < 0n);
}

function netsOf(legs: readonly Leg[]): Nets {
  const nets: Nets = new Map();
  const add = (address: Address | null, asset: AssetId, by: bigint) => {
    const net = nets.get(address) ?? new Map<AssetId, bigint>();
    nets.set(address, net.set(asset, (net.get(asset) ?? 0n) + by));
  };
  for (const { from, to, asset, amount } of legs) {
    add(from, asset, -amount);
    add(to, asset, amount);
  }
  return nets;
}

/** The last part of a CAIP-19 id: of a token its contract. */
function contractOf(asset: AssetId): string {
  return asset.slice(asset.lastIndexOf(":") + 1);
}

/** What a party gave of one asset, and what of it is stolen. */
interface Given {
  readonly party: Address;
  readonly asset: AssetId;
  readonly amount: bigint;
  readonly taken: Taken | null;
}

interface Gain {
  readonly party: Address;
  readonly asset: AssetId;
  readonly amount: bigint;
}

/** CNV-2, CNV-3 */
export function convert(
  work: BlockWork,
  tx: AccountTransaction,
  { legs, machines }: { legs: readonly Leg[]; machines: ReadonlySet<Address | null> },
): void {
  const given: Given[] = [];
  const gains: Gain[] = [];
  for (const [party, net] of netsOf(legs)) {
    if (party === null || machines.has(party)) continue;
    for (const [asset, by] of net) {
      if (by > 0n) gains.push({ party, asset, amount: by });
      if (by < 0n)
        given.push({ party, asset, amount: -by, taken: takeFrom(work, { address: party, asset, amount: -by }) });
    }
  }
  for (const { asset, from, to, amount } of legs) {
    work.balances.move(asset, from, -amount);
    work.balances.move(asset, to, amount);
  }
  const credited = new Map<AssetId, bigint>();
  for (const gain of gains) {
    const tainted = deliverGain(work, tx, { gain, given, legs });
    credited.set(gain.asset, (credited.get(gain.asset) ?? 0n) + tainted);
  }
  bookConversion(work, given, credited);
}

/** Per asset what was given less what came back. */
function bookConversion({ ledger, chain }: BlockWork, given: readonly Given[], credited: Map<AssetId, bigint>): void {
  const left = new Map<AssetId, bigint>();
  for (const { asset, taken } of given) left.set(asset, (left.get(asset) ?? 0n) + (taken?.tainted ?? 0n));
  for (const [asset, tainted] of credited) left.set(asset, (left.get(asset) ?? 0n) - tainted);
  for (const [asset, by] of left)
    bookTotals(ledger, { chain, asset, [by > 0n ? "convOut" : "convIn"]: by > 0n ? by : -by });
}

/** Credits a gain with its part of what was given; that part. */
function deliverGain(
  work: BlockWork,
  tx: AccountTransaction,
  { gain, given, legs }: { gain: Gain; given: readonly Given[]; legs: readonly Leg[] },
): bigint {
  const { party, asset, amount } = gain;
  const source = sourceOf(gain, given);
  const tainted = source === null ? 0n : (amount * source.ratio.tainted) / source.ratio.whole;
  if (source === null || tainted === 0n) {
    creditClean(work, { address: party, asset, amount });
    return 0n;
  }
  const { lead } = source;
  const isOwnGain = lead.party === party;
  const hop = source.hop + (isOwnGain ? 0 : 1);
  const paid = new Set(legs.filter(({ to }) => to === party).map(({ key }) => key));
  deliver(work, {
    kind: "conversion",
    asset,
    amount,
    tainted,
    from: nodeOf(lead.party, lead.asset),
    to: { holder: party, owner: party },
    hop,
    steps: source.steps + 1,
    basis: source.basis,
    senderHop: source.hop,
    sender: isOwnGain ? null : lead.party,
    orders: tx.bridge.filter(({ direction, legs: named }) => direction === "out" && named.some((key) => paid.has(key))),
    via: { type: "swap" },
    ...(source.joined === undefined ? {} : { joined: source.joined }),
    ...(work.rules.method === "fifo" ? { lots: lotsOf(amount, tainted, hop) } : {}),
  });
  return tainted;
}

/** Where a gain's taint comes from. `lead`: the largest of those who gave it. */
interface Source {
  readonly ratio: Ratio;
  readonly lead: Given;
  readonly hop: number;
  readonly steps: number;
  readonly basis: Taken["basis"];
  readonly joined?: FlowEdge["joined"];
}

/**
 * CNV-3. A party that gave goes by its own ratio: nobody in a batch pays for another. An outsider goes by all that was given,
 * of the same asset where it was, else of the most tainted one: sending the result to a fresh address hides nothing.
 */
function sourceOf({ party, asset }: Gain, given: readonly Given[]): Source | null {
  const own = given.filter((one) => one.party === party);
  if (own.length > 0) return sourceFrom(own.map((one) => [one]));
  const same = given.filter((one) => one.asset === asset);
  if (same.length > 0) return sourceFrom([same]);
  return sourceFrom([...Map.groupBy(given, (one) => one.asset).values()]);
}

/** Of several pools the one with the largest ratio. */
function sourceFrom(pools: readonly (readonly Given[])[]): Source | null {
  let best: { ratio: Ratio; pool: readonly Given[] } | null = null;
  for (const pool of pools) {
    const ratio = {
      tainted: pool.reduce((sum, { taken }) => sum + (taken?.tainted ?? 0n), 0n),
      whole: pool.reduce((sum, { amount }) => sum + amount, 0n),
    };
    if (best === null || isLarger(ratio, best.ratio)) best = { ratio, pool };
  }
  if (best === null || best.ratio.tainted === 0n) return null;
  const givers = pools.flat().flatMap((one) => (one.taken !== null && one.taken.tainted > 0n ? [one.taken] : []));
  const part = best.pool.reduce((most, { taken }) => largest(most, taken?.tainted ?? 0n), 0n);
  const lead = best.pool.find(({ taken }) => taken?.tainted === part) as Given;
  const others = best.pool.filter(({ taken }) => taken !== null && taken.tainted > 0n).length - 1;
  return {
    ratio: best.ratio,
    lead,
    hop: Math.min(...givers.map(({ hop }) => hop)),
    steps: Math.min(...givers.map(({ steps }) => steps)),
    basis: givers.some(({ basis }) => basis === "observed") ? "observed" : "exact",
    ...(others > 0 ? { joined: { others, part, whole: best.ratio.tainted } } : {}),
  };
}
