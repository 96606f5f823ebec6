/** The few addresses that move money in a simulation, and what the lists say about each. */
import type { Asset } from "../../src/types/chain.ts";
import type { TokenList } from "../../src/types/tokens.ts";
import type { OwnAddress, WatchEntry, Watchlist } from "../../src/types/watch.ts";
import { createOwnIndex } from "../../src/watchlist/own-index.ts";
import { createWatchlist } from "../../src/watchlist/snapshot.ts";

export const CHAIN = "eip155:1";

/** What an address is, in the simulation's own words: the oracle reads these and nothing else. */
export type Kind =
  | "sanctioned"
  | "thief"
  | "tagged"
  | "toOnly"
  | "never"
  | "off"
  | "own"
  | "ownListed"
  | "plain"
  | "listedLater";

export interface Person {
  readonly address: string;
  readonly kind: Kind;
}

function person(kind: Kind, index: number): Person {
  // The name in hex: 20 bytes like any address, and readable in a dump.
  return { address: `0x${Buffer.from(`${kind}${index}`).toString("hex").padEnd(40, "0")}`, kind };
}

export const PEOPLE: readonly Person[] = [
  person("sanctioned", 1),
  person("thief", 1),
  person("thief", 2),
  person("tagged", 1),
  person("toOnly", 1),
  person("never", 1),
  person("off", 1),
  person("own", 1),
  person("own", 2),
  person("ownListed", 1),
  person("plain", 1),
  person("plain", 2),
  person("plain", 3),
];

export const PLAIN: readonly Person[] = PEOPLE.filter(({ kind }) => kind === "plain");

export function isOwn({ kind }: Person): boolean {
  return kind === "own" || kind === "ownListed";
}

/** On the second version of the list only. He deals with plain people alone: his alerts are nobody else's. */
export const LISTED_LATER = person("listedLater", 1);

export const WATCHED: readonly Person[] = PEOPLE.filter(({ kind }) =>
  ["sanctioned", "thief", "tagged", "toOnly", "ownListed"].includes(kind),
);

export type AssetName = "coin" | "usd" | "fake";

/** `fake` is in no token list. Below `dustBelow` is dust. */
export const ASSETS: Readonly<Record<AssetName, { readonly id: string; readonly dustBelow: bigint }>> = {
  coin: { id: `${CHAIN}/slip44:60`, dustBelow: 1_000n },
  usd: { id: `${CHAIN}/erc20:0xusd`, dustBelow: 100n },
  fake: { id: `${CHAIN}/erc20:0xfake`, dustBelow: 0n },
};

export const TOKENS: TokenList = {
  assetOf(id): Asset {
    if (id === ASSETS.coin.id)
      return { id, symbol: "ETH", decimals: 18, listed: true, dustBelow: ASSETS.coin.dustBelow };
    if (id === ASSETS.usd.id) return { id, symbol: "USDC", decimals: 6, listed: true, dustBelow: ASSETS.usd.dustBelow };
    return { id, symbol: null, decimals: null, listed: false, dustBelow: 0n };
  },
};

const LIST = "simulated-heist";

function entryOf({ address, kind }: Person): WatchEntry {
  return {
    id: `${LIST}/${CHAIN}/${address}`,
    list: LIST,
    listVersion: "1",
    chain: CHAIN,
    address,
    incident: LIST,
    role: kind === "never" ? "victim" : kind === "tagged" ? "laundering" : "theft",
    label: `simulated ${kind}`,
    basis: kind === "sanctioned" ? "sanctions" : kind === "tagged" ? "explorer" : "researcher",
    confidence: "named_by_researcher",
    independentSources: 1,
    sanctioned: kind === "sanctioned" ? { list: "OFAC SDN", source: "s1" } : null,
    default: kind === "never" ? "never" : kind === "off" ? "off" : "on",
    direction: kind === "toOnly" ? "to_only" : "both",
    custodian: null,
    note: null,
    sources: [{ ref: "https://example.org/report", label: null }],
  };
}

export type ListEdition = "first" | "second";

export function createSimulatedWatchlist(edition: ListEdition): Watchlist {
  const always = PEOPLE.filter(({ kind }) => kind !== "own" && kind !== "plain");
  const listed = edition === "first" ? always : [...always, LISTED_LATER];
  const own = PEOPLE.filter(isOwn).map(
    ({ address }): OwnAddress => ({ chain: CHAIN, address, customerRef: `customer-${address}`, wallet: "deposit" }),
  );
  const incident = {
    id: LIST,
    name: "Simulated heist",
    kind: "theft",
    date: null,
    attribution: null,
    attributionBasis: null,
    disputed: false,
    lossUsd: null,
    references: [],
    note: null,
  };
  const entries = listed.map((one) => ({ entry: entryOf(one), hasAdapter: true }));
  return createWatchlist({
    lists: [{ file: "simulated.yaml", list: LIST, version: "1", incident, entries }],
    own: createOwnIndex(own),
    enable: [],
  });
}
