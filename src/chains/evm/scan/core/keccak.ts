/** Keccak-256 of bytes in the core's memory, as plain TypeScript: on hash-wasm. `keccak.asc.ts` is our own, for WebAssembly. */
import { createKeccak } from "hash-wasm";
import { bytesAt } from "./memory.ts";

const hasher = await createKeccak(256);

/** Two messages, one after the other: the other build hashes them side by side. */
export function keccakPairTo(
  toFirst: i32,
  first: i32,
  firstCount: i32,
  toSecond: i32,
  second: i32,
  secondCount: i32,
): void {
  keccakTo(toFirst, first, firstCount);
  keccakTo(toSecond, second, secondCount);
}

/** Writes the 32 bytes of the digest to `to`. */
export function keccakTo(to: i32, from: i32, count: i32): void {
  bytesAt(to, 32).set(hasher.init().update(bytesAt(from, count)).digest("binary"));
}
