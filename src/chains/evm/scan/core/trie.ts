/**
 * Root of an ordered list, as `proof/trie.ts` explains it, on the core's memory. Items are encoded when their leaf is
 * built, straight into the leaf.
 */
import { checkItemHash, itemHashAt, writeItem } from "./items.ts";
import { keccakPairTo, keccakTo } from "./keccak.ts";
import { byteAt, copyBytes, setByte } from "./memory.ts";
import { take, takenMark, untake } from "./room.ts";
import {
  clearWritten,
  endList,
  endString,
  writeByte,
  writeBytes,
  writeEmptyString,
  writtenAt,
  writtenSize,
} from "./rlp.ts";
import { isOdd } from "./verdict.ts";

const HASH_BYTES: i32 = 32;
/** How a parent names a node: a length, then its hash, or the node itself where that is shorter. */
const REF_BYTES: i32 = 33;
/** keccak(rlp("")) comes from this one byte. */
const EMPTY_STRING: i32 = 0x80;

let itemKind: i32 = 0;
/** The item whose leaf is in the writer, -1 when another node is; and its size, at the end of what was written. */
let leafIndex: i32 = -1;
let leafItemSize: i32 = 0;
/** A node whose hash waits for a second one, for hashing two costs little more: where it goes (0: none waits), the node's copy. */
let waitingTo: i32 = 0;
let waitingAt: i32 = 0;
let waitingSize: i32 = 0;

/** Writes the 32 bytes of the root to `to`. `kind` is one of `items.ts`. */
export function listRootTo(to: i32, kind: i32, count: i32): void {
  itemKind = kind;
  leafIndex = -1;
  waitingTo = 0;
  clearWritten();
  if (count === 0) writeByte(EMPTY_STRING);
  else writeNode(0, count, 0, count);
  if (leafIndex >= 0 && itemHashAt(kind, leafIndex) !== 0) hashLeafWithItem(to);
  else keccakTo(to, writtenAt(), writtenSize());
}

/** The item at a place of the keys' order: 1 to 127, 0, 128 and above. */
function indexAt(place: i32, count: i32): i32 {
  const low = count < 128 ? count : 128;
  if (place < low - 1) return place + 1;
  return place === low - 1 ? 0 : place;
}

/** Nibble number `depth` of rlp(index). */
function nibbleOf(index: i32, depth: i32): i32 {
  if (index === 0) return depth === 0 ? 8 : 0;
  if (index < 128) return depth === 0 ? index >> 4 : index & 15;
  if (depth === 0) return 8;
  const bytes = bytesOf(index);
  if (depth === 1) return bytes;
  return (index >> (4 * (2 * bytes + 1 - depth))) & 15;
}

function bytesOf(index: i32): i32 {
  if (index < 0x100) return 1;
  if (index < 0x10000) return 2;
  return index < 0x1000000 ? 3 : 4;
}

function keyLength(index: i32): i32 {
  return index < 128 ? 2 : 2 + 2 * bytesOf(index);
}

/** Leaves the node over the places `from` up to `to` (exclusive) in the writer. */
function writeNode(from: i32, to: i32, depth: i32, count: i32): void {
  // Where the room was full, what was read is overwritten: positions in it may lead anywhere.
  if (isOdd()) return;
  const first = indexAt(from, count);
  if (to - from === 1) return writeLeaf(first, depth);
  const last = indexAt(to - 1, count);
  let branchDepth = depth;
  while (nibbleOf(first, branchDepth) === nibbleOf(last, branchDepth)) branchDepth += 1;
  writeBranch(from, to, branchDepth, count);
  if (branchDepth === depth) return;
  const mark = takenMark();
  const child = take(REF_BYTES);
  keepRef(child);
  hashWaiting();
  clearWritten();
  writeRef(child);
  writePath(first, depth, branchDepth, 0);
  endList(0);
  untake(mark);
}

