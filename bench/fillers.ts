/** Listed addresses that nobody uses, and what a list says about them. */
import type { WatchEntry } from "../src/types/watch.ts";
import { ADDRESS_BYTES } from "../src/watchlist/address-index.ts";
import { createRandom } from "./replay/random.ts";

export const WATCHED_CHAIN = "eip155:1";
const FILLER_SEED = 20_26;

/** In rising order, as an import has them: each begins with its share of all addresses, the rest is random. */
export function* fillers(count: number): Generator<string, void> {
  const random = createRandom(FILLER_SEED);
  for (let place = 0; place < count; place += 1) {
    const prefix = Math.floor((place * 2 ** 32) / count);
    const rest = Buffer.from(random.bytes(ADDRESS_BYTES - 4)).toString("hex");
    yield `0x${prefix.toString(16).padStart(8, "0")}${rest}`;
  }
}

export function entryOf(list: string, address: string): WatchEntry {
  return {
    id: `${list}/${WATCHED_CHAIN}/${address}`,
    list,
    listVersion: "2026-11-22.1",
    chain: WATCHED_CHAIN,
    address,
    incident: "bench",
    role: "theft",
    label: `wallet ${address.slice(2, 10)} of the bench`,
    basis: "explorer",
    confidence: "block_explorer_label",
    independentSources: 1,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [{ ref: "https://example.org/report", label: "made up" }],
  };
}
