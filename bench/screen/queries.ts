/**
 * What is asked of screening, and what has to be answered: random and adversarial texts, whose truth follows from how they
 * were made and from one pass over all listed addresses, never from an index.
 */
import { fillers } from "../fillers.ts";
import { createRandom, type Random } from "../replay/random.ts";
import {
  addressOfKey,
  base58check,
  BITCOIN,
  type BitcoinKey,
  bitcoinKeys,
  checksummed,
  ETHEREUM,
  FORMS,
  isSwingListed,
  POLYGON,
  swings,
} from "./world.ts";

export interface Query {
  readonly chain: string;
  readonly address: string;
  readonly expected: Expected;
}

/** `swing`: listed where the list that was asked has an odd number. */
export type Expected =
  | { readonly is: "invalid" | "noAdapter" | "unlisted" }
  | { readonly is: "listed" | "swing"; readonly match: "exact" | "sameKey" | "keyEquivalent" };

/** A text made from 20 bytes whose place in the lists is found out later. */
interface Draft {
  readonly chain: string;
  readonly address: string;
  /** Of an EVM account, lower case; its expectation waits for the pass over all. */
  readonly account: string | null;
  readonly expected: Expected;
}

type Maker = (random: Random, of: World) => Draft;

interface World {
  readonly listed: readonly string[];
  readonly keys: readonly BitcoinKey[];
  readonly swing: ReturnType<typeof swings>;
}

const UNLISTED: Expected = { is: "unlisted" };
const INVALID: Expected = { is: "invalid" };
const TRON = "tron:0x2b6653dc";

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;
const account = (random: Random) => `0x${Buffer.from(random.bytes(20)).toString("hex")}`;
const upperHex = (text: string) => `0x${text.slice(2).toUpperCase()}`;
const ofAccount = (chain: string, lower: string, address = checksummed(lower)): Draft => ({
  chain,
  address,
  account: lower,
  expected: UNLISTED,
});
const wrong = (chain: string, address: string): Draft => ({ chain, address, account: null, expected: INVALID });

/** One letter of a mixed-case text in the other case: its checksum is wrong. Where it has one case only, nothing is. */
function flipped(random: Random, text: string): string | null {
  const letters = text.split("").flatMap((sign, at) => (at > 1 && /[a-fA-F]/.test(sign) ? [at] : []));
  const at = pick(random, letters);
  const sign = text[at] as string;
  const other = sign === sign.toUpperCase() ? sign.toLowerCase() : sign.toUpperCase();
  const changed = text.slice(0, at) + other + text.slice(at + 1);
  const hex = changed.slice(2);
  return hex === hex.toLowerCase() || hex === hex.toUpperCase() ? null : changed;
}

function oneNibbleOff(random: Random, lower: string): string {
  const at = 2 + random.below(40);
  const digit = (Number.parseInt(lower[at] as string, 16) + 1 + random.below(15)) % 16;
  return lower.slice(0, at) + digit.toString(16) + lower.slice(at + 1);
}

function keyQuery(random: Random, { hash, listedAs }: BitcoinKey, is: "listed" | "swing"): Draft {
  const form = pick(random, FORMS);
  const text = addressOfKey(hash, form);
  const address = form === "p2wpkh" && random.below(2) === 0 ? text.toUpperCase() : text;
  return {
    chain: BITCOIN,
    address,
    account: null,
    expected: { is, match: form === listedAs ? "exact" : "keyEquivalent" },
  };
}

