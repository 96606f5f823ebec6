/** RLP bytes -> items, in the one form that each item has. A longer form, or a byte too many, is refused. */
import { RefutedError } from "../../../lib/errors.ts";

export type RlpItem = Uint8Array | readonly RlpItem[];

// A receipt is four levels deep, a transaction five: more is no part of a block.
const DEPTH_MAX = 8;
const SHORT_LENGTH_MAX = 55;

/** One item that is all of the bytes. Throws RefutedError. */
export function readRlp(bytes: Uint8Array): RlpItem {
  const [item, end] = itemAt({ bytes, end: bytes.length }, 0, 0);
  if (end !== bytes.length) throw new RefutedError("RLP with bytes behind its end");
  return item;
}

interface Span {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** The item that begins at `at`, and where the next one does. */
function itemAt(span: Span, at: number, depth: number): [RlpItem, number] {
  if (depth > DEPTH_MAX) throw new RefutedError("RLP that is nested too deeply");
  const first = byteAt(span, at);
  if (first < 0x80) return [span.bytes.subarray(at, at + 1), at + 1];
  const isList = first >= 0xc0;
  const [from, size] = contentOf(span, at, first - (isList ? 0xc0 : 0x80));
  const end = from + size;
  if (end > span.end) throw new RefutedError("RLP that ends too early");
  if (isList) return [itemsIn({ bytes: span.bytes, end }, from, depth), end];
  if (size === 1 && byteAt(span, from) < 0x80) throw new RefutedError("RLP with a byte that needs no header");
  return [span.bytes.subarray(from, end), end];
}

function itemsIn(span: Span, from: number, depth: number): RlpItem[] {
  const items: RlpItem[] = [];
  for (let at = from; at < span.end; ) {
    const [item, next] = itemAt(span, at, depth + 1);
    items.push(item);
    at = next;
  }
  return items;
}

/** Where the content begins and how long it is; `code`: what the first byte says of its length. */
function contentOf(span: Span, at: number, code: number): [number, number] {
  if (code <= SHORT_LENGTH_MAX) return [at + 1, code];
  const lengthBytes = code - SHORT_LENGTH_MAX;
  // Four bytes count up to 4 GB.
  if (lengthBytes > 4 || byteAt(span, at + 1) === 0) throw new RefutedError("RLP with a length that is not minimal");
  let size = 0;
  for (let place = 1; place <= lengthBytes; place += 1) size = size * 256 + byteAt(span, at + place);
  if (size <= SHORT_LENGTH_MAX) throw new RefutedError("RLP with a length that is not minimal");
  return [at + 1 + lengthBytes, size];
}

function byteAt({ bytes, end }: Span, at: number): number {
  const byte = at < end ? bytes[at] : undefined;
  if (byte === undefined) throw new RefutedError("RLP that ends too early");
  return byte;
}
