/** What the naive rules (naive.ts) keep, and how stolen funds leave and reach a holder: plain maps, nothing clever. */
import type { BridgeEvent } from "../../../src/types/flow-block.ts";
import type { FlowOrigin } from "../../../src/types/flow.ts";
import type { World } from "./world.ts";

export interface Held {
  amount: bigint;
  hop: number;
  steps: number;
  owner: string | null;
}

export interface Gift {
  readonly asset: string;
  readonly holder: string | null;
  readonly owner: string | null;
  readonly value: bigint;
  readonly taint: bigint;
  readonly hop: number;
  readonly steps: number;
  readonly payer: string | null;
  readonly payerHop: number;
  readonly orders: readonly BridgeEvent[];
}

export interface OrderState {
  readonly chain: string;
  readonly asset: string;
  value: bigint;
  taint: bigint;
  hop: number;
  steps: number;
  back: bigint;
  backs: number;
  arrived: boolean;
  readonly tx: string;
}

export const STOPS: Readonly<Record<string, string>> = {
  exchange: "service",
  mixer: "mixer",
  bridge: "bridgeUnresolved",
};

/** Taint by position, by trail end, and of hits. Keys are texts. */
export interface NaiveResult {
  readonly positions: ReadonlyMap<string, string>;
  readonly ends: ReadonlyMap<string, bigint>;
  readonly hits: ReadonlyMap<string, string>;
}

export class NaiveBooks {
  protected readonly world: World;
  protected readonly held = new Map<string, Held>();
  protected readonly ends = new Map<string, bigint>();
  protected readonly hitRows = new Map<string, { value: bigint; taint: bigint; hop: number }>();
  protected readonly orderRows = new Map<string, OrderState>();
  protected readonly balances: Map<string, bigint>;
  protected readonly paid = new Map<string, Set<string>>();
  protected readonly suspects = new Set<string>();
  protected readonly level = new Map<string, number>();
  protected chain = "";
  protected number = 0;
  protected tx = "";

  constructor(world: World) {
    this.world = world;
    this.balances = new Map(world.start);
  }

  result(): NaiveResult {
    for (const order of this.orderRows.values())
      if (order.backs > 0 && !order.arrived)
        this.end(order.chain, order.asset, "bridgeFee|across", order.taint - order.back);
    const positions = [...this.held].map(([key, { amount, hop }]) => [key, `${amount} at hop ${hop}`] as const);
    const hits = [...this.hitRows].map(
      ([key, { value, taint, hop }]) => [key, `${taint} of ${value} at hop ${hop}`] as const,
    );
    return { positions: new Map(positions), ends: this.ends, hits: new Map(hits) };
  }

  protected originsOf<K extends FlowOrigin["kind"]>(kind: K): Extract<FlowOrigin, { kind: K }>[] {
    const all = this.world.incident.origins.filter((origin) => origin.kind === kind && origin.chain === this.chain);
    return all as Extract<FlowOrigin, { kind: K }>[];
  }

  protected isStolenLeg(leg: string): boolean {
    return this.originsOf("leg").some((origin) => origin.tx === this.tx && origin.leg === leg);
  }

  protected controls(address: string | null): boolean {
    return this.originsOf("controlled").some(
      (origin) => origin.address === address && origin.sinceBlock <= this.number,
    );
  }

  protected names(address: string | null): boolean {
    const balances = this.originsOf("balance").some((one) => one.address === address && one.block <= this.number);
    return balances || this.controls(address);
  }

  protected holds(address: string | null): boolean {
    const owns = [...this.held].some(([key, { owner }]) => key.startsWith(`${this.chain}|`) && owner === address);
    return address !== null && (owns || this.controls(address));
  }

  protected label(address: string | null): string | undefined {
    return address === null ? undefined : this.world.incident.names.labelOf(this.chain, address, this.number)?.kind;
  }

  protected isOurs(address: string | null): boolean {
    return address !== null && this.world.incident.names.isOwn(this.chain, address);
  }

  protected balance(address: string, asset: string): bigint {
    return this.balances.get(`${this.chain}|${address}|${asset}`) ?? 0n;
  }

  protected shift(address: string | null, asset: string, by: bigint): void {
    if (address !== null) this.balances.set(`${this.chain}|${address}|${asset}`, this.balance(address, asset) + by);
  }

  protected taintOf(holder: string, asset: string): bigint {
    return this.held.get(`${this.chain}|${holder}|${asset}`)?.amount ?? 0n;
  }

  protected put(asset: string, holder: string, held: Held): void {
    const key = `${this.chain}|${holder}|${asset}`;
    this.held.delete(key);
    if (held.amount > 0n) this.held.set(key, held);
  }

  protected end(chain: string, asset: string, what: string, taint: bigint): void {
    const key = `${chain}|${asset}|${what}`;
    if (taint > 0n) this.ends.set(key, (this.ends.get(key) ?? 0n) + taint);
  }

