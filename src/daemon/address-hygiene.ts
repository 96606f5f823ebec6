/** What is known beside the watchlists about an address that somebody wants to watch: own wallets, services, look-alikes. */
import path from "node:path";
import type { OwnAddress } from "../types/watch.ts";
import type { KnownAddress } from "../watchlist/hygiene.ts";
import type { LoadedList } from "../watchlist/load.ts";

/** Shipped beside the code. */
export const SERVICES_PATH = path.join(import.meta.dirname, "../../watchlists/services");

/** Every address that another one may imitate. */
export function* knownIn(lists: {
  readonly loaded: readonly LoadedList[];
  readonly own: readonly OwnAddress[];
}): Generator<KnownAddress> {
  for (const { chain, address } of lists.own) yield { chain, address, what: "our own" };
  for (const { entries } of lists.loaded)
    for (const { entry } of entries)
      yield { chain: entry.chain, address: entry.address, what: `${entry.list}: ${entry.label}` };
}
