/**
 * The haircut rules once more, as slowly and plainly as they read: true balances instead of anchors, one pass over what
 * happened in the order in which it happened, nothing kept for undoing. Shares no code with the engine. No CoinJoins.
 */
import type {
  AccountTransaction,
  BridgeEvent,
  FlowBlock,
  UtxoBlock,
  UtxoTransaction,
} from "../../../src/types/flow-block.ts";
import { type Gift, NaiveBooks, type NaiveResult, STOPS } from "./naive-books.ts";
import type { World } from "./world.ts";

export function followNaively(world: World): NaiveResult {
  const naive = new Naive(world);
  for (const block of world.blocks) naive.block(block);
  return naive.result();
}

class Naive extends NaiveBooks {
  block(block: FlowBlock): void {
    this.chain = block.chain;
    this.number = block.number;
    for (const origin of this.originsOf("balance")) {
      if (origin.block !== block.number) continue;
      for (const asset of origin.assets) {
        const have = this.balance(origin.address, asset);
        if (have > this.taintOf(origin.address, asset))
          this.put(asset, origin.address, { amount: have, hop: 0, steps: 0, owner: origin.address });
      }
    }
    if (block.kind === "utxo")
      for (const tx of block.transactions.toSorted((a, b) => a.index - b.index)) this.coins(block, tx);
    else
      for (const tx of block.transactions.toSorted((a, b) => a.index - b.index)) this.transaction(tx, block.contracts);
    const level = this.level.get(block.chain) ?? 0;
    const held = [...this.held.keys()].filter((key) => key.startsWith(`${block.chain}|`)).length;
    let raised = 0;
    while (held * 10 >= this.world.incident.rules.positionsMax * (10 + raised)) raised += 1;
    this.level.set(block.chain, Math.max(level, raised));
  }

  /** What a bridge pays, where an order explains it. */
  private arrival(
    event: BridgeEvent | undefined,
    asset: string,
    value: bigint,
    passed: bigint,
  ): Pick<Gift, "taint" | "hop" | "steps"> | null {
    const order = event === undefined ? undefined : this.orderRows.get(event.key);
    if (event === undefined || order === undefined) return null;
    const isBack = event.direction === "refund" && order.chain === this.chain && order.asset === asset;
    let taint = (value * order.taint) / order.value;
    if (taint > value - passed) taint = value - passed;
    if (isBack && taint > order.taint - order.back) taint = order.taint - order.back;
    if (isBack) {
      order.back += taint;
      order.backs += 1;
    } else order.arrived = true;
    return { taint, hop: isBack ? order.hop : order.hop + 1, steps: order.steps + 1 };
  }

  private eventOf(events: readonly BridgeEvent[], leg: string): BridgeEvent | undefined {
    return events.find(
      ({ direction, key, legs }) => direction !== "out" && legs.includes(leg) && this.orderRows.has(key),
    );
  }

  private transaction(tx: AccountTransaction, contracts: ReadonlySet<string>): void {
    this.tx = tx.hash;
    if (tx.fee !== null && tx.fee.amount > 0n) {
      const { taint } = this.take(tx.fee.payer, tx.fee.asset, tx.fee.amount);
      this.end(this.chain, tx.fee.asset, "fee|", taint);
      this.shift(tx.fee.payer, tx.fee.asset, -tx.fee.amount);
    }
    if (!tx.ok) return;
    const legs = tx.legs.filter(({ amount, from, to }) => amount > 0n && from !== to);
    for (const { from, to, asset, amount } of legs)
      if (from !== null && this.isOurs(from)) this.sourceHit(from, to, asset, amount);
    const plain = legs.filter(({ key }) => this.eventOf(tx.bridge, key) === undefined);
    const machines = legs.some(({ key }) => this.isStolenLeg(key))
      ? null
      : this.machines({ ...tx, legs: plain }, contracts);
    for (const leg of machines === null ? legs : legs.filter((one) => !plain.includes(one))) this.leg(tx, leg);
    if (machines !== null) this.exchange({ ...tx, legs: plain }, machines);
  }

