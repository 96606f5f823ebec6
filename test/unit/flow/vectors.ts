/** The vectors of test/fixtures/flows in our words; its README says how names are mapped. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AccountTransaction, BridgeEvent, FlowBlock, UtxoTransaction } from "../../../src/types/flow-block.ts";
import type { FlowIncident, FlowLabel, FlowMethod, FlowOrigin, FlowRules } from "../../../src/types/flow.ts";

const BITCOIN = "bip122:000000000019d6689c085ae165831e93";

export interface VectorOrigin {
  readonly kind: "leg" | "balance" | "controlled";
  readonly chain: string;
  readonly tx?: string;
  readonly leg?: number;
  readonly address?: string;
  readonly assets?: readonly string[];
  readonly block?: number;
  readonly sinceBlock?: number;
}

interface VectorTx {
  readonly hash?: string;
  readonly txid?: string;
  readonly index: number;
  readonly from?: string;
  readonly ok?: boolean;
  readonly fee?: { readonly payer: string; readonly amount: string } | null;
  readonly legs?: readonly { asset: string; from: string; to: string; amount: string }[];
  readonly vin?: readonly { tx: string; n: number; value: string; address: string }[];
  readonly vout?: readonly { value: string; address?: string; opReturn?: boolean }[];
  readonly bridge?: readonly {
    dir: BridgeEvent["direction"];
    bridge: string;
    leg?: number;
    n?: number;
    to?: string;
    key: string;
    dstChain?: string;
    dstAddress?: string;
  }[];
}

interface VectorBlock {
  readonly chain: string;
  readonly utxo?: boolean;
  readonly number: number;
  readonly hash: string;
  readonly parent: string;
  readonly time: number;
  readonly balances?: readonly { address: string; asset: string; amount: string }[];
  readonly txs?: readonly VectorTx[];
}

export interface Expectation {
  readonly positions?: readonly { chain: string; holder: string; asset: string; tainted: string; hop: number }[];
  readonly sinks?: readonly { kind: string; ref: string; chain: string; asset: string; amount: string }[];
  readonly hits?: readonly (Record<string, unknown> & { chain: string; asset: string })[];
  readonly handoffs?: readonly (Record<string, unknown> & { key: string })[];
  readonly totals?: Readonly<Record<"injected" | "convIn" | "convOut", Readonly<Record<string, string>>>>;
  readonly outbox?: readonly { hit: string; stage: string }[];
  readonly path?: { readonly hit: string; readonly edges: readonly (readonly string[])[] };
  readonly mixerDeposits?: readonly { pool: string; asset: string; deposits: number; tainted: string }[];
}

export interface Step {
  readonly block?: VectorBlock;
  readonly undo?: { readonly chain: string; readonly toNumber: number };
  readonly addOrigin?: VectorOrigin;
  readonly snapshot?: string;
  readonly sameAs?: string;
  readonly check?: Expectation;
}

export interface Vector {
  readonly id: string;
  readonly title: string;
  readonly method: FlowMethod;
  readonly config?: {
    readonly minTrack?: Readonly<Record<string, string>>;
    readonly minShareBps?: number;
    readonly maxHops?: number;
    readonly maxFanout?: number;
    readonly ignoredAssets?: readonly string[];
  };
  readonly origins: readonly VectorOrigin[];
  readonly labels?: readonly { chain: string; address: string; kind: string; entity: string }[];
  readonly watch?: readonly { chain: string; address: string }[];
  readonly contracts?: readonly string[];
  readonly steps: readonly Step[];
  readonly expect: Expectation;
}

export interface Vectors {
  readonly vectors: readonly Vector[];
  readonly apportion: readonly { taint: string; parts: readonly string[]; expect: readonly string[] }[];
  readonly coinjoins: readonly {
    readonly id: string;
    readonly tx: VectorTx;
    readonly expect: { readonly type: string; readonly denominations: readonly string[] } | null;
  }[];
  readonly scores: readonly {
    readonly id: string;
    readonly input: {
      readonly usdCents: string;
      readonly shareBps: number;
      readonly hop: number;
      readonly confidence: "official" | "vendor" | "community" | "heuristic";
      readonly sanctioned: boolean;
      readonly unconfirmedLink: boolean;
    };
    readonly expect: Readonly<Record<"amount" | "share" | "proximity" | "confidence" | "score", number>> & {
      readonly severity: string;
    };
  }[];
  readonly valuation: readonly { amount: string; decimals: number; priceMicroUsd: number; expectUsdCents: string }[];
}

export const VECTORS = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/flows/vectors.json"), "utf8"),
) as Vectors & Record<string, unknown>;

export function chainOf(chain: string): string {
  return chain === "btc" ? BITCOIN : chain;
}

/** Also of texts that begin with an asset's chain, such as `chain|asset`. */
export function assetOf(asset: string): string {
  const [chain = "", rest = ""] = asset.split("/");
  return `${chainOf(chain)}/${rest === "native" ? `slip44:${chain === "btc" ? 0 : 60}` : rest}`;
}

