/** EIP-55 text of an address, remembered: blocks repeat their addresses, and the checksum costs a Keccak. */
import { getAddress } from "ethers";
import type { Address } from "../../types/chain.ts";

// About 200 bytes an entry: 10 MB at most. Emptied when full, which costs one block of hashing now and then.
const REMEMBERED_MAX = 50_000;

export function createChecksum(): (lower: string) => Address {
  const remembered = new Map<string, Address>();
  return (lower) => {
    const known = remembered.get(lower);
    if (known !== undefined) return known;
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    const address = getAddress(lower);
    remembered.set(lower, address);
    return address;
  };
}

/** Canonical text, or null: not 20 bytes of hex, or mixed case with a wrong checksum (a typo). */
export function normalizeEvmAddress(text: string): Address | null {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return null;
  try {
    return getAddress(text);
  } catch {
    return null; // ethers throws on a wrong checksum: that is the answer, not a failure.
  }
}