  private leg(tx: AccountTransaction, leg: AccountTransaction["legs"][number]): void {
    const { from, to, asset, amount } = leg;
    const orders = tx.bridge.filter(({ direction, legs }) => direction === "out" && legs.includes(leg.key));
    const taken = this.take(from, asset, amount);
    this.shift(from, asset, -amount);
    this.shift(to, asset, amount);
    const base = { asset, holder: to, owner: to, payer: from, payerHop: taken.hop, orders };
    if (this.isStolenLeg(leg.key))
      return this.give({ ...base, value: amount, taint: amount, hop: 0, steps: 0, payer: null, orders: [] });
    const event = this.eventOf(tx.bridge, leg.key);
    const value = event === undefined ? amount : taken.taint;
    const arrival = this.arrival(event, asset, amount, taken.taint);
    this.give({ ...base, value, taint: taken.taint, hop: taken.hop + 1, steps: taken.steps + 1 });
    if (arrival !== null)
      this.give({ ...base, ...arrival, value: amount - taken.taint, payer: null, payerHop: arrival.hop });
  }

  private nets(tx: AccountTransaction): Map<string, bigint> {
    const nets = new Map<string, bigint>();
    const add = (who: string | null, asset: string, by: bigint) =>
      nets.set(`${who ?? ""}|${asset}`, (nets.get(`${who ?? ""}|${asset}`) ?? 0n) + by);
    for (const { from, to, asset, amount } of tx.legs) {
      add(from, asset, -amount);
      add(to, asset, amount);
    }
    return nets;
  }

  private machines(tx: AccountTransaction, contracts: ReadonlySet<string>): Set<string> | null {
    const nets = [...this.nets(tx)];
    const who = new Set(nets.map(([key]) => key.split("|")[0] ?? ""));
    const minted = tx.legs
      .filter(({ from, to }) => from === null || to === null)
      .map(({ asset }) => asset.split(":").at(-1));
    const machines = new Set(
      [...who].filter((address) => {
        if (address === "" || this.label(address) === "wrapper") return true;
        if (address === tx.from || this.holds(address) || this.isOurs(address) || this.label(address) !== undefined)
          return false;
        if (minted.includes(address)) return true;
        const own = nets.filter(([key]) => key.startsWith(`${address}|`)).map(([, by]) => by);
        const both = own.some((by) => by > 0n) && own.some((by) => by < 0n);
        return contracts.has(address) && (both || own.every((by) => by === 0n));
      }),
    );
    const sums = new Map<string, bigint>();
    for (const [key, by] of nets) {
      const [address = "", asset = ""] = key.split("|");
      if (machines.has(address)) sums.set(asset, (sums.get(asset) ?? 0n) + by);
    }
    const all = [...sums.values()];
    return all.some((by) => by > 0n) && all.some((by) => by < 0n) ? machines : null;
  }

  private exchange(tx: AccountTransaction, machines: ReadonlySet<string>): void {
    const lost: { who: string; asset: string; net: bigint; taint: bigint; hop: number; steps: number }[] = [];
    const won: { who: string; asset: string; net: bigint }[] = [];
    for (const [key, by] of this.nets(tx)) {
      const [who = "", asset = ""] = key.split("|");
      if (machines.has(who)) continue;
      if (by > 0n) won.push({ who, asset, net: by });
      if (by < 0n) lost.push({ who, asset, net: -by, ...this.take(who, asset, -by) });
    }
    for (const { from, to, asset, amount } of tx.legs) {
      this.shift(from, asset, -amount);
      this.shift(to, asset, amount);
    }
    const pool = (asset: string) => {
      const of = lost.filter((one) => one.asset === asset);
      return {
        taint: of.reduce((sum, one) => sum + one.taint, 0n),
        net: of.reduce((sum, one) => sum + one.net, 0n),
        of,
      };
    };
    for (const { who, asset, net } of won) {
      const own = lost.filter((one) => one.who === who).map((one) => ({ ...one, of: [one] }));
      const same = lost.some((one) => one.asset === asset);
      const pools = own.length > 0 ? own : same ? [pool(asset)] : [...new Set(lost.map((one) => one.asset))].map(pool);
      let best = pools[0];
      for (const one of pools) if (best !== undefined && one.taint * best.net > best.taint * one.net) best = one;
      const givers = pools.flatMap(({ of }) => of).filter(({ taint }) => taint > 0n);
      if (best === undefined || givers.length === 0) continue;
      const hop = Math.min(...givers.map((one) => one.hop));
      const lead = best.of.reduce((a, b) => (b.taint > a.taint ? b : a));
      const paid = tx.legs.filter(({ to }) => to === who).map(({ key }) => key);
      this.give({
        asset,
        holder: who,
        owner: who,
        value: net,
        taint: (net * best.taint) / best.net,
        hop: own.length > 0 ? hop : hop + 1,
        steps: Math.min(...givers.map((one) => one.steps)) + 1,
        payer: own.length > 0 ? null : lead.who,
        payerHop: hop,
        orders: tx.bridge.filter(
          ({ direction, legs }) => direction === "out" && legs.some((key) => paid.includes(key)),
        ),
      });
    }
  }

