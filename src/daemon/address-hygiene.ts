/** What is known beside the watchlists about an address that somebody wants to watch: own wallets, services, look-alikes. */
import path from "node:path";
import { normalizeAddress } from "../chains/registry.ts";
import { ConfigError } from "../lib/errors.ts";
import type { ChainId } from "../types/chain.ts";
import type { OwnAddress, WatchEntry } from "../types/watch.ts";
import {
  checkAddress,
  createLookAlikes,
  type HygieneAnswer,
  type HygieneFinding,
  type HygieneInput,
  type KnownAddress,
  REFUSING,
} from "../watchlist/hygiene.ts";
import { describeFinding } from "../watchlist/hygiene-words.ts";
import type { LoadedList } from "../watchlist/load.ts";
import { nearSpellings } from "../watchlist/near-spellings.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { loadServices, type ServiceList } from "../watchlist/services.ts";
import type { Lists } from "./lists.ts";
import type { AddressRefusal } from "./watch-given.ts";

/** Shipped beside the code. */
const SERVICES_PATH = path.join(import.meta.dirname, "../../watchlists/services");

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

/** The services are read when somebody first asks: half a second that a start need not wait for. */
export function createHygiene(lists: () => Promise<Lists>): (input: HygieneInput) => Promise<HygieneAnswer> {
  let services: Promise<ServiceList> | null = null;
  return async (input) => {
    services ??= readServices();
    const now = await lists();
    return checkAddress(input, {
      normalizeAddress,
      services: await services,
      ownOf: now.watchlist.ownOf,
      // Only a few of a million own addresses can be one.
      lookAlikes: { of: (chain, address) => createLookAlikes(endingLike(address, knownIn(now))).of(chain, address) },
    });
  };
}

/**
 * What stands against watching the entries of a list: own addresses whatever they are listed as, services and burn
 * addresses that would tell. A sanctions list may name any of them, and is never refused for it.
 */
export function createListHygiene(
  lists: () => Promise<Lists>,
): (entries: readonly WatchEntry[]) => Promise<readonly AddressRefusal[]> {
  let services: Promise<ServiceList> | null = null;
  return async (entries) => {
    services ??= readServices();
    const known = await services;
    const { watchlist } = await lists();
    const context = { normalizeAddress, services: known, ownOf: watchlist.ownOf, lookAlikes: { of: () => [] } };
    return entries.flatMap(({ chain, address, sanctioned, default: state }) => {
      if (sanctioned !== null) return [];
      return checkAddress({ chain, text: address, sanctioned: false }, context).findings.flatMap((finding) => {
        const { code } = finding;
        if (code !== "own" && (state !== "on" || (code !== "burn" && code !== "service"))) return [];
        return [{ code, text: `${address} on ${chain} ${describeFinding(finding)}`, chain, address }];
      });
    });
  };
}

export async function readServices(): Promise<ServiceList> {
  const { services, problems } = await loadServices({ paths: [SERVICES_PATH], normalizeAddress });
  const [first] = problems;
  if (first !== undefined) throw new ConfigError(describeProblem(first));
  return services;
}

function* endingLike(address: string, known: Iterable<KnownAddress>): Generator<KnownAddress> {
  const end = address.slice(-2).toLowerCase();
  for (const one of known) if (one.address.slice(-2).toLowerCase() === end) yield one;
}

/** What stands against watching an address, as the rest of a sentence; null: nothing. */
export function refusedAs(findings: readonly HygieneFinding[]): string | null {
  const found = findings.filter(({ code }) => REFUSING.has(code)).map(describeFinding);
  return found.length === 0 ? null : found.join(", and ");
}

/** With the spelling it may have been meant to have. */
export function notAnAddressAnywhere(
  { address, chain }: { readonly address: string; readonly chain?: ChainId | undefined },
  chains: readonly ChainId[],
): string {
  const near = [...new Set(chains.flatMap((one) => nearSpellings(one, address)))];
  const meant = near.length === 0 ? "" : `; was it meant to be ${near.join(" or ")}?`;
  return `${address} is not an address of ${chain ?? "any followed chain"}${meant}`;
}
