/** Keccak-256 over one buffer. One hasher for the process: it is synchronous, so no two hashes interleave. */
import { createKeccak } from "hash-wasm";

const hasher = await createKeccak(256);

export function keccak256(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest("binary");
}
