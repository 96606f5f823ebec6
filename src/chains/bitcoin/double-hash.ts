/** Double SHA-256 of transactions and of the pairs of a merkle tree. */
import { hash } from "node:crypto";
import { hasWitness, INPUTS, PARTS, START, type Transactions, WITNESS } from "./transactions.ts";

export const HASH_BYTES = 32;

export function doubleHash(bytes: Uint8Array): Buffer {
  return hash("sha256", hash("sha256", bytes, "buffer"), "buffer");
}

/** As people write it: hexadecimal, last byte first. */
export function displayHash(bytes: Uint8Array, at = 0): string {
  return Buffer.from(bytes.subarray(at, at + HASH_BYTES).toReversed()).toString("hex");
}

/** The hash that names a transaction: of its bytes without the witnesses. */
export function transactionHash(transactions: Transactions, index: number): Buffer {
  return doubleHash(withoutWitness(transactions, index));
}

/** The hash of all of its bytes. */
export function witnessHash({ bytes, parts }: Transactions, index: number): Buffer {
  const row = index * PARTS;
  return doubleHash(bytes.subarray(parts[row + START], parts[row + PARTS]));
}

/** The bytes of a transaction that its hash covers. */
export function withoutWitness(transactions: Transactions, index: number): Uint8Array {
  const { bytes, parts } = transactions;
  const row = index * PARTS;
  const [start, end] = [parts[row + START] as number, parts[row + PARTS] as number];
  if (!hasWitness(transactions, index)) return bytes.subarray(start, end);
  const version = bytes.subarray(start, start + 4);
  const body = bytes.subarray(parts[row + INPUTS], parts[row + WITNESS]);
  return Buffer.concat([version, body, bytes.subarray(end - 4, end)]);
}

/**
 * The root of a merkle tree over `leaves`, hashes one after another, which are overwritten.
 * Null: two neighbours are equal, so that a shorter list has the same root (CVE-2012-2459).
 */
export function merkleRoot(leaves: Uint8Array): Uint8Array | null {
  let count = leaves.length / HASH_BYTES;
  while (count > 1) {
    for (let index = 0; index < count; index += 2) {
      const at = index * HASH_BYTES;
      const pair = index + 1 < count ? leaves.subarray(at, at + 2 * HASH_BYTES) : paired(leaves, at);
      if (index + 1 < count && Buffer.compare(pair.subarray(0, HASH_BYTES), pair.subarray(HASH_BYTES)) === 0)
        return null;
      leaves.set(doubleHash(pair), at / 2);
    }
    count = Math.ceil(count / 2);
  }
  return leaves.subarray(0, HASH_BYTES);
}

/** The last hash of an odd level is paired with itself. */
function paired(leaves: Uint8Array, at: number): Uint8Array {
  const last = leaves.subarray(at, at + HASH_BYTES);
  return Buffer.concat([last, last]);
}
