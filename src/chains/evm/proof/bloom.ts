/**
 * Log blooms: 2048 bits, three for each address and topic, from its Keccak (Yellow Paper 4.4.1; go-ethereum
 * core/types/bloom9.go). Blocks repeat their tokens and topics, so positions are remembered.
 */
import { keccak } from "./keccak.ts";
import { RlpWriter } from "./rlp.ts";

export const BLOOM_BYTES = 256;

// About 250 bytes an entry: 5 MB at most. Emptied when full, which costs one block of hashing now and then.
const REMEMBERED_MAX = 20_000;

interface Positions {
  readonly first: number;
  readonly second: number;
  readonly third: number;
}

const remembered = new Map<string, Positions>();
const writer = new RlpWriter(64);

/** Sets the bits of an address or topic, given as lower-case hex. False when it is not hex. */
export function addToBloom(bloom: Uint8Array, item: string): boolean {
  const positions = remembered.get(item) ?? positionsOf(item);
  if (positions === null) return false;
  setBit(bloom, positions.first);
  setBit(bloom, positions.second);
  setBit(bloom, positions.third);
  return true;
}

export function mergeBloom(into: Uint8Array, from: Uint8Array): void {
  for (let at = 0; at < BLOOM_BYTES; at += 1) into[at] = (into[at] ?? 0) | (from[at] ?? 0);
}

export function bloomHex(bloom: Uint8Array): string {
  return `0x${Buffer.from(bloom.buffer, bloom.byteOffset, bloom.length).toString("hex")}`;
}

function positionsOf(item: string): Positions | null {
  writer.clear();
  // Longer texts are no address and no topic: not worth remembering, nor hashing.
  if (item.length > 66 || !writer.rawHex(item)) return null;
  const hash = keccak(writer.view());
  const positions = { first: positionAt(hash, 0), second: positionAt(hash, 2), third: positionAt(hash, 4) };
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(item, positions);
  return positions;
}

function positionAt(hash: Uint8Array, at: number): number {
  return (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047;
}

function setBit(bloom: Uint8Array, position: number): void {
  const byte = BLOOM_BYTES - 1 - (position >> 3);
  bloom[byte] = (bloom[byte] ?? 0) | (1 << (position & 7));
}
