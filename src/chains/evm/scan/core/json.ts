/**
 * JSON as nodes write it, read in place. Stricter than the standard: no escapes, plain ASCII, bounded nesting; the rest is
 * odd. Positions are bytes of the core's memory. The input ends in zeros, which end every loop.
 */
import { byteAt, intAt, sameBytes, setInt, textEnd } from "./memory.ts";
import { isOdd, setOdd } from "./verdict.ts";

export const QUOTE: i32 = 0x22;
const COLON: i32 = 0x3a;
const COMMA: i32 = 0x2c;
const OPEN_BRACE: i32 = 0x7b;
const CLOSE_BRACE: i32 = 0x7d;
export const OPEN_BRACKET: i32 = 0x5b;
const CLOSE_BRACKET: i32 = 0x5d;
export const NULL_SIGN: i32 = 0x6e;
const NEST_MAX: i32 = 16;

export function skipBlanks(at: i32): i32 {
  let sign = byteAt(at);
  while (sign === 0x20 || sign === 0x0a || sign === 0x0d || sign === 0x09) {
    at += 1;
    sign = byteAt(at);
  }
  return at;
}

/** From the opening quote to behind the closing one. */
export function skipText(at: i32): i32 {
  const end = textEnd(at + 1);
  if (byteAt(end) !== QUOTE) setOdd();
  return end + 1;
}

/** From a value's first byte to behind its last. */
export function skipValue(at: i32, nesting: i32): i32 {
  const sign = byteAt(at);
  if (sign === QUOTE) return skipText(at);
  if (sign === OPEN_BRACE) return skipNested(at, nesting, CLOSE_BRACE);
  if (sign === OPEN_BRACKET) return skipNested(at, nesting, CLOSE_BRACKET);
  if (sign === NULL_SIGN) return skipWord(at, 0x6c6c756e, 4); // null
  if (sign === 0x74) return skipWord(at, 0x65757274, 4); // true
  if (sign === 0x66 && byteAt(at + 4) === 0x65) return skipWord(at, 0x736c6166, 5); // false
  return skipCount(at);
}

function skipWord(at: i32, first: i32, count: i32): i32 {
  const word = byteAt(at) | (byteAt(at + 1) << 8) | (byteAt(at + 2) << 16) | (byteAt(at + 3) << 24);
  if (word !== first) setOdd();
  return at + count;
}

/** Nodes write numbers as hex texts: only the envelope's id and the odd extra are JSON numbers, and those are whole. */
function skipCount(at: i32): i32 {
  const start = at;
  let sign = byteAt(at);
  while (sign >= 0x30 && sign <= 0x39) {
    at += 1;
    sign = byteAt(at);
  }
  // None at all, or a leading zero.
  if (at === start || (byteAt(start) === 0x30 && at > start + 1)) setOdd();
  return at;
}

function skipNested(at: i32, nesting: i32, close: i32): i32 {
  if (nesting >= NEST_MAX) setOdd();
  at = skipBlanks(at + 1);
  if (byteAt(at) === close) return at + 1;
  while (!isOdd()) {
    if (close === CLOSE_BRACE) {
      if (byteAt(at) !== QUOTE) setOdd();
      at = skipColon(skipText(at));
    }
    at = skipBlanks(skipValue(at, nesting + 1));
    const sign = byteAt(at);
    if (sign === close) return at + 1;
    if (sign !== COMMA) setOdd();
    at = skipBlanks(at + 1);
  }
  return at;
}

function skipColon(at: i32): i32 {
  at = skipBlanks(at);
  if (byteAt(at) !== COLON) setOdd();
  return skipBlanks(at + 1);
}

let ended: i32 = 0;

/** Behind the list or object that `firstItem`, `nextItem`, `firstField` or `nextField` found to have ended. */
export function endedAt(): i32 {
  return ended;
}

/** A list begins. Returns the position of its first item; 0 behind an empty list. */
export function firstItem(at: i32): i32 {
  if (byteAt(at) !== OPEN_BRACKET) {
    setOdd();
    return 0;
  }
  at = skipBlanks(at + 1);
  if (byteAt(at) !== CLOSE_BRACKET) return at;
  ended = at + 1;
  return 0;
}

