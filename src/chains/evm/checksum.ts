/** EIP-55 text of an address, remembered: blocks repeat their addresses, and the checksum costs a Keccak. */
import { getAddress } from "ethers/address";
import type { Address } from "../../types/chain.ts";
import { keccakHex } from "./proof/keccak.ts";

// About 200 bytes an entry: 10 MB at most. Emptied when full, which costs one block of hashing now and then.
const REMEMBERED_MAX = 50_000;
// Hash digits 8 to f, in lower case, are the codes from here on.
const EIGHT = "8".charCodeAt(0);

/** Of `0x` and 40 lower-case hex digits, which the caller has checked. */
export function createChecksum(): (lower: string) => Address {
  const remembered = new Map<string, Address>();
  return (lower) => {
    const known = remembered.get(lower);
    if (known !== undefined) return known;
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    const address = checksummed(lower);
    remembered.set(lower, address);
    return address;
  };
}

/** EIP-55: a letter is upper case where the hash of the lower-case text, without `0x`, has a digit of 8 or more. */
function checksummed(lower: string): Address {
  const hash = keccakHex(Buffer.from(lower.slice(2), "latin1"));
  let text = "0x";
  for (let at = 2; at < lower.length; at += 1) {
    const sign = lower.charAt(at);
    text += hash.charCodeAt(at) >= EIGHT ? sign.toUpperCase() : sign;
  }
  return text;
}

/** What people write, by the library of the field; blocks are read with our own. Canonical text, or null: not 20 bytes of hex, or mixed case with a wrong checksum (a typo). */
export function normalizeEvmAddress(text: string): Address | null {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return null;
  try {
    return getAddress(text);
  } catch {
    return null; // ethers throws on a wrong checksum: that is the answer, not a failure.
  }
}
