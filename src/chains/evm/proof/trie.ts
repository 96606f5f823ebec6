/**
 * Root of an ordered list, as headers commit to transactions, receipts and withdrawals: a Merkle-Patricia trie with
 * key rlp(index) and the encoded item as value (go-ethereum core/types/hashing.go, DeriveSha).
 * Items are encoded when their leaf is built, straight into the leaf: index 1 to 127, then 0, then 128 and above,
 * which is the order of the keys.
 */
import { keccak, keccakHex } from "./keccak.ts";
import type { RlpWriter } from "./rlp.ts";

/** keccak(rlp("")): the root of the empty list. */
export const EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";

/** How a parent names a node: its hash, or the node itself where that is shorter than a hash. */
type NodeRef = Uint8Array;
const HASH_BYTES = 32;

interface Building {
  readonly writer: RlpWriter;
  /** Indexes in the order of their keys. */
  readonly order: Uint32Array;
  /** Writes the item, without a string header. */
  readonly writeItem: (index: number) => void;
  /** Null: only the root is wanted. */
  readonly trail: Trail | null;
}

/** The nodes above one item. */
interface Trail {
  /** Place of the item in the order. */
  readonly at: number;
  /** From the leaf to the root. */
  readonly nodes: Uint8Array[];
}

/** The root in hex. `writeItem` writes item `index` into `writer` and leaves nothing else there. */
export function listRoot(count: number, writer: RlpWriter, writeItem: (index: number) => void): string {
  if (count === 0) return EMPTY_ROOT;
  const building: Building = { writer, order: keyOrder(count), writeItem, trail: null };
  writeNode(building, 0, count, 0);
  return keccakHex(writer.view());
}

export interface ListPath {
  readonly root: string;
  /** From the root to the leaf of the item; see `trie-proof.ts`. */
  readonly nodes: readonly Uint8Array[];
}

/** The root, and what shows that item `index`, one of `count`, is under it. `writeItem` as of `listRoot`. */
export function listPath(
  { count, index }: { count: number; index: number },
  writer: RlpWriter,
  writeItem: (index: number) => void,
): ListPath {
  const order = keyOrder(count);
  const trail: Trail = { at: order.indexOf(index), nodes: [] };
  writeNode({ writer, order, writeItem, trail }, 0, count, 0);
  const root = Uint8Array.from(writer.view());
  // A root stands alone, however short it is.
  const above = root.length < HASH_BYTES ? [root] : [];
  return { root: keccakHex(root), nodes: [...above, ...trail.nodes.toReversed()] };
}

function keyOrder(count: number): Uint32Array {
  const order = new Uint32Array(count);
  const low = Math.min(count, 128);
  for (let at = 0; at < count; at += 1) order[at] = at < low - 1 ? at + 1 : at === low - 1 ? 0 : at;
  return order;
}

/** Nibble number `depth` of rlp(index): one byte below 128 (0 is 0x80), else 0x80 + length, then the bytes. */
function nibbleOf(index: number, depth: number): number {
  if (index === 0) return depth === 0 ? 8 : 0;
  if (index < 128) return depth === 0 ? index >> 4 : index & 15;
  if (depth === 0) return 8;
  const bytes = index < 0x100 ? 1 : index < 0x1_0000 ? 2 : index < 0x100_0000 ? 3 : 4;
  if (depth === 1) return bytes;
  return (index >>> (4 * (2 * bytes + 1 - depth))) & 15;
}

function keyLength(index: number): number {
  if (index < 128) return 2;
  return index < 0x100 ? 4 : index < 0x1_0000 ? 6 : index < 0x100_0000 ? 8 : 10;
}

/** Leaves the node over the items at `from` up to `to` (exclusive) of the order in the writer. */
function writeNode(building: Building, from: number, to: number, depth: number): void {
  const first = building.order[from] ?? 0;
  if (to - from === 1) {
    writeLeaf(building, first, depth);
    return note(building, from, to);
  }
  const last = building.order[to - 1] ?? 0;
  // Keys are sorted: what the first and the last share, all share. No key is a prefix of another, so this ends.
  let branchDepth = depth;
  while (nibbleOf(first, branchDepth) === nibbleOf(last, branchDepth)) branchDepth += 1;
  writeBranch(building, from, to, branchDepth);
  note(building, from, to);
  if (branchDepth === depth) return;
  const child = refOf(building.writer);
  building.writer.clear();
  writeRef(building.writer, child);
  writePath(building.writer, { index: first, from: depth, to: branchDepth, isLeaf: false });
  building.writer.endList(0);
  note(building, from, to);
}

/** Keeps the node in the writer where it stands above the wanted item. A short one stands inside the next one. */
function note({ writer, trail }: Building, from: number, to: number): void {
  if (trail === null || trail.at < from || trail.at >= to || writer.size < HASH_BYTES) return;
  trail.nodes.push(Uint8Array.from(writer.view()));
}

function writeLeaf({ writer, writeItem }: Building, index: number, depth: number): void {
  writer.clear();
  writeItem(index);
  writer.endString(0);
  writePath(writer, { index, from: depth, to: keyLength(index), isLeaf: true });
  writer.endList(0);
}

function writeBranch(building: Building, from: number, to: number, depth: number): void {
  const children: (NodeRef | undefined)[] = [];
  let start = from;
  while (start < to) {
    const nibble = nibbleOf(building.order[start] ?? 0, depth);
    let end = start + 1;
    while (end < to && nibbleOf(building.order[end] ?? 0, depth) === nibble) end += 1;
    writeNode(building, start, end, depth + 1);
    children[nibble] = refOf(building.writer);
    start = end;
  }
  const { writer } = building;
  writer.clear();
  writer.emptyString(); // A branch's own value: no key of this trie ends at a branch.
  for (let nibble = 15; nibble >= 0; nibble -= 1) {
    const child = children[nibble];
    if (child === undefined) writer.emptyString();
    else writeRef(writer, child);
  }
  writer.endList(0);
}

function refOf(writer: RlpWriter): NodeRef {
  const node = writer.view();
  return node.length < HASH_BYTES ? Uint8Array.from(node) : keccak(node);
}

function writeRef(writer: RlpWriter, ref: NodeRef): void {
  if (ref.length === HASH_BYTES) writer.string(ref);
  else writer.rawBytes(ref);
}

/** Hex-prefix encoding of the nibbles `from` up to `to` of the key (Yellow Paper, appendix C). */
function writePath(writer: RlpWriter, path: { index: number; from: number; to: number; isLeaf: boolean }): void {
  const { index, from, to, isLeaf } = path;
  const mark = writer.size;
  const odd = (to - from) % 2;
  for (let at = to - 2; at >= from + odd; at -= 2) {
    writer.rawByte((nibbleOf(index, at) << 4) | nibbleOf(index, at + 1));
  }
  writer.rawByte(((isLeaf ? 2 : 0) + odd) * 16 + (odd === 1 ? nibbleOf(index, from) : 0));
  writer.endString(mark);
}
