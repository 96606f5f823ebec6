/** A few addresses of one chain as the table that scanners of blocks probe: those a scan of the past asks for. */
import { assert } from "../lib/assert.ts";
import type { AddressTable } from "../types/address-table.ts";
import type { Address, ChainId } from "../types/chain.ts";
import { ADDRESS_BYTES, createAddressIndex, writeAddress } from "./address-index.ts";

/** Fingerprints are of EVM chains only; other chains take `addressesOf`. */
export function createAskedTable(chain: ChainId, addresses: ReadonlySet<Address>): AddressTable {
  const index = createAddressIndex({ count: addresses.size });
  if (chain.startsWith("eip155:")) {
    const space = index.of(chain);
    const bytes = new Uint8Array(ADDRESS_BYTES);
    for (const address of addresses) {
      // An address left out would be looked for in word only.
      assert(writeAddress(address, bytes, 0), `${address} is not an EVM address`);
      space.add(bytes, 0);
    }
  }
  return { ...index.table, seedOf: (of) => index.seedOf(of), addressesOf: (of) => (of === chain ? addresses : []) };
}
