/** Entries by the thousand, from a seed, and what a naive index of them answers. */
import { getAddress } from "ethers";
import { createRandom } from "../../../bench/replay/random.ts";
import type { IncidentInput } from "../../../src/types/watchlist-format.ts";
import type { WatchEntry } from "../../../src/types/watch.ts";
import type { ListHead } from "../../../src/watchlist/snapshot.ts";

export const BITCOIN = "bip122:000000000019d6689c085ae165831e93";
export const EVM_CHAINS = ["eip155:1", "eip155:10", "eip155:56"] as const;
export const CHAINS = [...EVM_CHAINS, BITCOIN, "tron:728126428"] as const;
const LISTS = ["alpha", "beta", "gamma"] as const;

export function headsOf(lists: readonly string[] = LISTS): ListHead[] {
  return lists.map((list) => ({ list, incident: incidentOf(list) }));
}

function incidentOf(id: string): IncidentInput {
  const unknown = { date: null, attribution: null, attributionBasis: null, lossUsd: null, note: null };
  return { id, name: `Incident ${id}`, kind: "theft", disputed: false, references: [], ...unknown };
}

export function entryOf(list: string, chain: string, address: string, over: Partial<WatchEntry> = {}): WatchEntry {
  return {
    id: `${list}/${chain}/${address}`,
    list,
    listVersion: "2026-11-22.1",
    chain,
    address,
    incident: list,
    role: "theft",
    label: `thief of ${list}`,
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 1,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [{ ref: "https://example.org/report", label: null }],
    ...over,
  };
}

export interface Made {
  /** In the order a builder wants. */
  readonly entries: readonly WatchEntry[];
  /** Listed somewhere. */
  readonly addresses: readonly string[];
  /** Like the listed ones, but for a digit, a case or an end. */
  readonly others: readonly string[];
}

/**
 * `count` addresses, half of them vanity addresses that differ in few digits, most on several chains and lists, some of them
 * contracts there, with texts of every kind. `seed` also decides how the lists talk about them.
 */
export function makeEntries(count: number, seed: number): Made {
  const random = createRandom(seed);
  const addresses = Array.from({ length: count }, (_, place) => addressOf(place, random));
  const entries = addresses.flatMap((address, place) =>
    LISTS.flatMap((list) =>
      CHAINS.filter((chain) => isFitting(chain, address) && random.below(4) === 0).map((chain) =>
        entryOf(list, chain, address, tellOf(place, random.below(6))),
      ),
    ),
  );
  const key = ({ list, chain, address }: WatchEntry) => `${list}\0${chain}\0${address}`;
  return {
    entries: entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
    addresses: [...new Set(addresses)],
    others: addresses.map((address, place) => nearTo(address, place)),
  };
}

function addressOf(place: number, random: { bytes(length: number): Uint8Array }): string {
  const bytes = Buffer.from(random.bytes(20));
  if (place % 5 === 4) return `bc1q${bytes.toString("hex")}`;
  // Vanity addresses: the same beginning and end, a number in the middle.
  if (place % 2 === 0) bytes.fill(0, 0, 8).fill(0xff, 12).writeUInt32BE(place, 8);
  return getAddress(`0x${bytes.toString("hex")}`);
}

function isFitting(chain: string, address: string): boolean {
  return chain.startsWith("eip155:") === address.startsWith("0x");
}

/** What a list says: nothing special, a contract in two ways, not one, long, odd. */
function tellOf(place: number, kind: number): Partial<WatchEntry> {
  if (kind === 0) return { role: "exploit_contract" };
  if (kind === 1) return { contract: place % 2 === 0 };
  if (kind === 2) return { label: `길이 ${"x".repeat(place % 700)} 🦊`, note: '\u0000\u2028"\\' };
  if (kind === 3) return { sources: [{ ref: `https://example.org/${place}`, label: "own", quoted: "q" }] };
  return {};
}

function nearTo(address: string, place: number): string {
  const last = address.endsWith("0") ? "1" : "0";
  const near = [address.slice(0, -1) + last, address.toLowerCase(), `${address}0`, address.slice(0, -1), ""];
  return near[place % near.length] ?? "";
}

/** Every entry by its own definition of a match: what the index must answer. */
export function naiveIndex(entries: readonly WatchEntry[]): (chain: string, address: string) => WatchEntry[] {
  const byAddress = Map.groupBy(entries, ({ address }) => address);
  const isEvm = (chain: string) => chain.startsWith("eip155:");
  return (chain, address) => {
    const same = byAddress.get(address) ?? [];
    const elsewhere = same.filter(
      (one) =>
        one.chain !== chain &&
        isEvm(one.chain) &&
        isEvm(chain) &&
        !(one.contract ?? ["exploit_contract", "victim_contract"].includes(one.role)),
    );
    return [...same.filter((one) => one.chain === chain), ...elsewhere];
  };
}
