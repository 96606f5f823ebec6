/**
 * Which chain an address without a chain belongs to: by the coin a list names, else by the way it is written. Lists of
 * others name coins (`XBT`, `USDT`), not chains, and name some that nobody here has heard of.
 */
import { createHash } from "node:crypto";
import { base58, bech32, bech32m, createBase58check } from "@scure/base";
import type { ChainId } from "../types/chain.ts";
import { showFound } from "./problems.ts";

export const ETHEREUM: ChainId = "eip155:1";
export const BITCOIN: ChainId = "bip122:000000000019d6689c085ae165831e93";
export const TRON: ChainId = "tron:0x2b6653dc";
const LITECOIN: ChainId = "bip122:12a765e31ffd4059bada1e25190f6e98";
const SOLANA: ChainId = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
/** The first byte of every TRON address (TRON documentation, "address format"). */
export const TRON_VERSION = 0x41;

const base58check = createBase58check((bytes: Uint8Array) => createHash("sha256").update(bytes).digest());

/** The 21 bytes of a TRON address after its checksum was found right; null for any other text. */
export function decodeTron(text: string): Uint8Array | null {
  return decodeBase58Check(text, [TRON_VERSION]);
}

export function encodeTron(bytes: Uint8Array): string {
  return base58check.encode(bytes);
}

/** The way addresses of a chain are written, with their checksum where there is one. */
interface AddressForm {
  readonly chain: ChainId;
  readonly matches: (text: string) => boolean;
}

/** In this order: a text that fits two forms is of the first. Old Litecoin scripts look like Bitcoin ones. */
const FORMS: readonly AddressForm[] = [
  { chain: ETHEREUM, matches: (text) => /^0x[0-9a-fA-F]{40}$/.test(text) },
  { chain: BITCOIN, matches: (text) => isBase58Check(text, [0x00, 0x05]) || isSegwit(text, "bc") },
  { chain: TRON, matches: (text) => decodeTron(text) !== null },
  { chain: LITECOIN, matches: (text) => isBase58Check(text, [0x30, 0x32, 0x05]) || isSegwit(text, "ltc") },
  { chain: SOLANA, matches: isSolana },
];
const FORM_OF: ReadonlyMap<string, AddressForm> = new Map(FORMS.map((form) => [namespaceOf(form.chain), form]));

/** By ticker or name in upper case. `USDT` stands for its contracts on several chains: the address decides. */
const COIN_CHAINS: ReadonlyMap<string, ChainId> = new Map([
  ["XBT", BITCOIN],
  ["BTC", BITCOIN],
  ["BITCOIN", BITCOIN],
  ["LTC", LITECOIN],
  ["LITECOIN", LITECOIN],
  ["TRX", TRON],
  ["TRON", TRON],
  ["SOL", SOLANA],
  ["SOLANA", SOLANA],
  ["ETH", ETHEREUM],
  ["ETHEREUM", ETHEREUM],
  ["ETC", "eip155:61"],
  ["ARB", "eip155:42161"],
  ["ARBITRUM", "eip155:42161"],
  ["BSC", "eip155:56"],
  ["BNB", "eip155:56"],
  ["MATIC", "eip155:137"],
  ["POLYGON", "eip155:137"],
  ["OPTIMISM", "eip155:10"],
  ["BASE", "eip155:8453"],
  ["AVAX", "eip155:43114"],
  ["AVALANCHE", "eip155:43114"],
  ["GNOSIS", "eip155:100"],
]);
/** Tokens of many chains: naming one of them says nothing about the chain. */
const MULTI_CHAIN: ReadonlySet<string> = new Set(["USDT", "USDC", "DAI", "BUSD", "TUSD", "ERC20", "TRC20", "EVM"]);
/** Coins lists name that no adapter reads and whose addresses are not checked here. */
const UNREAD_COINS: ReadonlySet<string> = new Set(["XMR", "ZEC", "DASH", "BTG", "BSV", "BCH", "XVG", "XRP", "DOGE"]);
/** The least an address looks like where nobody can check it: the shortest known ones (XRP) have 25 characters. */
const UNCHECKED = /^[0-9A-Za-z:]{25,128}$/;