  private coins({ asset }: UtxoBlock, tx: UtxoTransaction): void {
    this.tx = tx.hash;
    const ours = tx.inputs.find(({ address }) => this.isOurs(address));
    for (const { address, amount } of tx.outputs)
      if (ours?.address != null && amount > 0n) this.sourceHit(ours.address, address, asset, amount);
    const inputs = tx.inputs.map((input) => {
      const holder = `${input.tx}:${input.index}`;
      const held = this.held.get(`${this.chain}|${holder}|${asset}`);
      this.held.delete(`${this.chain}|${holder}|${asset}`);
      const isTop = this.controls(input.address) && (held?.amount ?? 0n) < input.amount;
      const now = isTop ? { amount: input.amount, hop: 0, steps: 0 } : (held ?? { amount: 0n, hop: 0, steps: 0 });
      return { ...now, address: input.address };
    });
    const tainted = inputs.filter(({ amount }) => amount > 0n);
    const taint = tainted.reduce((sum, { amount }) => sum + amount, 0n);
    const spent = tx.inputs.reduce((sum, { amount }) => sum + amount, 0n);
    const made = tx.outputs.reduce((sum, { amount }) => sum + amount, 0n);
    const total = spent > made ? spent : made;
    const hop = Math.min(...tainted.map((one) => one.hop));
    const steps = Math.min(...tainted.map((one) => one.steps));
    const lead = tainted.length === 0 ? null : tainted.reduce((a, b) => (b.amount > a.amount ? b : a));
    let before = 0n;
    for (const [n, output] of tx.outputs.entries()) {
      const share = total === 0n ? 0n : (taint * (before + output.amount)) / total - (taint * before) / total;
      before += output.amount;
      const leg = `vout:${n}`;
      const base = {
        asset,
        holder: output.unspendable === true ? null : `${tx.hash}:${n}`,
        owner: output.address,
        payer: lead?.address ?? null,
        payerHop: hop,
        orders: tx.bridge.filter(({ direction, legs }) => direction === "out" && legs.includes(leg)),
      };
      if (this.isStolenLeg(leg)) {
        this.give({ ...base, value: output.amount, taint: output.amount, hop: 0, steps: 0, payer: null, orders: [] });
        continue;
      }
      const arrival = this.arrival(this.eventOf(tx.bridge, leg), asset, output.amount, share);
      const value = arrival === null ? output.amount : share;
      this.give({ ...base, value, taint: share, hop: hop + (this.goesOn(tx, n) ? 0 : 1), steps: steps + 1 });
      if (arrival !== null)
        this.give({ ...base, ...arrival, value: output.amount - share, payer: null, payerHop: arrival.hop });
    }
    if (total > 0n) this.end(this.chain, asset, "fee|", taint - (taint * before) / total);
  }

  private goesOn(tx: UtxoTransaction, n: number): boolean {
    const output = tx.outputs[n];
    if (output === undefined || output.address === null) return false;
    if (tx.inputs.some(({ address }) => address === output.address)) return true;
    const left = tx.outputs
      .map((one, at) => ({ ...one, at }))
      .filter(({ amount, unspendable }) => amount > 0n && unspendable !== true);
    const other = left.find(({ at }) => at !== n);
    if (left.length !== 2 || other === undefined || !left.some(({ at }) => at === n)) return false;
    const away = ({ address, at }: { address: string | null; at: number }) =>
      this.isOurs(address) ||
      STOPS[this.label(address) ?? ""] !== undefined ||
      tx.bridge.some(({ direction, legs }) => direction === "out" && legs.includes(`vout:${at}`));
    if (away({ address: output.address, at: n })) return false;
    const onePayer = new Set(tx.inputs.map(({ address }) => address)).size === 1;
    return away(other) || (onePayer && output.amount >= 4n * other.amount);
  }
}
