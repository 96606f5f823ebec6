/** One leaf of a block's merkle tree, and what leads from it to the root. */
import { RefutedError } from "../../../lib/errors.ts";
import { doubleHash, HASH_BYTES } from "../double-hash.ts";

export interface MerkleBranch {
  /** Place among the leaves. */
  readonly index: number;
  /** The other hash of each pair, from the leaves up. */
  readonly siblings: readonly Uint8Array[];
}

/** The branch of one of `leaves`, hashes one after another. */
export function branchOf(leaves: Uint8Array, index: number): MerkleBranch {
  const siblings: Uint8Array[] = [];
  let level = Array.from({ length: leaves.length / HASH_BYTES }, (_, at) =>
    leaves.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
  for (let place = index; level.length > 1; place = Math.floor(place / 2)) {
    // The last hash of an odd level is paired with itself.
    const other = (at: number) => level[Math.min(at, level.length - 1)] as Uint8Array;
    siblings.push(other(place % 2 === 0 ? place + 1 : place - 1));
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) =>
      doubleHash(Buffer.concat([other(2 * pair), other(2 * pair + 1)])),
    );
  }
  return { index, siblings };
}

/** The root that a leaf leads to. Throws RefutedError where its place is none that a leaf has. */
export function rootFrom(leaf: Uint8Array, { index, siblings }: MerkleBranch): Uint8Array {
  if (index >= 2 ** siblings.length) throw new RefutedError("the merkle branch has no such place");
  let hash = leaf;
  let place = index;
  for (const sibling of siblings) {
    const isRight = place % 2 === 1;
    // A hash that is paired with itself is the last one, on the left: on the right it would have a second place (CVE-2012-2459).
    if (isRight && Buffer.compare(hash, sibling) === 0)
      throw new RefutedError("the merkle branch gives a transaction the place of its own copy");
    hash = doubleHash(Buffer.concat(isRight ? [sibling, hash] : [hash, sibling]));
    place = Math.floor(place / 2);
  }
  return hash;
}