export interface ChainAnswer {
  readonly chain: ChainId;
  /** What a person should know about how the chain was found. */
  readonly warning: string | null;
}

/** The chain of an address by its coin, else by its form. Null: neither tells. */
export function chainOf(coin: string | null, address: string): ChainAnswer | null {
  const byForm = FORMS.find((form) => form.matches(address))?.chain ?? null;
  if (coin === null) return byForm === null ? null : { chain: byForm, warning: null };
  const name = coin.toUpperCase();
  const named = COIN_CHAINS.get(name);
  if (named !== undefined) {
    // A wrong checksum is told by the address check, under the chain the list meant.
    if (byForm === null || isWellFormed(named, address)) return { chain: named, warning: null };
    return { chain: byForm, warning: `${name}, but the address is written as one of ${byForm}` };
  }
  // Coins with addresses like Bitcoin's are meant as written; an EVM address is never one of theirs.
  if (UNREAD_COINS.has(name) && byForm !== ETHEREUM)
    return UNCHECKED.test(address) ? { chain: unreadChain(name), warning: null } : null;
  if (MULTI_CHAIN.has(name) && byForm !== null) return { chain: byForm, warning: null };
  if (byForm !== null)
    return { chain: byForm, warning: `the coin ${showFound(name)}: taken for ${byForm} by its form` };
  return /^[A-Z0-9]{1,16}$/.test(name) && !MULTI_CHAIN.has(name) && UNCHECKED.test(address)
    ? { chain: unreadChain(name), warning: `the coin ${name}: kept, but no chain is known for it` }
    : null;
}

/** Chains a list may name in words, for a column called chain or network. Null: not known. */
export function chainNamed(text: string): ChainId | null {
  if (/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/.test(text)) return text;
  if (/^[1-9]\d{0,9}$/.test(text)) return `eip155:${text}`;
  return COIN_CHAINS.get(text.toUpperCase()) ?? null;
}

/** The short name a list would give this chain's coin; its CAIP-2 id where it has none. */
export function coinOf(chain: ChainId): string {
  for (const [coin, one] of COIN_CHAINS) if (one === chain) return coin;
  return chain.startsWith("ticker:") ? chain.slice("ticker:".length) : chain;
}

/** Also true for chains whose addresses nobody here can check. */
export function isWellFormed(chain: ChainId, text: string): boolean {
  const form = FORM_OF.get(namespaceOf(chain));
  return form === undefined || form.matches(text);
}

/** Bitcoin and Litecoin share the namespace `bip122`. */
function namespaceOf(chain: ChainId): string {
  return chain.startsWith("bip122:") ? chain : (chain.split(":", 1)[0] ?? chain);
}

/** No CAIP-2 id that we could name a source for: kept under the list's own word, which no adapter reads. */
function unreadChain(ticker: string): ChainId {
  return `ticker:${ticker}`;
}

function isBase58Check(text: string, versions: readonly number[]): boolean {
  return decodeBase58Check(text, versions) !== null;
}

function decodeBase58Check(text: string, versions: readonly number[]): Uint8Array | null {
  if (text.length < 26 || text.length > 35) return null;
  const bytes = orNull(() => base58check.decode(text));
  return bytes?.length === 21 && versions.includes(bytes[0] ?? -1) ? bytes : null;
}

/** BIP 173 and BIP 350: version 0 has the older checksum, later ones the newer. */
function isSegwit(text: string, prefix: string): boolean {
  if (!text.toLowerCase().startsWith(`${prefix}1`) || text.length > 90) return false;
  return [bech32, bech32m].some((coder) => {
    const program = orNull(() => {
      const { words } = coder.decode(text as `${string}1${string}`);
      return { version: words[0] ?? 99, length: coder.fromWords(words.slice(1)).length };
    });
    if (program === null || (program.version === 0) !== (coder === bech32) || program.version > 16) return false;
    return program.version === 0 ? [20, 32].includes(program.length) : program.length >= 2 && program.length <= 40;
  });
}

/** 32 bytes, and no checksum to tell a typo by. */
function isSolana(text: string): boolean {
  if (text.length < 32 || text.length > 44) return false;
  return orNull(() => base58.decode(text))?.length === 32;
}

/** The library throws at what is not an address. */
function orNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch {
    return null;
  }
}
