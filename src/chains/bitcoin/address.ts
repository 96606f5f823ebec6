/** Addresses and the scripts they stand for. Base58Check and Bech32 by a library. */
import { hash } from "node:crypto";
import { bech32, bech32m, createBase58check } from "@scure/base";
import type { Address } from "../../types/chain.ts";
import type { Network } from "./networks.ts";
import { isData, kindOf, payloadAt } from "./scripts.ts";

const base58check = createBase58check((bytes: Uint8Array) => hash("sha256", bytes, "buffer"));

/** What an address stands for: a script, or the SHA-256 of one that is too long to write. */
export type Target = { readonly script: Uint8Array } | { readonly scriptHash: Uint8Array };

/** A script up to here is written in full where it has no address. */
export const WRITTEN_BYTES_MAX = 200;
const SCRIPT = "script:";
const SCRIPT_HASH = "script-sha256:";

/**
 * The canonical text of a scriptPubKey: its address where it has one, else `script:` and its hex, `script-sha256:` and
 * its hash where it is longer than 200 bytes.
 */
export function addressOf(script: Uint8Array, network: Network): Address {
  const kind = kindOf(script, 0, script.length);
  if (kind === "p2pkh") return base58(network.pubKeyHashVersion, script.subarray(payloadAt(kind), -2));
  if (kind === "p2sh") return base58(network.scriptHashVersions[0], script.subarray(payloadAt(kind), -1));
  const program = witnessProgramOf(script);
  if (program !== null) {
    const coder = program.version === 0 ? bech32 : bech32m;
    return coder.encode(network.bech32Prefix, [program.version, ...coder.toWords(program.bytes)]);
  }
  if (script.length > WRITTEN_BYTES_MAX) return SCRIPT_HASH + hash("sha256", script);
  return SCRIPT + Buffer.from(script).toString("hex");
}

/**
 * What a canonical or otherwise valid text stands for. Null: it is no address of this network, or one that nobody can
 * ever spend from (OP_RETURN) and that cannot be watched.
 */
export function targetOf(text: string, network: Network): Target | null {
  if (text.startsWith(SCRIPT_HASH)) {
    const scriptHash = bytesOfHex(text.slice(SCRIPT_HASH.length));
    return scriptHash?.length === 32 ? { scriptHash } : null;
  }
  const script = text.startsWith(SCRIPT) ? bytesOfHex(text.slice(SCRIPT.length)) : scriptOfAddress(text, network);
  return script === null || isData(script) ? null : { script };
}

/** Canonical text, or null where the text is no address of this network. */
export function normalizeBitcoinAddress(text: string, network: Network): Address | null {
  const target = targetOf(text, network);
  if (target === null) return null;
  return "script" in target ? addressOf(target.script, network) : text.toLowerCase();
}

function base58(version: number, payload: Uint8Array): string {
  return base58check.encode(Uint8Array.of(version, ...payload));
}

/** Versions 1 to 16 with 2 to 40 bytes; version 0 with 20 or 32 bytes alone can be spent. */
function witnessProgramOf(script: Uint8Array): { version: number; bytes: Uint8Array } | null {
  const [opcode, length] = [script[0] ?? 0, script[1] ?? 0];
  const version = opcode === 0 ? 0 : opcode - 0x50;
  if (length + 2 !== script.length || !isProgram(version, length)) return null;
  return { version, bytes: script.subarray(2) };
}

function isProgram(version: number, length: number): boolean {
  if (version === 0) return length === 20 || length === 32;
  return version >= 1 && version <= 16 && length >= 2 && length <= 40;
}

function scriptOfAddress(text: string, network: Network): Uint8Array | null {
  // Bech32 is written in one case; which one does not matter.
  return text.toLowerCase().startsWith(`${network.bech32Prefix}1`)
    ? scriptOfBech32(text, network)
    : scriptOfBase58(text, network);
}

function scriptOfBase58(text: string, network: Network): Uint8Array | null {
  const decoded = orNull(() => base58check.decode(text));
  if (decoded?.length !== 21) return null;
  const [version, payload] = [decoded[0] as number, decoded.subarray(1)];
  if (version === network.pubKeyHashVersion) return Uint8Array.of(0x76, 0xa9, 20, ...payload, 0x88, 0xac);
  return network.scriptHashVersions.includes(version) ? Uint8Array.of(0xa9, 20, ...payload, 0x87) : null;
}

function scriptOfBech32(text: string, network: Network): Uint8Array | null {
  // The first digit is the version: 0, which is a q, has the older checksum (BIP 173), every later one the newer (BIP 350).
  const isVersion0 = text[network.bech32Prefix.length + 1]?.toLowerCase() === "q";
  const coder = isVersion0 ? bech32 : bech32m;
  const decoded = orNull(() => coder.decode(text as `${string}1${string}`));
  const [version, ...words] = decoded?.words ?? [];
  if (decoded?.prefix !== network.bech32Prefix || version === undefined) return null;
  const program = orNull(() => coder.fromWords(words));
  if (program === null || !isProgram(version, program.length)) return null;
  return Uint8Array.of(version === 0 ? 0 : 0x50 + version, program.length, ...program);
}

function bytesOfHex(text: string): Uint8Array | null {
  return /^(?:[0-9a-f]{2})*$/i.test(text) ? Buffer.from(text, "hex") : null;
}

/** The library throws at what is not an address. */
function orNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch {
    return null;
  }
}