/** From behind an item to the next one; 0 where the list ends. */
export function nextItem(at: i32): i32 {
  at = skipBlanks(at);
  if (byteAt(at) === COMMA && !isOdd()) return skipBlanks(at + 1);
  if (byteAt(at) !== CLOSE_BRACKET) setOdd();
  ended = at + 1;
  return 0;
}

/**
 * The keys of one kind of object, written by `key-tables.ts`: how many, which one was found last, then an entry for each
 * and one more for "none yet". An entry is the key that came after it last time, its length and its text: nodes write the
 * keys of a kind in one order, so nearly every key is found by one comparison.
 */
const HEAD_BYTES: i32 = 8;
const ENTRY_BYTES: i32 = 36;

let field: i32 = 0;

/** The key that `nextField` found; -1 for one that is not in the table. */
export function fieldKey(): i32 {
  return field;
}

/** An object begins. Returns the position of its first field's value; 0 behind an empty object. */
export function firstField(at: i32, keys: i32): i32 {
  if (byteAt(at) !== OPEN_BRACE) {
    setOdd();
    return 0;
  }
  setInt(keys + 4, intAt(keys));
  at = skipBlanks(at + 1);
  if (byteAt(at) !== CLOSE_BRACE) return findField(at, keys);
  ended = at + 1;
  return 0;
}

/** From behind a value to the next field's value; 0 where the object ends. */
export function nextField(at: i32, keys: i32): i32 {
  at = skipBlanks(at);
  if (byteAt(at) === COMMA && !isOdd()) return findField(skipBlanks(at + 1), keys);
  if (byteAt(at) !== CLOSE_BRACE) setOdd();
  ended = at + 1;
  return 0;
}

/** From a key's quote to its value. Sets `field`. */
function findField(at: i32, keys: i32): i32 {
  if (byteAt(at) !== QUOTE) {
    setOdd();
    return 0;
  }
  const last = entryOf(keys, intAt(keys + 4));
  field = intAt(last);
  if (!isKey(entryOf(keys, field), at + 1)) {
    field = searchKey(at + 1, keys);
    if (field < 0) return skipColon(skipText(at));
    setInt(last, field);
  }
  setInt(keys + 4, field);
  return skipColon(at + 2 + byteAt(entryOf(keys, field) + 4));
}

function entryOf(keys: i32, key: i32): i32 {
  return keys + HEAD_BYTES + key * ENTRY_BYTES;
}

function searchKey(at: i32, keys: i32): i32 {
  const count = intAt(keys);
  for (let key: i32 = 0; key < count; key += 1) if (isKey(entryOf(keys, key), at)) return key;
  return -1;
}

function isKey(entry: i32, at: i32): bool {
  const length = byteAt(entry + 4);
  return byteAt(at + length) === QUOTE && sameBytes(entry + 5, at, length);
}

/** Keeps the value of a known key. A key that is there twice is odd: readers differ in which one they take. */
export function endField(slots: i32, key: i32, start: i32, end: i32): void {
  if (key < 0) return;
  const slot = slots + 8 * key;
  if (intAt(slot) !== 0) setOdd();
  setInt(slot, start);
  setInt(slot + 4, end);
}

export function startOf(slots: i32, key: i32): i32 {
  return intAt(slots + 8 * key);
}

export function endOf(slots: i32, key: i32): i32 {
  return intAt(slots + 8 * key + 4);
}

/** Not there, or null. */
export function isAbsent(slots: i32, key: i32): bool {
  const start = startOf(slots, key);
  return start === 0 || byteAt(start) === NULL_SIGN;
}

export function isNull(slots: i32, key: i32): bool {
  const start = startOf(slots, key);
  return start !== 0 && byteAt(start) === NULL_SIGN;
}

/** The value is these bytes, quotes included. */
export function isValue(slots: i32, key: i32, expected: i32, count: i32): bool {
  const start = startOf(slots, key);
  return start !== 0 && endOf(slots, key) - start === count && sameBytes(start, expected, count);
}
