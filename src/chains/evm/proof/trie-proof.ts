/** One item of an ordered list, held against the list's root: the reading side of `trie.ts`. */
import { RefutedError } from "../../../lib/errors.ts";
import { keccak } from "./keccak.ts";
import { readRlp, type RlpItem } from "./rlp-reader.ts";
import { RlpWriter } from "./rlp.ts";

export interface ListProof {
  /** Lower-case hex. */
  readonly root: string;
  readonly index: number;
  /** From the root to the item's leaf, without nodes that are shorter than a hash and stand inside their parent. */
  readonly nodes: readonly Uint8Array[];
}

const writer = new RlpWriter(16);
const HASH_BYTES = 32;
const BRANCH_ITEMS = 17;

/** The bytes of item `index`. Throws RefutedError unless the nodes lead from the root to it, each of them needed. */
export function provenItem({ root, index, nodes }: ListProof): Uint8Array {
  const unread = [...nodes];
  let rest = nibblesOfIndex(index);
  let ref: RlpItem = Buffer.from(root.slice(2), "hex");
  for (;;) {
    const node = nodeOf(ref, unread);
    if (node.length === BRANCH_ITEMS) {
      const [nibble, ...below] = rest;
      // No key of such a list ends at a branch.
      if (nibble === undefined) throw new RefutedError("the trie proof ends at a branch");
      [ref, rest] = [node[nibble] as RlpItem, below];
      continue;
    }
    const { isLeaf, path, value } = shortNode(node);
    if (path.some((nibble, at) => rest[at] !== nibble)) throw new RefutedError("the trie proof leads to another place");
    rest = rest.slice(path.length);
    if (!isLeaf) {
      ref = value;
      continue;
    }
    if (rest.length > 0 || !(value instanceof Uint8Array))
      throw new RefutedError("the trie proof leads to another place");
    if (unread.length > 0) throw new RefutedError("the trie proof has nodes that are not needed");
    return value;
  }
}

/** A node that its parent names by hash is the next one given; a shorter one stands there itself. */
function nodeOf(ref: RlpItem, unread: Uint8Array[]): readonly RlpItem[] {
  if (!(ref instanceof Uint8Array)) return ref;
  if (ref.length !== HASH_BYTES) throw new RefutedError("the trie proof leads to nothing");
  const bytes = unread.shift();
  if (bytes === undefined) throw new RefutedError("the trie proof ends too early");
  if (Buffer.compare(keccak(bytes), ref) !== 0)
    throw new RefutedError("a node of the trie proof has another hash than its parent, or the header, names");
  const node = readRlp(bytes);
  if (node instanceof Uint8Array) throw new RefutedError("a node of the trie proof is no node");
  return node;
}

/** Hex-prefix encoding (Yellow Paper, appendix C). */
function shortNode(node: readonly RlpItem[]): { isLeaf: boolean; path: number[]; value: RlpItem } {
  const [encoded, value] = node;
  if (node.length !== 2 || !(encoded instanceof Uint8Array) || value === undefined || encoded.length === 0)
    throw new RefutedError("a node of the trie proof is no node");
  const [flag = 0, ...rest] = nibblesOf(encoded);
  const isOdd = flag % 2 === 1;
  if (flag > 3 || (!isOdd && rest[0] !== 0))
    throw new RefutedError("a path of the trie proof is not written as paths are");
  const path = isOdd ? rest : rest.slice(1);
  const isLeaf = flag >= 2;
  // Else two nodes would say the same as one.
  if (!isLeaf && path.length === 0) throw new RefutedError("a path of the trie proof is empty");
  return { isLeaf, path, value };
}

function nibblesOfIndex(index: number): number[] {
  writer.clear();
  writer.uint(index);
  return nibblesOf(writer.view());
}

function nibblesOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
}