function writeLeaf(index: i32, depth: i32): void {
  clearWritten();
  writeItem(itemKind, index);
  leafIndex = index;
  leafItemSize = writtenSize();
  endString(0);
  writePath(index, depth, keyLength(index), 2);
  endList(0);
}

function writeBranch(from: i32, to: i32, depth: i32, count: i32): void {
  const mark = takenMark();
  const children = take(16 * REF_BYTES);
  for (let nibble: i32 = 0; nibble < 16; nibble += 1) setByte(children + nibble * REF_BYTES, 0);
  let start = from;
  while (start < to) {
    const nibble = nibbleOf(indexAt(start, count), depth);
    let end = start + 1;
    while (end < to && nibbleOf(indexAt(end, count), depth) === nibble) end += 1;
    writeNode(start, end, depth + 1, count);
    keepRef(children + nibble * REF_BYTES);
    start = end;
  }
  hashWaiting();
  leafIndex = -1;
  clearWritten();
  writeEmptyString(); // A branch's own value: no key of this trie ends at a branch.
  for (let nibble: i32 = 15; nibble >= 0; nibble -= 1) {
    const child = children + nibble * REF_BYTES;
    if (byteAt(child) === 0) writeEmptyString();
    else writeRef(child);
  }
  endList(0);
  untake(mark);
}

/** Names the node in the writer. Its hash may still be missing until `hashWaiting`. */
function keepRef(ref: i32): void {
  const size = writtenSize();
  const wantsItemHash = leafIndex >= 0 && itemHashAt(itemKind, leafIndex) !== 0;
  if (size < HASH_BYTES) {
    // Such a transaction exists: an internal one of Arbitrum with a short input.
    if (wantsItemHash) hashItem();
    setByte(ref, size);
    copyBytes(ref + 1, writtenAt(), size);
    return;
  }
  setByte(ref, HASH_BYTES);
  if (wantsItemHash) hashLeafWithItem(ref + 1);
  else hashOrWait(ref + 1, size);
}

/** The item at the end of the leaf in the writer, alone. */
function hashItem(): void {
  keccakTo(itemHashAt(itemKind, leafIndex), writtenAt() + writtenSize() - leafItemSize, leafItemSize);
  checkItemHash(itemKind, leafIndex);
}

/** The leaf in the writer and the item at its end. */
function hashLeafWithItem(to: i32): void {
  const item = writtenAt() + writtenSize() - leafItemSize;
  keccakPairTo(itemHashAt(itemKind, leafIndex), item, leafItemSize, to, writtenAt(), writtenSize());
  checkItemHash(itemKind, leafIndex);
}

function hashOrWait(to: i32, size: i32): void {
  if (waitingTo === 0) {
    waitingTo = to;
    waitingSize = size;
    waitingAt = take(size);
    copyBytes(waitingAt, writtenAt(), size);
  } else {
    keccakPairTo(waitingTo, waitingAt, waitingSize, to, writtenAt(), size);
    waitingTo = 0;
  }
}

/** Whoever waits is hashed alone. */
function hashWaiting(): void {
  if (waitingTo !== 0) keccakTo(waitingTo, waitingAt, waitingSize);
  waitingTo = 0;
}

function writeRef(ref: i32): void {
  const size = byteAt(ref);
  const mark = writtenSize();
  writeBytes(ref + 1, size);
  if (size === HASH_BYTES) endString(mark);
}

/** Hex-prefix encoding of the nibbles `from` up to `to` of the key; `kind` is 2 for a leaf, 0 for an extension. */
function writePath(index: i32, from: i32, to: i32, kind: i32): void {
  const odd = (to - from) & 1;
  const mark = writtenSize();
  for (let at = to - 2; at >= from + odd; at -= 2) writeByte((nibbleOf(index, at) << 4) | nibbleOf(index, at + 1));
  writeByte((kind + odd) * 16 + (odd === 1 ? nibbleOf(index, from) : 0));
  endString(mark);
}
