/** Fields of an object in place -> RLP, by kind. As `proof/fields.ts`, on positions; whatever does not fit is odd. */
import {
  C_ADDRESS,
  C_SLOTS,
  C_STORAGE_KEYS,
  H_SLOTS,
  H_Y_PARITY,
  K_ACCESS_LIST,
  K_ADDRESS,
  K_ADDRESS_OR_NONE,
  K_AUTHORIZATIONS,
  K_BLOOM,
  K_DATA,
  K_FEE_CAP,
  K_FLAG,
  K_HASH,
  K_HASHES,
  K_NONCE8,
  K_PARITY,
  K_QUANTITY,
  K_QUANTITY_OR_NONE,
  T_ACCESS_KEYS,
  T_AUTHORIZATION_FIELDS,
  T_AUTHORIZATION_KEYS,
  X_GAS_PRICE,
  X_MAX_FEE,
  X_V,
  X_Y_PARITY,
} from "./layout.ts";
import {
  endedAt,
  endField,
  endOf,
  fieldKey,
  firstField,
  firstItem,
  isAbsent,
  isNull,
  nextField,
  nextItem,
  QUOTE,
  skipText,
  skipValue,
  startOf,
} from "./json.ts";
import { byteAt, clearBytes, intAt, nibbleAt, readHex, setInt } from "./memory.ts";
import { table } from "./question.ts";
import { endList, endString, writeByte, writeCount, writeEmptyString, writeHex, writtenSize } from "./rlp.ts";
import { take, takenMark, untake } from "./room.ts";
import { isOdd, setOdd } from "./verdict.ts";

/** An object's fields into slots, all of them skipped. Returns the position behind the object. */
export function readFields(at: i32, keys: i32, slots: i32, slotCount: i32): i32 {
  clearBytes(slots, 8 * slotCount);
  at = firstField(at, keys);
  while (at !== 0) {
    const key = fieldKey();
    const end = skipValue(at, 0);
    endField(slots, key, at, end);
    at = nextField(end, keys);
  }
  return endedAt();
}

/** Position of the first hex digit of `"0x…"`; odd, and still a position, for anything else. */
function digitsAt(slots: i32, key: i32): i32 {
  return digitsFrom(startOf(slots, key));
}

function digitsFrom(start: i32): i32 {
  if (byteAt(start) !== QUOTE || byteAt(start + 1) !== 0x30 || byteAt(start + 2) !== 0x78) setOdd();
  return start + 3;
}

/** Reads a value of exactly `count` bytes of lower-case hex to `to`. */
export function readBytes(to: i32, slots: i32, key: i32, count: i32): void {
  if (endOf(slots, key) - startOf(slots, key) !== 2 * count + 4 || !readHex(to, digitsAt(slots, key), count)) setOdd();
}

/** An integer of at most 13 digits, which a double holds exactly; -1, and odd, for anything else. */
export function readCount(slots: i32, key: i32): f64 {
  const at = digitsAt(slots, key);
  const count = endOf(slots, key) - 1 - at;
  let value: f64 = 0;
  if (count < 1 || count > 13) {
    setOdd();
    return -1;
  }
  for (let index: i32 = 0; index < count; index += 1) {
    const nibble = nibbleAt(at + index);
    if (nibble > 15) setOdd();
    value = value * 16 + nibble;
  }
  return value;
}

/** `"0x"` and 1 to 64 lower-case digits. */
export function checkQuantity(slots: i32, key: i32): void {
  const at = digitsAt(slots, key);
  const count = endOf(slots, key) - 1 - at;
  if (count < 1 || count > 64) return setOdd();
  for (let index: i32 = 0; index < count; index += 1) if (nibbleAt(at + index) > 15) setOdd();
}

/** `"0x"` and an even number of lower-case digits. */
export function checkData(slots: i32, key: i32): void {
  const mark = takenMark();
  const at = digitsAt(slots, key);
  const count = endOf(slots, key) - 1 - at;
  if ((count & 1) === 1 || !readHex(take(count >> 1), at, count >> 1)) setOdd();
  untake(mark);
}

/** Writes `count` fields, pairs of slot and kind at `pairs`, as items of a list that the caller closes: the last one first. */
export function writeFields(slots: i32, pairs: i32, count: i32): void {
  for (let index = count - 1; index >= 0; index -= 1) {
    const pair = pairs + 8 * index;
    writeField(slots, intAt(pair), intAt(pair + 4));
  }
}

function writeField(slots: i32, key: i32, kind: i32): void {
  if (kind === K_QUANTITY) return writeQuantity(slots, key);
  if (kind === K_DATA) return writeData(slots, key);
  if (kind === K_HASH) return writeFixed(slots, key, 32);
  if (kind === K_ADDRESS) return writeFixed(slots, key, 20);
  if (kind === K_ADDRESS_OR_NONE) return isNull(slots, key) ? writeEmptyString() : writeFixed(slots, key, 20);
  if (kind === K_PARITY) return writeParity(slots);
  if (kind === K_ACCESS_LIST) return writeAccessList(startOf(slots, key));
  if (kind === K_HASHES) return writeHashes(startOf(slots, key));
  if (kind === K_AUTHORIZATIONS) return writeAuthorizations(startOf(slots, key));
  if (kind === K_BLOOM) return writeFixed(slots, key, 256);
  if (kind === K_NONCE8) return writeFixed(slots, key, 8);
  if (kind === K_FLAG) return writeFlag(slots, key);
  if (kind === K_QUANTITY_OR_NONE) return isAbsent(slots, key) ? writeEmptyString() : writeQuantity(slots, key);
  if (kind === K_FEE_CAP) return writeQuantity(slots, isAbsent(slots, X_MAX_FEE) ? X_GAS_PRICE : X_MAX_FEE);
  setOdd();
}

