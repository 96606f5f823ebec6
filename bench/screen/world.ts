/**
 * Who is listed in the bench of screening, told without any of the code that is measured: EVM accounts of the fillers, keys
 * of Bitcoin in one of their three forms, and a few of both that come and go with every swap of the lists.
 */
import { createHash } from "node:crypto";
import { bech32, createBase58check } from "@scure/base";
import { keccakHex } from "../../src/chains/evm/proof/keccak.ts";
import type { WatchEntry } from "../../src/types/watch.ts";
import { entryOf, fillers } from "../fillers.ts";
import { createRandom } from "../replay/random.ts";

export const ETHEREUM = "eip155:1";
export const POLYGON = "eip155:137";
export const BITCOIN = "bip122:000000000019d6689c085ae165831e93";
export const LIST = "bench";
export const SWING_LIST = "swing";

/** Of one key: pay to its hash, the same as segwit, and that wrapped in a script. */
export const FORMS = ["p2pkh", "p2wpkh", "p2sh"] as const;
export type Form = (typeof FORMS)[number];

export interface BitcoinKey {
  readonly hash: Uint8Array;
  readonly listedAs: Form;
}

const BITCOIN_SEED = 4_711;
const SWING_SEED = 815;
const SWINGS = 64;
export const base58check = createBase58check((bytes: Uint8Array) => createHash("sha256").update(bytes).digest());

/** EIP-55, written out. */
export function checksummed(lower: string): string {
  const hash = keccakHex(Buffer.from(lower.slice(2), "latin1"));
  let text = "0x";
  for (let at = 2; at < lower.length; at += 1) {
    const sign = lower.charAt(at);
    text += "89abcdef".includes(hash.charAt(at)) ? sign.toUpperCase() : sign;
  }
  return text;
}

export function addressOfKey(hash: Uint8Array, form: Form): string {
  if (form === "p2pkh") return base58check.encode(Uint8Array.of(0x00, ...hash));
  if (form === "p2wpkh") return bech32.encode("bc", [0, ...bech32.toWords(hash)]);
  const script = createHash("sha256")
    .update(Uint8Array.of(0x00, 0x14, ...hash))
    .digest();
  return base58check.encode(Uint8Array.of(0x05, ...createHash("ripemd160").update(script).digest()));
}

export function bitcoinKeys(count: number, seed = BITCOIN_SEED): BitcoinKey[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, place) => ({
    hash: random.bytes(20),
    listedAs: FORMS[place % FORMS.length] as Form,
  }));
}

/** Listed where the number of the list is odd. */
export function swings(): { readonly evm: readonly string[]; readonly keys: readonly BitcoinKey[] } {
  const random = createRandom(SWING_SEED);
  const evm = Array.from({ length: SWINGS }, () => `0x${Buffer.from(random.bytes(20)).toString("hex")}`);
  return { evm, keys: bitcoinKeys(SWINGS / 4, SWING_SEED) };
}

/** Lists are numbered from 0, one further with each swap. */
export function versionOf(listNumber: number): string {
  return `wl_bench_${listNumber}`;
}

export function numberOf(version: string): number {
  return Number(version.slice("wl_bench_".length));
}

export function isSwingListed(listNumber: number): boolean {
  return listNumber % 2 === 1;
}

export function* listedEntries(of: {
  evm: number;
  bitcoin: number;
}): Generator<{ entry: WatchEntry; hasAdapter: true }> {
  for (const address of fillers(of.evm)) yield { entry: entryOf(LIST, checksummed(address)), hasAdapter: true };
  for (const { hash, listedAs } of bitcoinKeys(of.bitcoin))
    yield { entry: entryOn(LIST, BITCOIN, addressOfKey(hash, listedAs)), hasAdapter: true };
}

export function swingEntries(): WatchEntry[] {
  const { evm, keys } = swings();
  return [
    ...evm.map((address) => entryOn(SWING_LIST, ETHEREUM, checksummed(address))),
    ...keys.map(({ hash, listedAs }) => entryOn(SWING_LIST, BITCOIN, addressOfKey(hash, listedAs))),
  ];
}

function entryOn(list: string, chain: string, address: string): WatchEntry {
  return { ...entryOf(list, address), id: `${list}/${chain}/${address}`, chain };
}