export function camelOf(text: string): string {
  return text.replaceAll(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

/** `0x0` is what makes and destroys. */
function partyOf(address: string): string | null {
  return address === "0x0" ? null : address;
}

export function incidentOf(vector: Vector, origins: readonly VectorOrigin[] = vector.origins): FlowIncident {
  const labels = new Map<string, FlowLabel>();
  for (const { chain, address, kind, entity } of vector.labels ?? [])
    labels.set(`${chainOf(chain)}|${address}`, { kind: camelOf(kind) as FlowLabel["kind"], entity });
  const own = new Set(vector.watch?.map(({ chain, address }) => `${chainOf(chain)}|${address}`));
  const ignored = new Set(vector.config?.ignoredAssets?.map(assetOf));
  return {
    id: vector.id,
    rules: rulesOf(vector),
    origins: origins.map((origin) => originOf(origin)),
    names: {
      labelOf: (chain, address) => labels.get(`${chain}|${address}`) ?? null,
      isOwn: (chain, address) => own.has(`${chain}|${address}`),
      isFollowed: (asset) => !ignored.has(asset),
    },
  };
}

function rulesOf({ method, config = {} }: Vector): FlowRules {
  const { minTrack = {}, minShareBps = 0, maxHops = 32, maxFanout = 1000 } = config;
  const floors = Object.entries(minTrack).map(([asset, amount]) => [
    asset === "*" ? "*" : assetOf(asset),
    BigInt(amount),
  ]);
  return {
    method,
    minTrack: { "*": 1n, ...(Object.fromEntries(floors) as Record<string, bigint>) },
    minShareBps,
    maxHops,
    maxSteps: 10_000,
    maxFanout,
    positionsMax: 200_000,
  };
}

export function originOf(origin: VectorOrigin): FlowOrigin {
  const { kind, tx = "", leg = 0, address = "", assets = [], block = 0, sinceBlock = 0 } = origin;
  const chain = chainOf(origin.chain);
  if (kind === "leg") return { kind, chain, tx, leg: chain === BITCOIN ? `vout:${leg}` : String(leg) };
  if (kind === "balance") return { kind, chain, address, assets: assets.map(assetOf), block };
  return { kind, chain, address, sinceBlock };
}

export function blockOf(block: VectorBlock, contracts: readonly string[] = []): FlowBlock {
  const { number, hash, parent, time, txs = [], balances = [] } = block;
  const head = { chain: chainOf(block.chain), number, hash, parentHash: parent, timestamp: time };
  if (block.utxo === true)
    return { ...head, kind: "utxo", asset: assetOf("btc/native"), transactions: txs.map(coinsOf) };
  return {
    ...head,
    kind: "account",
    transactions: txs.map((tx) => transactionOf(block.chain, tx)),
    anchors: balances.map(({ address, asset, amount }) => ({ address, asset: assetOf(asset), amount: BigInt(amount) })),
    contracts: new Set(contracts),
  };
}

function transactionOf(chain: string, tx: VectorTx): AccountTransaction {
  const { hash = "", index, from = "", ok = true, fee, legs = [], bridge = [] } = tx;
  return {
    hash,
    index,
    from,
    ok,
    fee: fee == null ? null : { payer: fee.payer, asset: assetOf(`${chain}/native`), amount: BigInt(fee.amount) },
    legs: legs.map((leg, at) => ({
      key: String(at),
      asset: assetOf(leg.asset),
      from: partyOf(leg.from),
      to: partyOf(leg.to),
      amount: BigInt(leg.amount),
    })),
    bridge: bridge.map((event) => eventOf(event, [String(event.leg)])),
  };
}

export function coinsOf(tx: VectorTx): UtxoTransaction {
  const { txid = "", index, vin = [], vout = [], bridge = [] } = tx;
  return {
    hash: txid,
    index,
    inputs: vin.map((input) => ({ tx: input.tx, index: input.n, amount: BigInt(input.value), address: input.address })),
    outputs: vout.map(({ value, address, opReturn }) => ({
      amount: BigInt(value),
      address: address ?? null,
      ...(opReturn === true ? { unspendable: true as const } : {}),
    })),
    bridge: bridge.map((event) => {
      const paying = vout.flatMap(({ address }, n) => (address === event.to ? [n] : []));
      return eventOf(
        event,
        (event.n === undefined ? paying : [event.n]).map((n) => `vout:${n}`),
      );
    }),
  };
}

function eventOf(event: NonNullable<VectorTx["bridge"]>[number], legs: readonly string[]): BridgeEvent {
  const { dir, bridge, key, dstChain, dstAddress } = event;
  const destination =
    dstChain === undefined ? {} : { destination: { chain: chainOf(dstChain), address: dstAddress ?? null } };
  return { direction: dir, bridge, key, legs, ...destination };
}