const DRESSES: readonly ((text: string) => string)[] = [
  (text) => ` ${text}`,
  (text) => `${text} `,
  (text) => `${text}\n`,
  (text) => `\t${text}`,
  (text) => `\u200b${text}`,
  (text) => `${text}\u200d`,
  (text) => `\ufeff${text}`,
  (text) => text.slice(0, -1),
  (text) => `${text}0`,
  (text) => text.replace("0x", "0X"),
  (text) => text.replace("x", "\u0445"),
  (text) => text.slice(2),
  (text) => text.replaceAll(/./g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
  (text) => `${text.slice(0, 20)}\u00ad${text.slice(20)}`,
  (text) => `ethereum:${text}`,
  (text) => `${text}\u0000`,
];

/** Each as often as the others. */
const MAKERS: readonly Maker[] = [
  (random) => ofAccount(ETHEREUM, account(random)),
  (random, { listed }) => ofAccount(ETHEREUM, pick(random, listed)),
  (random, { listed }) => {
    const lower = pick(random, listed);
    return ofAccount(ETHEREUM, lower, random.below(2) === 0 ? lower : upperHex(lower));
  },
  (random, { listed }) => {
    const lower = pick(random, listed);
    const changed = flipped(random, checksummed(lower));
    return changed === null ? ofAccount(ETHEREUM, lower) : wrong(ETHEREUM, changed);
  },
  (random, { listed }) => ofAccount(ETHEREUM, oneNibbleOff(random, pick(random, listed))),
  (random, { listed }) => ofAccount(POLYGON, random.below(2) === 0 ? pick(random, listed) : account(random)),
  (random, { listed }) => wrong(pick(random, [ETHEREUM, BITCOIN]), tronForm(pick(random, listed))),
  (random, { listed }) => ({
    chain: TRON,
    address: tronForm(pick(random, listed)),
    account: null,
    expected: { is: "noAdapter" },
  }),
  (random, { listed }) => wrong(BITCOIN, checksummed(pick(random, listed))),
  (random, { listed }) => wrong(ETHEREUM, pick(random, DRESSES)(checksummed(pick(random, listed)))),
  (random, { keys }) => keyQuery(random, pick(random, keys), "listed"),
  (random, { keys }) => wrong(ETHEREUM, addressOfKey(pick(random, keys).hash, pick(random, FORMS))),
  (random) => ({
    chain: BITCOIN,
    address: addressOfKey(random.bytes(20), pick(random, FORMS)),
    account: null,
    expected: UNLISTED,
  }),
  (random, { keys }) => wrong(BITCOIN, damaged(random, addressOfKey(pick(random, keys).hash, pick(random, FORMS)))),
  (random, { keys }) => wrong(BITCOIN, mixedCase(addressOfKey(pick(random, keys).hash, "p2wpkh"))),
  (random, { keys }) =>
    wrong(BITCOIN, pick(random, DRESSES.slice(0, 7))(addressOfKey(pick(random, keys).hash, pick(random, FORMS)))),
  (random, { swing }) => ({
    chain: random.below(4) === 0 ? POLYGON : ETHEREUM,
    address: checksummed(pick(random, swing.evm)),
    account: null,
    expected: { is: "swing", match: "exact" },
  }),
  (random, { swing }) => keyQuery(random, pick(random, swing.keys), "swing"),
];

function tronForm(lower: string): string {
  return base58check.encode(Uint8Array.of(0x41, ...Buffer.from(lower.slice(2), "hex")));
}

/** One sign changed for another of the same alphabet: a checksum of 30 bits or more does not let it pass. */
function damaged(random: Random, text: string): string {
  const at = 4 + random.below(text.length - 4);
  const others = "023456789acdefghjkmnpqrstuvwxyz".split("").filter((sign) => sign !== text[at]);
  return text.slice(0, at) + pick(random, others) + text.slice(at + 1);
}

function mixedCase(text: string): string {
  return (
    text.slice(0, -6) +
    text
      .slice(-6)
      .toUpperCase()
      .replace(/^[^A-Z]*$/, "Q")
  );
}

/** Of that many listed accounts and keys. */
export function makeQueries(of: { count: number; seed: number; evm: number; bitcoin: number }): Query[] {
  const random = createRandom(of.seed);
  const world: World = { listed: sampleOf(of.evm), keys: bitcoinKeys(of.bitcoin), swing: swings() };
  const drafts = Array.from({ length: of.count }, () => pick(random, MAKERS)(random, world));
  const listed = listedAmong(new Set(drafts.flatMap(({ account: lower }) => lower ?? [])), of.evm);
  return drafts.map(({ chain, address, account: lower, expected }) => ({
    chain,
    address,
    expected: settled(expected, { chain, lower, listed }),
  }));
}

function settled(
  expected: Expected,
  of: { chain: string; lower: string | null; listed: ReadonlySet<string> },
): Expected {
  if (expected.is === "swing" && of.chain === POLYGON) return { is: "swing", match: "sameKey" };
  if (of.lower === null || !of.listed.has(of.lower)) return expected;
  return { is: "listed", match: of.chain === ETHEREUM ? "exact" : "sameKey" };
}

const SAMPLE = 10_000;

function sampleOf(count: number): string[] {
  const every = Math.max(1, Math.floor(count / SAMPLE));
  let place = 0;
  const sample: string[] = [];
  for (const address of fillers(count)) {
    if (place % every === 0) sample.push(address);
    place += 1;
  }
  return sample;
}

/** The naive lookup: every listed address is looked at. */
function listedAmong(asked: ReadonlySet<string>, count: number): Set<string> {
  const found = new Set<string>();
  for (const address of fillers(count)) if (asked.has(address)) found.add(address);
  return found;
}

export interface Answered {
  readonly verdict: string;
  readonly reasons: readonly { readonly code: string }[];
  readonly watch: readonly { readonly match: string }[];
}

/** Null: as it has to be, by the list of that number. */
export function faultOf({ expected }: Query, { verdict, reasons, watch }: Answered, listNumber: number): string | null {
  const codes = reasons.map(({ code }) => code);
  const matches = watch.map(({ match }) => match);
  const said = `${verdict} (${codes.join(", ")}) ${matches.join(", ")}`;
  const isListed = expected.is === "listed" || (expected.is === "swing" && isSwingListed(listNumber));
  if (isListed && "match" in expected)
    return verdict === "review" && matches.length === 1 && matches[0] === expected.match
      ? null
      : `${said}, not a ${expected.match} match`;
  if (matches.length > 0) return `${said}, though nobody lists it`;
  if (expected.is === "invalid")
    return verdict === "unknown" && codes.join() === "invalidAddress" ? null : `${said}, though it is no address`;
  if (expected.is === "noAdapter")
    return verdict === "unknown" && codes.join() === "noAdapter" ? null : `${said}, though nobody reads the chain`;
  // For the moment of a swap the newest blocks stand by the list before.
  return verdict === "clear" || (verdict === "unknown" && codes.join() === "rematching")
    ? null
    : `${said}, though nothing is against it`;
}
