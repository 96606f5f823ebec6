/** A table of watched addresses for scanners, without entries behind it. */
import type { AddressTable } from "../../src/types/address-table.ts";
import type { Address, ChainId } from "../../src/types/chain.ts";
import { createAddressIndex } from "../../src/watchlist/address-index.ts";
import { createSlots, tableOn } from "../../src/watchlist/entry-layout.ts";

/** Whatever is watched, by chain and canonical address. */
export type Watched = ReadonlyMap<ChainId, ReadonlyMap<Address, unknown>>;

export function createWatchedTable(watched: Watched): AddressTable {
  const listed = [...watched].flatMap(([chain, addresses]) => [...addresses.keys()].map((address) => [chain, address]));
  const index = createAddressIndex({ count: listed.length });
  const slotFor = createSlots(index, "add");
  for (const [chain = "", address = ""] of listed)
    if (slotFor(chain, address) === -1) throw new Error(`${address} is not an EVM address`);
  return tableOn(index, (chain) => watched.get(chain)?.keys() ?? []);
}
