/**
 * What a person should know before an address is watched. Pure: the caller brings the own addresses, the services and the
 * known addresses. Refused means: not without saying so a second time. Nothing here changes what is watched.
 */
import type { Address, ChainId } from "../types/chain.ts";
import type { OwnAddress } from "../types/watch.ts";
import { canonicalAddress, type NormalizeAddress } from "./addresses.ts";
import { isWellFormed } from "./coins.ts";
import { type KeyEquivalent, keyEquivalents } from "./key-equivalents.ts";
import { nearSpellings } from "./near-spellings.ts";
import type { Service, ServiceList } from "./services.ts";

/** An address somebody may have wanted to imitate. */
export interface KnownAddress {
  readonly chain: ChainId;
  readonly address: Address;
  /** Own, or the label of a watched one. */
  readonly what: string;
}

export type HygieneFinding =
  /** No address of this chain; `near`: what it may have been meant to be. */
  | { readonly code: "notAnAddress"; readonly near: readonly string[] }
  /** Nobody can ever send from it, and many send to it by mistake. */
  | { readonly code: "burn" }
  /** A customer or a wallet of ours. */
  | { readonly code: "own"; readonly own: OwnAddress }
  /** An own address on a sanctions list: not refused, but compliance must know at once. */
  | { readonly code: "ownSanctioned"; readonly own: OwnAddress }
  /** Thousands of strangers share it. */
  | { readonly code: "service"; readonly service: Service }
  /** Begins and ends like another one: an imitation, or its victim. */
  | { readonly code: "lookAlike"; readonly of: KnownAddress }
  | { readonly code: "keyEquivalent"; readonly other: KeyEquivalent };

export interface HygieneAnswer {
  /** Canonical; null: it is no address. */
  readonly address: Address | null;
  readonly findings: readonly HygieneFinding[];
  /** Needs an explicit override, or the right address. */
  readonly refused: boolean;
  /** Goes to compliance instead of the investigator. */
  readonly compliance: boolean;
}

export interface HygieneContext {
  readonly normalizeAddress: NormalizeAddress;
  readonly ownOf: (chain: ChainId, address: Address) => OwnAddress | null;
  readonly services: ServiceList;
  readonly lookAlikes: LookAlikes;
}

export interface HygieneInput {
  readonly chain: ChainId;
  /** As it was typed. */
  readonly text: string;
  readonly sanctioned: boolean;
}

/** Findings without which an address is not refused. */
export const REFUSING: ReadonlySet<HygieneFinding["code"]> = new Set(["notAnAddress", "burn", "own", "service"]);

export function checkAddress({ chain, text, sanctioned }: HygieneInput, context: HygieneContext): HygieneAnswer {
  const canonical = canonicalAddress(context.normalizeAddress, chain, text);
  if (canonical === null || (!canonical.hasAdapter && !isWellFormed(chain, text)))
    return answer(null, [{ code: "notAnAddress", near: nearSpellings(chain, text) }]);
  const { address } = canonical;
  const findings = whatStandsAt({ chain, address, sanctioned }, context);
  for (const of of context.lookAlikes.of(chain, address)) findings.push({ code: "lookAlike", of });
  for (const other of keyEquivalents(chain, address)) findings.push({ code: "keyEquivalent", other });
  return answer(address, findings);
}

/** What is known of a canonical address by itself: whose it is. */
export function whatStandsAt(
  { chain, address, sanctioned }: { readonly chain: ChainId; readonly address: Address; readonly sanctioned: boolean },
  { ownOf, services }: Pick<HygieneContext, "ownOf" | "services">,
): HygieneFinding[] {
  const findings: HygieneFinding[] = [];
  const own = ownOf(chain, address);
  if (own !== null) findings.push({ code: sanctioned ? "ownSanctioned" : "own", own });
  if (isBurn(address)) findings.push({ code: "burn" });
  const service = services.serviceOf(chain, address);
  if (service !== null) findings.push({ code: "service", service });
  return findings;
}

function answer(address: Address | null, findings: readonly HygieneFinding[]): HygieneAnswer {
  return {
    address,
    findings,
    refused: findings.some(({ code }) => REFUSING.has(code)),
    compliance: findings.some(({ code }) => code === "ownSanctioned"),
  };
}

/** Where coins are sent to be lost, or that wallets show as a place-holder. Lower case. */
const BURNS: ReadonlySet<string> = new Set(
  [
    `0x${"0".repeat(36)}dead`,
    `0xdead${"0".repeat(36)}`,
    `0x${"dead".repeat(10)}`,
    `0x${"f".repeat(40)}`,
    `0x${"e".repeat(40)}`, // the native coin in many contracts
    "1BitcoinEaterAddressDontSendf59kuE",
    "1CounterpartyXXXXXXXXXXXXXXXUWLpVr",
    "1111111111111111111114oLvT2", // the hash of nothing but zeros
    "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb", // the same on TRON
    "1nc1nerator11111111111111111111111111111111",
    "11111111111111111111111111111111", // Solana's system program
  ].map((address) => address.toLowerCase()),
);
/** The zero address and the precompiled contracts of EVM chains, those of rollups included. */
const PRECOMPILE = /^0x0{36}[0-9a-f]{4}$/;

export function isBurn(address: Address): boolean {
  const text = address.toLowerCase();
  return BURNS.has(text) || PRECOMPILE.test(text);
}

/** Hex digits people compare at either end. */
const HEX_ENDS = { first: 4, last: 4 };
/** A sign of Base58 or Bech32 costs an imitator more: the DMM theft address had these six (`1B6rJ...7P`). */
const OTHER_ENDS = { first: 4, last: 2 };
/** What every address of the kind begins with. */
const PREFIX = /^(?:bc1[qp]|ltc1[qp]|[13LMT])/;

export interface LookAlikes {
  /** Known addresses of the same chain family with the same ends, other than this one. */
  of(chain: ChainId, address: Address): readonly KnownAddress[];
}

export function createLookAlikes(known: Iterable<KnownAddress>): LookAlikes {
  const byEnds = new Map<string, KnownAddress[]>();
  for (const one of known) {
    const key = endsOf(one.chain, one.address);
    const others = byEnds.get(key);
    if (others === undefined) byEnds.set(key, [one]);
    else others.push(one);
  }
  return {
    of: (chain, address) => (byEnds.get(endsOf(chain, address)) ?? []).filter((one) => one.address !== address),
  };
}

/** One address is looked at on every EVM chain. */
function endsOf(chain: ChainId, address: Address): string {
  const [namespace = chain] = chain.split(":", 1);
  const isHex = namespace === "eip155";
  const text = isHex ? address.toLowerCase().slice("0x".length) : address.replace(PREFIX, "");
  const { first, last } = isHex ? HEX_ENDS : OTHER_ENDS;
  return `${namespace}/${text.slice(0, first)}/${text.slice(-last)}`;
}
