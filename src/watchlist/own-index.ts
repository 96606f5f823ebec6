/** Own addresses, found by chain and address. */
import { digestOf } from "../lib/canonical-json.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { OwnAddress, Watchlist } from "../types/watch.ts";
import { compareText } from "./problems.ts";

export interface OwnIndex {
  readonly of: Watchlist["ownOf"];
  /** Of all that is told about them, whatever their order. */
  readonly digest: string;
}

export function createOwnIndex(own: readonly OwnAddress[]): OwnIndex {
  const byChain = new Map<ChainId, Map<Address, OwnAddress>>();
  for (const one of own) {
    const ofChain = byChain.get(one.chain) ?? new Map<Address, OwnAddress>();
    byChain.set(one.chain, ofChain.set(one.address, one));
  }
  const inOrder = own.toSorted((a, b) => compareText(a.chain, b.chain) || compareText(a.address, b.address));
  return { of: (chain, address) => byChain.get(chain)?.get(address) ?? null, digest: digestOf(inOrder) };
}
