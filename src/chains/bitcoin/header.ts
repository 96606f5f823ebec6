/** The 80 bytes that a block's hash is made of. */
import { scryptSync } from "node:crypto";
import type { Network } from "./networks.ts";
import { displayHash, doubleHash } from "./double-hash.ts";
import { ProofError } from "./proof-error.ts";

export const HEADER_BYTES = 80;
export const MERKLE_ROOT_AT = 36;
const PARENT_AT = 4;
const TIMESTAMP_AT = 68;
const BITS_AT = 72;

export interface RawHeader {
  /** Display order, as every hash here. */
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds, as its miner says. */
  readonly timestamp: number;
  /** Compact form of the target. */
  readonly bits: number;
  /** Expected number of hashes to find this one block. */
  readonly work: bigint;
}

/** Reads 80 bytes; proves nothing. Throws ProofError where they are not a header. */
export function headerOf(bytes: Uint8Array): RawHeader {
  if (bytes.length !== HEADER_BYTES) throw new ProofError("format", `a header of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = view.getUint32(BITS_AT, true);
  return {
    hash: displayHash(doubleHash(bytes)),
    parentHash: displayHash(bytes, PARENT_AT),
    timestamp: view.getUint32(TIMESTAMP_AT, true),
    bits,
    work: (1n << 256n) / (targetOf(bits) + 1n),
  };
}

/** Throws ProofError unless the header's proof of work meets the target that it names, and that target is one of the network. */
export function proveWork(bytes: Uint8Array, network: Network): void {
  const target = targetOf(headerOf(bytes).bits);
  if (target > network.targetMax) throw new ProofError("work", "the target is easier than the network allows");
  const proof = network.proofOfWork === "scrypt" ? scryptHash(bytes) : doubleHash(bytes);
  if (BigInt(`0x${displayHash(proof)}`) > target) throw new ProofError("work", "the hash is above the target");
}

/** Parameters of Litecoin's proof of work: N = 1024, r = 1, p = 1. */
function scryptHash(bytes: Uint8Array): Uint8Array {
  return scryptSync(bytes, bytes, 32, { N: 1024, r: 1, p: 1 });
}

/** A floating-point form: one byte of exponent, a sign, 23 bits of mantissa. Throws ProofError where it is no positive number of 256 bits. */
export function targetOf(bits: number): bigint {
  const exponent = bits >>> 24;
  const mantissa = BigInt(bits & 0x7f_ffff);
  const target = exponent <= 3 ? mantissa >> BigInt(8 * (3 - exponent)) : mantissa << BigInt(8 * (exponent - 3));
  const isNegative = mantissa !== 0n && (bits & 0x80_0000) !== 0;
  if (isNegative || target === 0n || target >> 256n !== 0n)
    throw new ProofError("work", `0x${bits.toString(16)} is no target`);
  return target;
}
