/**
 * RLP, written back to front: the length of a list is known when its first byte is written. As `proof/rlp.ts`, on the
 * core's memory; the caller writes the last field first.
 */
import { byteAt, copyBytes, readHex, setByte } from "./memory.ts";
import { setOdd } from "./verdict.ts";

const STRING: i32 = 0x80;
const LIST: i32 = 0xc0;
/** Lengths above this need their own bytes. */
const SHORT_LENGTH_MAX: i32 = 55;

let floor: i32 = 0;
let top: i32 = 0;
let start: i32 = 0;

/** The writer's part of the memory. */
export function useForWriting(from: i32, to: i32): void {
  floor = from;
  top = to;
  start = to;
}

export function clearWritten(): void {
  start = top;
}

/** Position of what was written; it is `writtenSize` bytes long. */
export function writtenAt(): i32 {
  return start;
}

/** Remember it before writing a list or string, then close with `endList` or `endString`. */
export function writtenSize(): i32 {
  return top - start;
}

/** Room for `count` more bytes in front. The part is as large as the input: only nonsense overflows it, and is odd. */
function reserve(count: i32): void {
  if (start - count < floor) {
    setOdd();
    start = top;
  }
  start -= count;
}

export function writeByte(value: i32): void {
  reserve(1);
  setByte(start, value);
}

export function writeBytes(from: i32, count: i32): void {
  reserve(count);
  copyBytes(start, from, count);
}

/** Bytes from lower-case hex digits, without a header; other signs are odd. */
export function writeHex(from: i32, count: i32): void {
  reserve(count);
  if (!readHex(start, from, count)) setOdd();
}

export function writeEmptyString(): void {
  writeByte(STRING);
}

/** A whole item: a whole number. */
export function writeCount(value: i32): void {
  const mark = writtenSize();
  while (value > 0) {
    writeByte(value & 255);
    value = value >> 8;
  }
  endString(mark);
}

/** Everything written since `mark` becomes one byte string. */
export function endString(mark: i32): void {
  const size = writtenSize() - mark;
  if (size === 1 && byteAt(start) < STRING) return;
  writeHeader(STRING, size);
}

/** Everything written since `mark` becomes one list. */
export function endList(mark: i32): void {
  writeHeader(LIST, writtenSize() - mark);
}

function writeHeader(kind: i32, size: i32): void {
  if (size <= SHORT_LENGTH_MAX) return writeByte(kind + size);
  let lengthBytes: i32 = 0;
  while (size > 0) {
    writeByte(size & 255);
    size = size >> 8;
    lengthBytes += 1;
  }
  writeByte(kind + SHORT_LENGTH_MAX + lengthBytes);
}
