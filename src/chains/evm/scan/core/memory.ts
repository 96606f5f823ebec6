/**
 * The memory that the core works on, as plain TypeScript: `memory.asc.ts` is the same for WebAssembly. Only these two
 * files and the two of Keccak differ between the builds.
 */
let bytes = new Uint8Array(0);
let ints = new Int32Array(0);

/** Before every run: the buffer of a WebAssembly.Memory changes when it grows. */
export function bindMemory(buffer: ArrayBuffer): void {
  if (bytes.buffer === buffer) return;
  bytes = new Uint8Array(buffer);
  ints = new Int32Array(buffer);
}

/** For the hash function of this build only. */
export function bytesAt(at: i32, count: i32): Uint8Array {
  return bytes.subarray(at, at + count);
}

export function byteAt(at: i32): i32 {
  return bytes[at] as number;
}

export function setByte(at: i32, value: i32): void {
  bytes[at] = value;
}

/** A 32-bit integer at a multiple of four. */
export function intAt(at: i32): i32 {
  return ints[at >> 2] as number;
}

export function setInt(at: i32, value: i32): void {
  ints[at >> 2] = value;
}

export function copyBytes(to: i32, from: i32, count: i32): void {
  bytes.copyWithin(to, from, from + count);
}

export function clearBytes(at: i32, count: i32): void {
  bytes.fill(0, at, at + count);
}

export function sameBytes(a: i32, b: i32, count: i32): bool {
  for (let index = 0; index < count; index += 1) if (bytes[a + index] !== bytes[b + index]) return false;
  return true;
}

/** ORs 256 bytes into others. Both at multiples of four. */
export function mergeBits(into: i32, from: i32): void {
  const target = into >> 2;
  const source = from >> 2;
  for (let index = 0; index < 64; index += 1)
    ints[target + index] = (ints[target + index] as number) | (ints[source + index] as number);
}

/** 1 for what ends a run of plain text in JSON: the quote, the backslash, controls and everything outside of ASCII. */
const ENDS_TEXT = new Uint8Array(256).fill(1, 0x80).fill(1, 0, 0x20);
ENDS_TEXT[0x22] = 1;
ENDS_TEXT[0x5c] = 1;

/** The first byte from `at` on that is a quote or has no place in a text without escapes. The input ends in zeros. */
export function textEnd(at: i32): i32 {
  let end = at;
  while (ENDS_TEXT[bytes[end] as number] === 0) end += 1;
  return end;
}

const NOT_HEX = 255;
const NIBBLES = new Uint8Array(256).fill(NOT_HEX);
for (let value = 0; value < 16; value += 1) NIBBLES[value.toString(16).charCodeAt(0)] = value;

/** Reads `count` bytes from lower-case hex digits; false, with nothing promised about `to`, when a digit is another sign. */
export function readHex(to: i32, from: i32, count: i32): bool {
  let seen = 0;
  for (let index = 0; index < count; index += 1) {
    const high = NIBBLES[bytes[from + 2 * index] as number] as number;
    const low = NIBBLES[bytes[from + 2 * index + 1] as number] as number;
    seen |= high | low;
    bytes[to + index] = (high << 4) | low;
  }
  return seen < 16;
}

/** The value of one hex digit; 16 or more for any other sign. */
export function nibbleAt(at: i32): i32 {
  return NIBBLES[bytes[at] as number] as number;
}

/** Towards zero. */
export function truncate(value: f64): i32 {
  return value | 0;
}
