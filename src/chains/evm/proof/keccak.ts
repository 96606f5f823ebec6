/**
 * Keccak-256 on hash-wasm: one hasher, made once while the module loads, then synchronous.
 * Not re-entrant: a call ends before the next begins, which is so in code without `await`.
 */
import { createKeccak } from "hash-wasm";

const hasher = await createKeccak(256);

/** A fresh 32-byte digest. */
export function keccak(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest("binary");
}

/** The digest as a node writes it: `0x` and 64 lower-case digits. */
export function keccakHex(bytes: Uint8Array): string {
  return `0x${hasher.init().update(bytes).digest("hex")}`;
}