  /** What of a payment is stolen. */
  protected take(address: string | null, asset: string, value: bigint): { taint: bigint; hop: number; steps: number } {
    const nothing = { taint: 0n, hop: 0, steps: 0 };
    if (address === null) return nothing;
    const key = `${this.chain}|${address}|${asset}`;
    const most = (...all: bigint[]) => all.reduce((a, b) => (a > b ? a : b));
    let held = this.held.get(key) ?? { amount: 0n, hop: 0, steps: 0, owner: address };
    const whole = most(this.balance(address, asset), value, held.amount);
    if (this.controls(address)) {
      if (held.amount < whole) held = { amount: whole, hop: 0, steps: 0, owner: address };
    } else {
      const stop = STOPS[this.label(address) ?? ""];
      if (held.amount === 0n) return nothing;
      if (stop !== undefined) {
        this.end(this.chain, asset, `${stop}|${this.entity(address)}`, held.amount);
        this.put(asset, address, { ...held, amount: 0n });
        return nothing;
      }
    }
    if (whole === 0n) return nothing;
    const taint = (held.amount * value) / whole;
    this.put(asset, address, { ...held, amount: held.amount - taint });
    return { taint, hop: held.hop, steps: held.steps };
  }

  protected entity(address: string): string {
    return this.world.incident.names.labelOf(this.chain, address, this.number)?.entity ?? "";
  }

  protected give(gift: Gift): void {
    const { asset, holder, owner, value, taint, hop, steps, payer, orders } = gift;
    const { rules } = this.world.incident;
    const end = (what: string) => this.end(this.chain, asset, what, taint);
    if (taint === 0n) return;
    if (this.isOurs(owner)) {
      this.hit("destination", owner ?? "", asset, { value, taint, hop: hop < 1 ? 1 : hop });
      end("own|");
      return;
    }
    if (orders.length > 0) return this.openOrder(gift);
    if (holder === null) return end("service|burn");
    const stop = STOPS[this.label(owner) ?? ""];
    if (stop !== undefined) return end(`${stop}|${this.entity(owner ?? "")}`);
    if (this.suspects.has(`${this.chain}|${owner}`)) return end(`suspectedService|${owner}`);
    const known = this.held.get(`${this.chain}|${holder}|${asset}`);
    const floor =
      (rules.minTrack["*"] ?? 0n) * (known === undefined ? 10n ** BigInt(this.level.get(this.chain) ?? 0) : 1n);
    if (taint < floor) return end("dust|");
    if (taint * 10_000n < value * BigInt(rules.minShareBps)) return end("dilution|");
    if (hop > rules.maxHops || steps > rules.maxSteps) return end("hopLimit|");
    if (payer !== null && this.pays(payer, owner ?? holder, rules.maxFanout)) {
      end(`suspectedService|${payer}`);
      this.suspects.add(`${this.chain}|${payer}`);
      for (const [key, held] of this.held) {
        if (!key.startsWith(`${this.chain}|`) || held.owner !== payer) continue;
        this.end(this.chain, key.split("|")[2] ?? "", `suspectedService|${payer}`, held.amount);
        this.held.delete(key);
      }
      return;
    }
    this.put(asset, holder, {
      amount: taint + (known?.amount ?? 0n),
      hop: Math.min(hop, known?.hop ?? hop),
      steps: Math.min(steps, known?.steps ?? steps),
      owner,
    });
  }

  /** True when this receiver is one too many. */
  protected pays(payer: string, receiver: string, most: number): boolean {
    const paid = this.paid.get(`${this.chain}|${payer}`) ?? new Set();
    this.paid.set(`${this.chain}|${payer}`, paid);
    if (payer === receiver || paid.has(receiver)) return false;
    if (paid.size >= most) return true;
    paid.add(receiver);
    return false;
  }

  protected openOrder({ asset, value, taint, payerHop, steps, orders }: Gift): void {
    for (const { key } of orders) {
      const known = this.orderRows.get(key);
      this.orderRows.set(key, {
        chain: this.chain,
        asset,
        value: value + (known?.value ?? 0n),
        taint: taint + (known?.taint ?? 0n),
        hop: Math.min(payerHop, known?.hop ?? payerHop),
        steps: Math.min(steps, known?.steps ?? steps),
        back: 0n,
        backs: 0,
        arrived: false,
        tx: this.tx,
      });
    }
  }

  protected hit(role: string, address: string, asset: string, by: { value: bigint; taint: bigint; hop: number }): void {
    const key = `${this.chain}|${this.tx}|${address}|${asset}|${role}`;
    const known = this.hitRows.get(key) ?? { value: 0n, taint: 0n, hop: by.hop };
    const hop = Math.min(known.hop, by.hop);
    this.hitRows.set(key, { value: known.value + by.value, taint: known.taint + by.taint, hop });
  }

  protected sourceHit(payer: string, to: string | null, asset: string, value: bigint): void {
    const hops = [...this.held].flatMap(([key, { owner, hop }]) =>
      key.startsWith(`${this.chain}|`) && owner === to ? [hop] : [],
    );
    if (to === null || this.isOurs(to) || (hops.length === 0 && !this.names(to))) return;
    this.hit("source", payer, asset, { value, taint: 0n, hop: this.names(to) ? 1 : Math.min(...hops) + 1 });
  }
}
