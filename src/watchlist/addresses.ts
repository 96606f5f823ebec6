/** The one question the watchlist asks the chains: what is the canonical text of this address? */
import type { Address, ChainId } from "../types/chain.ts";

/**
 * Canonical text; null when the text is not an address of that chain (a wrong checksum included); `noAdapter` when no
 * adapter knows the chain. Decided by the caller, so that no chain family is named here.
 */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- the third answer is named for the reader
export type NormalizeAddress = (chain: ChainId, text: string) => Address | null | "noAdapter";

export interface CanonicalAddress {
  readonly address: Address;
  /** False: no adapter reads this chain yet, the text is kept as it was written. */
  readonly hasAdapter: boolean;
}

export function canonicalAddress(normalize: NormalizeAddress, chain: ChainId, text: string): CanonicalAddress | null {
  const answer = normalize(chain, text);
  if (answer === null) return null;
  return answer === "noAdapter" ? { address: text, hasAdapter: false } : { address: answer, hasAdapter: true };
}

export function notAnAddress(chain: ChainId): string {
  return `an address of ${chain}; where its letters carry a checksum, the right one`;
}