/** The integer of `"0x…"`, at most 32 bytes, leading zeros dropped. */
export function writeQuantity(slots: i32, key: i32): void {
  let at = digitsAt(slots, key);
  const end = endOf(slots, key) - 1;
  if (end <= at || end - at > 64) return setOdd();
  while (at < end && byteAt(at) === 0x30) at += 1;
  const mark = writtenSize();
  const pairs = (end - at) >> 1;
  writeHex(end - 2 * pairs, pairs);
  if (((end - at) & 1) === 1) {
    const nibble = nibbleAt(at);
    if (nibble > 15) setOdd();
    writeByte(nibble);
  }
  endString(mark);
}

function writeFixed(slots: i32, key: i32, count: i32): void {
  const mark = writtenSize();
  const at = digitsAt(slots, key);
  if (endOf(slots, key) - at !== 2 * count + 1) return setOdd();
  writeHex(at, count);
  endString(mark);
}

export function writeData(slots: i32, key: i32): void {
  writeDigits(digitsAt(slots, key), endOf(slots, key) - 1);
}

/** A byte string from the digits between two positions. */
export function writeDigits(at: i32, end: i32): void {
  const mark = writtenSize();
  if (end < at || ((end - at) & 1) === 1) return setOdd();
  writeHex(at, (end - at) >> 1);
  endString(mark);
}

function writeFlag(slots: i32, key: i32): void {
  // `true` begins with a t; what else the value may be was checked as JSON.
  const sign = byteAt(startOf(slots, key));
  const isTrue = startOf(slots, key) !== 0 && sign === 0x74;
  if (!isTrue && !isAbsent(slots, key) && sign !== 0x66) setOdd();
  writeCount(isTrue ? 1 : 0);
}

/** 0 or 1, under either name; when a node gives both they agree. */
function writeParity(slots: i32): void {
  const parity = readCount(slots, isAbsent(slots, X_Y_PARITY) ? X_V : X_Y_PARITY);
  if (parity > 1) setOdd();
  if (!isAbsent(slots, X_Y_PARITY) && !isAbsent(slots, X_V) && readCount(slots, X_V) !== parity) setOdd();
  writeCount(parity === 1 ? 1 : 0);
}

/** A list of 32-byte hashes. */
function writeHashes(at: i32): void {
  const mark = takenMark();
  const items = takenMark();
  let count: i32 = 0;
  let item = firstItem(at);
  while (item !== 0) {
    if (byteAt(item) !== QUOTE) setOdd();
    const end = skipText(item);
    if (end - item !== 68) setOdd();
    setInt(take(4), item);
    count += 1;
    item = nextItem(end);
  }
  if (isOdd()) count = 0; // The last one may have found no room.
  const written = writtenSize();
  for (let index = count - 1; index >= 0; index -= 1) {
    const itemMark = writtenSize();
    writeHex(digitsFrom(intAt(items + 4 * index)), 32);
    endString(itemMark);
  }
  endList(written);
  untake(mark);
}

function writeAccessList(at: i32): void {
  const mark = takenMark();
  const entries = takenMark();
  const count = readEntries(at, table(T_ACCESS_KEYS), C_SLOTS);
  const written = writtenSize();
  for (let index = count - 1; index >= 0; index -= 1) {
    const slots = entries + 8 * C_SLOTS * index;
    const entryMark = writtenSize();
    writeHashes(startOf(slots, C_STORAGE_KEYS));
    writeFixed(slots, C_ADDRESS, 20);
    endList(entryMark);
  }
  endList(written);
  untake(mark);
}

function writeAuthorizations(at: i32): void {
  const mark = takenMark();
  const entries = takenMark();
  const count = readEntries(at, table(T_AUTHORIZATION_KEYS), H_SLOTS);
  const written = writtenSize();
  for (let index = count - 1; index >= 0; index -= 1) {
    const slots = entries + 8 * H_SLOTS * index;
    const entryMark = writtenSize();
    writeFields(slots, table(T_AUTHORIZATION_FIELDS), H_SLOTS);
    endList(entryMark);
    readCount(slots, H_Y_PARITY); // Who recovers authorities reads it so.
  }
  endList(written);
  untake(mark);
}

/** A list of small objects, each into slots of its own, one after the other from the room's mark on. Returns how many. */
function readEntries(at: i32, keys: i32, slotCount: i32): i32 {
  let count: i32 = 0;
  let item = firstItem(at);
  while (item !== 0) {
    item = nextItem(readFields(item, keys, take(8 * slotCount), slotCount));
    count += 1;
  }
  return isOdd() ? 0 : count; // The last one may have found no room.
}
