/**
 * A block whose transactions were found, and the coins it spends -> which transactions may touch what is watched; or
 * odd, and `walk-block.ts` reads the same bytes and says what is wrong, if anything is.
 *
 * AssemblyScript: `scripts/build-scanner.ts` compiles it to `scanner.wasm`. Nothing is read outside of the bytes that the
 * question names: each field is held against their end before it is read.
 */

// @ts-nocheck AssemblyScript: its own types and built-ins.
import {
  FILTER,
  LONGER,
  ODD,
  PAYLOAD_AT,
  PAYLOAD_BYTES,
  Q_AMOUNT_MAX,
  Q_BLOCK,
  Q_BLOCK_END,
  Q_COUNT,
  Q_FILTER_SHIFT,
  Q_HAS_KEYS,
  Q_KEY_FACTOR,
  Q_KEY_OTHER_FACTOR,
  Q_KEY_START,
  Q_MARKS,
  Q_PARTS,
  Q_SPENT,
  Q_SPENT_AT,
  Q_SPENT_END,
  Q_SUBSIDY,
} from "./layout.ts";

/** As in `transactions.ts`: bytes of a transaction's parts, and where among them its inputs and its outputs are. */
const ROW_BYTES = 16;
const INPUTS = 4;
const OUTPUTS = 8;

/** Amount and the shortest size. */
const COIN_BYTES_MIN = 9;
const RETURN = 0x6a;
const CHECKSIG = 0xac;
const CHECKMULTISIG = 0xae;
/** As in `hash-filter.ts`. */
const SPREAD: u32 = 0x9e37_79b1;
/** No amount, no count: the bytes are not what they should be. */
const REFUSED: i64 = -1;

/** Where the next field begins. */
let cursor: i32 = 0;
let amountMax: u64 = 0;
let filterShift: u32 = 0;
let keyStart: u32 = 0;
let keyFactor: u32 = 0;
let keyOtherFactor: u32 = 0;
let hasKeys: bool = false;

/** Answers the question at the front of the memory. False: odd. */
export function scan(): bool {
  amountMax = load<u64>(Q_AMOUNT_MAX);
  filterShift = load<u32>(Q_FILTER_SHIFT);
  keyStart = load<u32>(Q_KEY_START);
  keyFactor = load<u32>(Q_KEY_FACTOR);
  keyOtherFactor = load<u32>(Q_KEY_OTHER_FACTOR);
  hasKeys = load<i32>(Q_HAS_KEYS) != 0;
  return scanTransactions(load<i32>(Q_COUNT), load<i32>(Q_SPENT), load<i32>(Q_SPENT_END));
}

function scanTransactions(count: i32, spent: i32, spentEnd: i32): bool {
  const block = load<i32>(Q_BLOCK);
  const blockEnd = load<i32>(Q_BLOCK_END);
  const spentAt = load<i32>(Q_SPENT_AT);
  const marks = load<i32>(Q_MARKS);
  let row = load<i32>(Q_PARTS);
  let claimed: u64 = 0;
  let fees: u64 = 0;
  cursor = spent;
  if (compactSize(spentEnd) != <i64>count) return false;
  for (let index = 0; index < count; index += 1) {
    store<i32>(spentAt + (index << 2), cursor - spent);
    const inputs = compactSize(spentEnd);
    let next = cursor;
    // The coinbase, always the first, spends nothing.
    cursor = block + load<i32>(row + INPUTS);
    if (inputs != (index == 0 ? 0 : compactSize(blockEnd))) return false;
    cursor = next;
    const input = passCoins(inputs, spentEnd, marks + index);
    next = cursor;
    cursor = block + load<i32>(row + OUTPUTS);
    const output = passCoins(compactSize(blockEnd), blockEnd, marks + index);
    if (input == REFUSED || output == REFUSED) return false;
    if (index == 0) claimed = output;
    else if (input < output) return false;
    else fees += input - output;
    if (fees > amountMax) return false;
    cursor = next;
    row += ROW_BYTES;
  }
  return cursor == spentEnd && claimed <= fees + load<u64>(Q_SUBSIDY);
}

/** Amount and script, `count` times. Returns the sum; sets the mark where a script may touch. */
function passCoins(count: i64, end: i32, mark: i32): i64 {
  if (count < 0) return REFUSED;
  let sum: u64 = 0;
  let at = cursor;
  for (; count > 0; count -= 1) {
    if (end - at < COIN_BYTES_MIN) return REFUSED;
    const amount = load<u64>(at);
    if (amount > amountMax) return REFUSED;
    sum += amount;
    if (sum > amountMax) return REFUSED;
    let size = <i64>load<u8>(at + 8);
    at += COIN_BYTES_MIN;
    if (size >= 0xfd) {
      cursor = at - 1;
      size = compactSize(end);
      at = cursor;
    }
    if (size < 0 || size > <i64>(end - at)) return REFUSED;
    if (mayTouch(at, <i32>size)) store<u8>(mark, 1);
    at += <i32>size;
  }
  cursor = at;
  return sum;
}

/** A number in 1, 3 or 5 bytes, in its shortest form; nothing here is so large that it needs 9. */
function compactSize(end: i32): i64 {
  const at = cursor;
  if (end - at < 1) return REFUSED;
  const first = load<u8>(at);
  if (first < 0xfd) {
    cursor = at + 1;
    return first;
  }
  if (first == 0xfd) {
    if (end - at < 3) return REFUSED;
    cursor = at + 3;
    const value = load<u16>(at + 1);
    return value < 0xfd ? REFUSED : <i64>value;
  }
  if (first == 0xff || end - at < 5) return REFUSED;
  cursor = at + 5;
  const value = load<u32>(at + 1);
  return value < 0x1_0000 ? REFUSED : <i64>value;
}

function mayTouch(at: i32, length: i32): bool {
  const payload = length < LONGER ? <i32>load<u8>(PAYLOAD_BYTES + length) : 0;
  return payload == 0 ? mayTouchOdd(at, length) : mayHold(hashOf(at + <i32>load<u8>(PAYLOAD_AT + length), payload));
}

/** Of a script that is not as long as those with an address. */
function mayTouchOdd(at: i32, length: i32): bool {
  if (length > 0) {
    if (load<u8>(at) == RETURN) return false;
    const last = load<u8>(at + length - 1);
    if (hasKeys && (last == CHECKSIG || last == CHECKMULTISIG)) return true;
  }
  return load<u8>(ODD + min(length, LONGER)) != 0;
}

/** As `byte-hash.ts`, of eight bytes and more. */
function hashOf(at: i32, length: i32): u32 {
  const first = (load<u32>(at) ^ keyStart) * keyFactor;
  const second = (load<u32>(at + 4) ^ <u32>length) * keyOtherFactor;
  const all = first ^ (second >> 16) ^ (second << 16) ^ load<u32>(at + length - 4);
  let mixed = (all ^ (all >> 16)) * 0x85eb_ca6b;
  mixed = (mixed ^ (mixed >> 13)) * 0xc2b2_ae35;
  return mixed ^ (mixed >> 16);
}

/** As `hash-filter.ts`. */
function mayHold(hash: u32): bool {
  const pair = FILTER + ((hash >> filterShift) << 3);
  const spread = hash * SPREAD;
  return hasAll(load<u32>(pair), spread) && hasAll(load<u32>(pair + 4), spread >> 17);
}

function hasAll(word: u32, spread: u32): bool {
  // A shift looks at five bits.
  const bits: u32 = (1 << spread) | (1 << (spread >> 5)) | (1 << (spread >> 10));
  return (word & bits) == bits;
}
