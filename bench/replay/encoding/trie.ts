/** The root of a block's trie: values in order, keyed by the RLP of their index. */
import { quantityBytes } from "./hex.ts";
import { keccak256 } from "./keccak.ts";
import { encodeRlp, rlpListOf } from "./rlp.ts";

interface Leaf {
  readonly nibbles: readonly number[];
  readonly value: Uint8Array;
}

const EMPTY = Uint8Array.of(0x80);

export function orderedTrieRoot(values: readonly Uint8Array[]): Uint8Array {
  const leaves = values.map((value, index): Leaf => {
    const key = encodeRlp(quantityBytes(`0x${index.toString(16)}`));
    return { nibbles: [...key].flatMap((byte) => [byte >> 4, byte & 15]), value };
  });
  return keccak256(leaves.length === 0 ? EMPTY : nodeOf(leaves, 0));
}

/** The RLP of the node over `leaves`, which share their first `depth` nibbles. */
function nodeOf(leaves: readonly Leaf[], depth: number): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return EMPTY;
  if (leaves.length === 1) return pair(pathOf(first.nibbles.slice(depth), true), encodeRlp(first.value));
  const shared = sharedPrefix(leaves, depth);
  if (shared > depth) return pair(pathOf(first.nibbles.slice(depth, shared), false), referenceTo(leaves, shared));
  const children: Uint8Array[] = [];
  for (let nibble = 0; nibble < 16; nibble += 1) {
    children.push(
      referenceTo(
        leaves.filter((leaf) => leaf.nibbles[depth] === nibble),
        depth + 1,
      ),
    );
  }
  // The branch's own value: the RLP of an index is never a prefix of another's.
  return rlpListOf([...children, EMPTY]);
}

/** A node of 32 bytes or more is named by its hash, a smaller one stands in its parent. */
function referenceTo(leaves: readonly Leaf[], depth: number): Uint8Array {
  const node = nodeOf(leaves, depth);
  return node.length < 32 ? node : encodeRlp(keccak256(node));
}

function pair(path: Uint8Array, encoded: Uint8Array): Uint8Array {
  return rlpListOf([encodeRlp(path), encoded]);
}

function sharedPrefix(leaves: readonly Leaf[], from: number): number {
  const first = leaves[0]?.nibbles ?? [];
  let depth = from;
  while (depth < first.length && leaves.every((leaf) => leaf.nibbles[depth] === first[depth])) depth += 1;
  return depth;
}

/** Hex-prefix encoding: the first nibble says leaf or extension, and odd or even. */
function pathOf(nibbles: readonly number[], isLeaf: boolean): Uint8Array {
  const flag = isLeaf ? 2 : 0;
  const padded = nibbles.length % 2 === 1 ? [flag + 1, ...nibbles] : [flag, 0, ...nibbles];
  const bytes = new Uint8Array(padded.length / 2);
  for (let index = 0; index < bytes.length; index += 1)
    bytes[index] = ((padded[index * 2] ?? 0) << 4) | (padded[index * 2 + 1] ?? 0);
  return bytes;
}
