/** The memory that the core works on, for WebAssembly. `memory.ts` says what each of these does. */

// @ts-nocheck AssemblyScript: its own types and built-ins.
export function byteAt(at: i32): i32 {
  return load<u8>(at);
}

export function setByte(at: i32, value: i32): void {
  store<u8>(at, value);
}

export function intAt(at: i32): i32 {
  return load<i32>(at);
}

export function setInt(at: i32, value: i32): void {
  store<i32>(at, value);
}

export function copyBytes(to: i32, from: i32, count: i32): void {
  memory.copy(to, from, count);
}

export function clearBytes(at: i32, count: i32): void {
  memory.fill(at, 0, count);
}

export function sameBytes(a: i32, b: i32, count: i32): bool {
  let index: i32 = 0;
  for (; index + 8 <= count; index += 8) if (load<u64>(a + index) != load<u64>(b + index)) return false;
  for (; index < count; index += 1) if (load<u8>(a + index) != load<u8>(b + index)) return false;
  return true;
}

export function mergeBits(into: i32, from: i32): void {
  for (let index: i32 = 0; index < 256; index += 16)
    v128.store(into + index, v128.or(v128.load(into + index), v128.load(from + index)));
}

export function textEnd(at: i32): i32 {
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  const blank = i8x16.splat(0x20);
  let mask: i32 = 0;
  while (true) {
    const text = v128.load(at);
    // Signed: a byte above 0x7f is below the blank as well.
    const ends = v128.or(i8x16.lt_s(text, blank), v128.or(i8x16.eq(text, quote), i8x16.eq(text, backslash)));
    mask = i8x16.bitmask(ends);
    if (mask != 0) break;
    at += 16;
  }
  return at + ctz(mask);
}

export function readHex(to: i32, from: i32, count: i32): bool {
  const zero = i8x16.splat(0x30);
  const small = i8x16.splat(0x61);
  let wrong = i8x16.splat(0);
  while (count >= 8) {
    const text = v128.load(from);
    const digit = i8x16.le_u(i8x16.sub(text, zero), i8x16.splat(9));
    const letter = i8x16.le_u(i8x16.sub(text, small), i8x16.splat(5));
    wrong = v128.or(wrong, v128.not(v128.or(digit, letter)));
    const nibbles = i8x16.add(v128.and(text, i8x16.splat(15)), v128.and(letter, i8x16.splat(9)));
    // Each pair is one little-endian 16-bit lane: the first digit, the byte's upper half, lies in its lower byte.
    const pairs = v128.and(v128.or(i16x8.shl(nibbles, 4), i16x8.shr_u(nibbles, 8)), i16x8.splat(255));
    v128.store64_lane(to, i8x16.narrow_i16x8_u(pairs, pairs), 0);
    to += 8;
    from += 16;
    count -= 8;
  }
  if (v128.any_true(wrong)) return false;
  let seen: i32 = 0;
  for (; count > 0; count -= 1) {
    const high = nibbleAt(from);
    const low = nibbleAt(from + 1);
    seen |= high | low;
    store<u8>(to, (high << 4) | low);
    to += 1;
    from += 2;
  }
  return seen < 16;
}

export function nibbleAt(at: i32): i32 {
  const sign: i32 = load<u8>(at);
  if (<u32>(sign - 0x30) <= 9) return sign - 0x30;
  if (<u32>(sign - 0x61) <= 5) return sign - 0x57;
  return 255;
}

export function truncate(value: f64): i32 {
  return <i32>value;
}
