/** Small histories by hand: blocks of an account chain and of a chain of coins. */
import type {
  AccountBlock,
  AccountTransaction,
  BridgeEvent,
  UtxoBlock,
  UtxoTransaction,
} from "../../../src/types/flow-block.ts";
import type { FlowIncident, FlowLabel, FlowOrigin, FlowRules } from "../../../src/types/flow.ts";

export const CHAIN = "eip155:1";
export const OTHER = "eip155:10";
export const ETH = `${CHAIN}/slip44:60`;
export const USD = `${CHAIN}/erc20:Usd`;
export const COINS = "bip122:000000000019d6689c085ae165831e93";
export const BTC = `${COINS}/slip44:0`;

export const RULES: FlowRules = {
  method: "haircut",
  minTrack: { "*": 1n },
  minShareBps: 0,
  maxHops: 32,
  maxSteps: 10_000,
  maxFanout: 1_000,
  positionsMax: 200_000,
};

export interface IncidentParts {
  readonly origins: readonly FlowOrigin[];
  readonly rules?: Partial<FlowRules>;
  /** By `<chain>|<address>`, or the address alone. */
  readonly labels?: Readonly<Record<string, FlowLabel & { readonly validFrom?: number }>>;
  readonly own?: readonly string[];
}

export function incidentOf({ origins, rules = {}, labels = {}, own = [] }: IncidentParts): FlowIncident {
  return {
    id: "test",
    rules: { ...RULES, ...rules },
    origins,
    names: {
      labelOf: (chain, address, block) => {
        const label = labels[`${chain}|${address}`] ?? labels[address];
        return label === undefined || block < (label.validFrom ?? 0) ? null : label;
      },
      isOwn: (_chain, address) => own.includes(address),
      isFollowed: (asset) => !asset.endsWith(":Fake"),
    },
  };
}

/** `from -> to: amount`, `from -> to: amount asset`; nobody is `-`. */
export function legsOf(...texts: readonly string[]): AccountTransaction["legs"] {
  return texts.map((text, key) => {
    const [, from = "", to = "", amount = "0", asset = ETH] = /^(\S+) -> (\S+): (\d+)(?: (\S+))?$/.exec(text) ?? [];
    const party = (name: string) => (name === "-" ? null : name);
    return { key: String(key), asset, from: party(from), to: party(to), amount: BigInt(amount) };
  });
}

export function txOf(
  hash: string,
  legs: readonly string[],
  more: Partial<AccountTransaction> & { readonly bridge?: readonly BridgeEvent[] } = {},
): Omit<AccountTransaction, "index"> {
  const all = legsOf(...legs);
  return { hash, from: all[0]?.from ?? "Nobody", ok: true, fee: null, legs: all, bridge: [], ...more };
}

export interface BlockParts {
  readonly number: number;
  readonly chain?: string;
  readonly timestamp?: number;
  /** `address: amount`, `address: amount asset`. */
  readonly anchors?: readonly string[];
  readonly contracts?: readonly string[];
}

export function blockOf(parts: BlockParts, ...txs: readonly Omit<AccountTransaction, "index">[]): AccountBlock {
  const { number, chain = CHAIN, timestamp = number * 12, anchors = [], contracts = [] } = parts;
  return {
    kind: "account",
    chain,
    number,
    hash: `${chain}#${number}`,
    parentHash: `${chain}#${number - 1}`,
    timestamp,
    anchors: anchors.map((text) => {
      const [, address = "", amount = "0", asset = ETH] = /^(\S+): (\d+)(?: (\S+))?$/.exec(text) ?? [];
      return { address, asset, amount: BigInt(amount) };
    }),
    contracts: new Set(contracts),
    transactions: txs.map((tx, index) => ({ ...tx, index })),
  };
}

/** `inputs`: `tx:index address amount`; `outputs`: `address amount`, `-` cannot be spent. */
export function coinsOf(
  hash: string,
  {
    inputs,
    outputs,
    bridge = [],
  }: { inputs: readonly string[]; outputs: readonly string[]; bridge?: readonly BridgeEvent[] },
): Omit<UtxoTransaction, "index"> {
  return {
    hash,
    inputs: inputs.map((text) => {
      const [coin = "", address = "", amount = "0"] = text.split(" ");
      const [tx = "", index = "0"] = coin.split(":");
      return { tx, index: Number(index), address, amount: BigInt(amount) };
    }),
    outputs: outputs.map((text) => {
      const [address = "", amount = "0"] = text.split(" ");
      return address === "-"
        ? { address: null, amount: BigInt(amount), unspendable: true as const }
        : { address, amount: BigInt(amount) };
    }),
    bridge,
  };
}

export function coinBlockOf(number: number, ...txs: readonly Omit<UtxoTransaction, "index">[]): UtxoBlock {
  return {
    kind: "utxo",
    chain: COINS,
    number,
    hash: `coins#${number}`,
    parentHash: `coins#${number - 1}`,
    timestamp: number * 600,
    asset: BTC,
    transactions: txs.map((tx, index) => ({ ...tx, index })),
  };
}

/** The theft of a leg in block 1: `Victim -> Thief`. */
export const THEFT = { kind: "leg", chain: CHAIN, tx: "theft", leg: "0" } as const satisfies FlowOrigin;

export function theftOf(amount: number, asset = ETH) {
  return blockOf({ number: 1 }, txOf("theft", [`Victim -> Thief: ${amount} ${asset}`]));
}
