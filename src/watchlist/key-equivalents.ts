/**
 * Other addresses the same key controls. TRON and EVM addresses are the same 20 bytes of the same hash of the key; Bitcoin
 * writes one key's hash in three scripts. Contracts do not share: a match by this is one level lower and never holds.
 */
import { createHash } from "node:crypto";
import { bech32, createBase58check } from "@scure/base";
import { getAddress } from "ethers";
import type { Address, ChainId } from "../types/chain.ts";
import { BITCOIN, decodeTron, encodeTron, ETHEREUM, isWellFormed, TRON, TRON_VERSION } from "./coins.ts";

export interface KeyEquivalent {
  readonly chain: ChainId;
  readonly address: Address;
}

const base58check = createBase58check((bytes: Uint8Array) => createHash("sha256").update(bytes).digest());
/** Version bytes of Bitcoin addresses (bitcoin/src/kernel/chainparams.cpp). */
const KEY_HASH = 0x00;
const SCRIPT_HASH = 0x05;

/** Empty where no other form is known. The address is canonical text of its chain. */
export function keyEquivalents(chain: ChainId, address: Address): readonly KeyEquivalent[] {
  if (chain === TRON) return ofTron(address);
  if (chain.startsWith("eip155:")) return ofEvm(address);
  return chain === BITCOIN ? ofBitcoin(address) : [];
}

function ofTron(address: Address): readonly KeyEquivalent[] {
  const bytes = decodeTron(address);
  return bytes === null
    ? []
    : [{ chain: ETHEREUM, address: getAddress(`0x${Buffer.from(bytes.subarray(1)).toString("hex")}`) }];
}

function ofEvm(address: Address): readonly KeyEquivalent[] {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) return [];
  return [{ chain: TRON, address: encodeTron(Uint8Array.of(TRON_VERSION, ...Buffer.from(address.slice(2), "hex"))) }];
}

/** Legacy, segwit and segwit wrapped in a script. From a script's hash the key's cannot be found. */
function ofBitcoin(address: Address): readonly KeyEquivalent[] {
  const hash = keyHashOf(address);
  if (hash === null) return [];
  const program = Uint8Array.of(0x00, 0x14, ...hash); // OP_0 and a push of 20 bytes (BIP 141)
  const forms = [
    base58check.encode(Uint8Array.of(KEY_HASH, ...hash)),
    bech32.encode("bc", [0, ...bech32.toWords(hash)]),
    base58check.encode(Uint8Array.of(SCRIPT_HASH, ...hash160(program))),
  ];
  return forms.filter((form) => form !== address).map((form) => ({ chain: BITCOIN, address: form }));
}

function keyHashOf(address: Address): Uint8Array | null {
  if (!isWellFormed(BITCOIN, address)) return null;
  if (address.startsWith("1")) return base58check.decode(address).subarray(1);
  const text = address.toLowerCase();
  if (!text.startsWith("bc1q")) return null;
  const program = bech32.fromWords(bech32.decode(text as `${string}1${string}`).words.slice(1));
  return program.length === 20 ? program : null; // 32 bytes are the hash of a script
}

function hash160(bytes: Uint8Array): Uint8Array {
  return createHash("ripemd160").update(createHash("sha256").update(bytes).digest()).digest();
}
