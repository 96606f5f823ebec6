/** What is known beside the watchlists about an address that somebody wants to watch: own wallets, services, look-alikes. */
import path from "node:path";
import { normalizeAddress } from "../chains/registry.ts";
import { ConfigError } from "../lib/errors.ts";
import { createPauses } from "../lib/slices.ts";
import type { ChainId } from "../types/chain.ts";
import type { OwnAddress, WatchEntry } from "../types/watch.ts";
import { canonicalAddress } from "../watchlist/addresses.ts";
import { compareEntries } from "../watchlist/entry-record.ts";
import {
  checkAddress,
  createLookAlikes,
  type HygieneAnswer,
  type HygieneFinding,
  type HygieneInput,
  type KnownAddress,
  REFUSING,
  whatStandsAt,
} from "../watchlist/hygiene.ts";
import { describeFinding } from "../watchlist/hygiene-words.ts";
import type { LoadedList } from "../watchlist/load.ts";
import { isEvm } from "../watchlist/matched-on.ts";
import type { OwnIndex } from "../watchlist/own-index.ts";
import { nearSpellings } from "../watchlist/near-spellings.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { loadServices, type ServiceList } from "../watchlist/services.ts";

/** Shipped beside the code. */
const SERVICES_PATH = path.join(import.meta.dirname, "../../watchlists/services");

/** Every address that another one may imitate. */
export function* knownIn(lists: {
  readonly loaded: readonly LoadedList[];
  readonly own: OwnIndex;
}): Generator<KnownAddress> {
  for (const { chain, address } of lists.own.all()) yield { chain, address, what: OWN };
  for (const { entries } of lists.loaded) for (const { entry } of entries) yield asKnown(entry);
}

export interface HygieneSources {
  own(): Promise<OwnIndex>;
  /** Entries that end like this, and where it is given begin: 2 and 6 signs in lower case. */
  withEnds(of: { end: string; start?: string }): Promise<readonly WatchEntry[]>;
}

/** The services are read when somebody first asks: half a second that a start need not wait for. */
export function createHygiene(sources: HygieneSources): (input: HygieneInput) => Promise<HygieneAnswer> {
  let services: Promise<ServiceList> | null = null;
  return async (input) => {
    services ??= readServices();
    const own = await sources.own();
    const address = canonicalAddress(normalizeAddress, input.chain, input.text)?.address;
    const known = address === undefined ? [] : await knownLike({ chain: input.chain, address }, own, sources);
    return checkAddress(input, {
      normalizeAddress,
      services: await services,
      ownOf: own.of,
      lookAlikes: createLookAlikes(known),
    });
  };
}

const NEVER = new AbortController().signal;
const END = -2;
// `0x` and the four digits that people compare.
const HEX_START = 6;

/** Only a few of a million own addresses, and of ten million entries, can be one that this is taken for. */
async function knownLike(
  { chain, address }: Pick<OwnAddress, "chain" | "address">,
  own: OwnIndex,
  { withEnds }: HygieneSources,
): Promise<readonly KnownAddress[]> {
  const text = address.toLowerCase();
  const end = text.slice(END);
  const entries = await withEnds(isEvm(chain) ? { end, start: text.slice(0, HEX_START) } : { end });
  const ownLike: OwnAddress[] = [];
  const pause = createPauses(NEVER);
  for (const one of own.all()) {
    if (one.address.slice(END).toLowerCase() === end) ownLike.push(one);
    await pause();
  }
  return [
    ...ownLike.map((one) => ({ chain: one.chain, address: one.address, what: OWN })),
    ...entries.toSorted(compareEntries).map(asKnown),
  ];
}

const OWN = "our own";

function asKnown({ chain, address, list, label }: WatchEntry): KnownAddress {
  return { chain, address, what: `${list}: ${label}` };
}

/** An address that should not be watched, which no sanctions list names. */
export interface AddressRefusal {
  readonly code: "own" | "burn" | "service";
  readonly text: string;
  readonly chain: string;
  readonly address: string;
  readonly entryId: string;
}

/**
 * What stands against watching the entries of a list: own addresses whatever they are listed as, services and burn
 * addresses that would tell. A sanctions list may name any of them, and is never refused for it.
 */
export function createListHygiene(
  ownAddresses: () => Promise<OwnIndex>,
): (entries: readonly WatchEntry[]) => Promise<readonly AddressRefusal[]> {
  let services: Promise<ServiceList> | null = null;
  return async (entries) => {
    services ??= readServices();
    const known = await services;
    const { of: ownOf } = await ownAddresses();
    const refusals: AddressRefusal[] = [];
    const pause = createPauses(NEVER);
    for (const entry of entries) {
      refusals.push(...refusalsOf(entry, { services: known, ownOf }));
      await pause();
    }
    return refusals;
  };
}

function refusalsOf(
  { id, chain, address, sanctioned, default: state }: WatchEntry,
  known: { readonly services: ServiceList; readonly ownOf: OwnIndex["of"] },
): AddressRefusal[] {
  if (sanctioned !== null) return [];
  return whatStandsAt({ chain, address, sanctioned: false }, known).flatMap((finding) => {
    const { code } = finding;
    if (code !== "own" && (state !== "on" || (code !== "burn" && code !== "service"))) return [];
    return [{ code, text: `${address} on ${chain} ${describeFinding(finding)}`, chain, address, entryId: id }];
  });
}

export async function readServices(): Promise<ServiceList> {
  const { services, problems } = await loadServices({ paths: [SERVICES_PATH], normalizeAddress });
  const [first] = problems;
  if (first !== undefined) throw new ConfigError(describeProblem(first));
  return services;
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
