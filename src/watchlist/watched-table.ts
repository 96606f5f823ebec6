/** The addresses of a watchlist as the table that scanners of blocks probe. */
import { assert } from "../lib/assert.ts";
import type { AddressTable } from "../types/address-table.ts";
import type { Address, ChainId } from "../types/chain.ts";
import { ADDRESS_BYTES, type AddressBytes, createAddressIndex, writeAddress } from "./address-index.ts";

/** Whatever is watched, by chain and canonical address. */
export type Watched = ReadonlyMap<ChainId, ReadonlyMap<Address, unknown>>;

/** Fingerprints are of EVM chains only; other chains take `addressesOf`. */
export function createWatchedTable(watched: Watched): AddressTable {
  const lists: AddressBytes[] = [];
  let count = 0;
  for (const [chain, addresses] of watched) {
    if (!chain.startsWith("eip155:")) continue;
    lists.push({ chain, bytes: bytesOf(addresses) });
    count += addresses.size;
  }
  const { table } = createAddressIndex({ count, lists });
  return { ...table, addressesOf: (chain) => watched.get(chain)?.keys() ?? [] };
}

function bytesOf(addresses: ReadonlyMap<Address, unknown>): Uint8Array {
  const bytes = new Uint8Array(addresses.size * ADDRESS_BYTES);
  let offset = 0;
  for (const address of addresses.keys()) {
    // An address left out would be watched in word only.
    assert(writeAddress(address, bytes, offset), `${address} is not an EVM address`);
    offset += ADDRESS_BYTES;
  }
  return bytes;
}
