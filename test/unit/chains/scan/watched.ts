/** Who is in a block, and watchlists of them. */
import { writeAddress } from "../../../../src/watchlist/address-index.ts";
import { createWatchedTable } from "../../../support/watched-table.ts";
import { matchBlock } from "../../../../src/match/match-block.ts";
import type { AddressTable } from "../../../../src/types/address-table.ts";
import type { Header, Transfer } from "../../../../src/types/chain.ts";
import type { Hit } from "../../../../src/types/hit.ts";
import type { WatchEntry, Watchlist } from "../../../../src/types/watch.ts";
import type { Random } from "../proof/mutants.ts";

/** Every party of every transfer: that is what watching an address can hit. */
export function partiesOf(transfers: readonly Transfer[]): string[] {
  return [...new Set(transfers.flatMap(({ from, to }) => [from, to]).filter((party) => party !== null))];
}

/**
 * The parties in groups, none of which holds two of one transaction: what is found because of one party would hide that
 * another is missed. All withdrawals are decoded because of one, and everything because of the fee recipient.
 */
export function partiesApart(transfers: readonly Transfer[]): string[][] {
  const places = new Map<string, Set<string>>();
  const recipients = new Set<string>();
  for (const { from, to, category, txHash, txIndex } of transfers) {
    if (category === "reward" && to !== null) recipients.add(to);
    const place = txIndex === -1 ? "block" : txHash;
    for (const party of [from, to].filter((one) => one !== null))
      places.set(party, (places.get(party) ?? new Set()).add(place));
  }
  const groups: { readonly parties: string[]; readonly taken: Set<string>; readonly alone: boolean }[] = [];
  for (const [party, own] of places) {
    const alone = recipients.has(party);
    const group = alone
      ? undefined
      : groups.find((one) => !one.alone && ![...own].some((place) => one.taken.has(place)));
    if (group === undefined) groups.push({ parties: [party], taken: new Set(own), alone });
    else {
      group.parties.push(party);
      own.forEach((place) => group.taken.add(place));
    }
  }
  return groups.map(({ parties }) => parties);
}

export function strangers(count: number, random: Random): string[] {
  return Array.from({ length: count }, () =>
    Array.from({ length: 20 }, () => random.below(256).toString(16).padStart(2, "0")).join(""),
  ).map((digits) => `0x${digits}`);
}

const entryOf = (chain: string, address: string): WatchEntry => ({
  id: `heist/${chain}/${address}`,
  list: "heist",
  listVersion: "1",
  chain,
  address,
  incident: "heist-2025",
  role: "theft",
  label: "a thief",
  basis: "researcher",
  confidence: "named_by_researcher",
  independentSources: 2,
  sanctioned: null,
  default: "on",
  // Some of both kinds, the same for an address on every list.
  direction: address.endsWith("0") ? "to_only" : "both",
  custodian: null,
  note: null,
  sources: [],
});

/** The list of these addresses, canonical texts; `table` where the test made one of its own. */
export function watchlistOf(chain: string, addresses: readonly string[], table?: AddressTable): Watchlist {
  const entries = new Map(addresses.map((address) => [address, [entryOf(chain, address)]]));
  return {
    version: "v1",
    incidents: new Map(),
    entriesOf: (asked, address) => (asked === chain ? (entries.get(address) ?? []) : []),
    ownOf: () => null,
    addresses: table ?? createWatchedTable(new Map([[chain, entries]])),
    watchedCount: entries.size,
  };
}

export function hitsOf(
  transfers: readonly Transfer[],
  of: { header: Header; chain: string; watchlist: Watchlist },
): Hit[] {
  const { header, chain, watchlist } = of;
  const trust = { proven: true, operators: ["self"], missing: [], traced: false };
  const tokens = {
    assetOf: (id: string) => ({ id, symbol: null, decimals: null, listed: id.includes("slip44"), dustBelow: 1_000n }),
  };
  return matchBlock({ ...header, transfers, trust }, { chain, watchlist, tokens });
}

/** Everything in a hit, as one text. */
export function hitsText(hits: readonly Hit[]): string {
  return JSON.stringify(hits, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}

export interface SwitchableTable {
  readonly table: AddressTable;
  /** Watches this address alone, `displaced` slots behind its own, as if others had been there first. */
  watch(address: string, displaced: number): void;
}

/** One address at a time in a table of eight slots, put there by the rules that AddressTable states. */
export function createSwitchableTable(chain: string): SwitchableTable {
  const table = createWatchedTable(new Map([[chain, new Map([[`0x${"00".repeat(20)}`, null]])]]));
  const { memory, wordsAt, fingerprintsAt, slots } = table;
  const seed = table.seedOf(chain);
  if (seed === null) throw new Error(`${chain} is in the table`);
  return {
    table,
    watch(address, displaced) {
      const bytes = new Uint8Array(20);
      if (!writeAddress(address, bytes, 0)) throw new Error(`${address} is an address`);
      const ints = new Int32Array(memory.buffer);
      let { low, high } = seed;
      bytes.forEach((value, place) => {
        low ^= ints[wordsAt / 4 + 2 * (place * 256 + value)] ?? 0;
        high ^= ints[wordsAt / 4 + 2 * (place * 256 + value) + 1] ?? 0;
      });
      if (low === 0) low = 1;
      const first = fingerprintsAt / 4;
      ints.fill(0, first, first + 2 * slots);
      const slot = Math.floor(((high >>> 4) * slots) / 2 ** 28);
      for (let passed = 0; passed <= displaced; passed += 1) {
        const at = first + 2 * ((slot + passed) % slots);
        // Half of a fingerprint is none.
        ints[at] = passed < displaced && passed % 2 === 0 ? low ^ 2 || 3 : low;
        ints[at + 1] = passed < displaced && passed % 2 === 1 ? high ^ 1 : high;
      }
    },
  };
}
