/**
 * A block's transactions: read in place, hashed, and probed for watched addresses. As `proof/transactions.ts`, which says
 * why each check is there. Left to the caller: senders. Where only logs are read, a transaction is its hash and nothing else.
 */
import { checkBlock, checkCount } from "./place.ts";
import {
  endedAt,
  endField,
  endOf,
  firstItem,
  isAbsent,
  isNull,
  isValue,
  nextItem,
  OPEN_BRACKET,
  skipValue,
  startOf,
} from "./json.ts";
import { checkData, checkQuantity, readBytes, readFields, writeFields } from "./fields.ts";
import {
  FLAG_LOOSE_INPUT,
  FLAG_LOOSE_VALUE,
  K_ADDRESS,
  K_ADDRESS_OR_NONE,
  T_TRANSACTION_KEYS,
  T_TYPES,
  TYPE_BYTE,
  TYPE_FIELD_COUNT,
  TYPE_FIELDS,
  TYPE_FIXED,
  TYPE_FLAGS,
  TYPE_FOREIGN,
  TYPE_INTS,
  X_AUTHORIZATIONS,
  X_AUTHORIZES,
  X_BLOCK_HASH,
  X_BLOCK_NUMBER,
  X_CREATES,
  X_DATA,
  X_END,
  X_FLAGS,
  X_FROM,
  X_GAS_PRICE,
  X_HASH,
  X_HASH_BYTES,
  X_INDEX,
  X_INPUT,
  X_INTS,
  X_MAX_FEE,
  X_MAX_PRIORITY_FEE,
  X_SLOTS,
  X_START,
  X_TO,
  X_TYPE,
  X_TYPE_ENTRY,
  X_VALUE,
} from "./layout.ts";
import { byteAt, clearBytes, intAt, nibbleAt, sameBytes, setInt } from "./memory.ts";
import { ask } from "./probe.ts";
import { isLogsOnly, table } from "./question.ts";
import { endList, writeByte } from "./rlp.ts";
import { take, takenMark, untake } from "./room.ts";
import { isOdd, setOdd } from "./verdict.ts";

let transactions: i32 = 0;
let transactionCount: i32 = 0;
/** Room of 32 bytes. */
let scratch: i32 = 0;

export function startTransactions(): void {
  transactionCount = 0;
  scratch = take(32);
}

export function countOfTransactions(): i32 {
  return transactionCount;
}

export function transactionAt(index: i32): i32 {
  return transactions + 4 * X_INTS * index;
}

/** The whole list; nothing else takes room meanwhile. Returns the position behind it. */
export function readTransactions(at: i32): i32 {
  // Here, not at the start: a node may name the withdrawals first, and they take room.
  transactions = takenMark();
  at = firstItem(at);
  while (at !== 0) {
    const transaction = take(4 * X_INTS);
    clearBytes(transaction, 4 * X_INTS);
    const end = isLogsOnly() ? readHash(at, transaction) : readTransaction(at, transaction, transactionCount);
    transactionCount += 1;
    at = nextItem(end);
  }
  return endedAt();
}

function readTransaction(at: i32, slots: i32, index: i32): i32 {
  setInt(slots + 4 * X_START, at);
  const end = readFields(at, table(T_TRANSACTION_KEYS), slots, X_SLOTS);
  setInt(slots + 4 * X_END, end);
  if (isOdd()) return end;
  checkBlock(slots, X_BLOCK_HASH, X_BLOCK_NUMBER);
  checkCount(slots, X_INDEX, index);
  checkType(slots);
  if (!isOdd()) findParties(slots);
  return end;
}

/** A transaction of which only the hash is known. No root is compared with it: it is the node's word. */
function readHash(at: i32, slots: i32): i32 {
  const end = skipValue(at, 0);
  endField(slots, X_HASH, at, end);
  readBytes(slots + 4 * X_HASH_BYTES, slots, X_HASH, 32);
  return end;
}

/** Its type, as its receipt tells it: the root of the receipts covers the type. */
export function takeType(slots: i32, start: i32, end: i32): void {
  endField(slots, X_TYPE, start, end);
  findType(slots);
}

function checkType(slots: i32): void {
  const entry = findType(slots);
  if (entry === 0) return;
  checkForeign(slots, intAt(entry + 4 * TYPE_FOREIGN));
  checkFixed(slots, intAt(entry + 4 * TYPE_FIXED));
  if (startOf(slots, X_DATA) !== 0 && !sameValue(slots, X_DATA, slots, X_INPUT)) setOdd();
  // Read for the fee recipient's share, and not part of every encoding.
  checkPrice(slots, X_GAS_PRICE);
  checkPrice(slots, X_MAX_FEE);
  checkPrice(slots, X_MAX_PRIORITY_FEE);
  const flags = intAt(entry + 4 * TYPE_FLAGS);
  if ((flags & FLAG_LOOSE_VALUE) !== 0) checkQuantity(slots, X_VALUE);
  if ((flags & FLAG_LOOSE_INPUT) !== 0) checkData(slots, X_INPUT);
}

/** Its entry in the chain's table of types, which is kept; 0, and odd, for a type that is not there. */
function findType(slots: i32): i32 {
  const entry = typeEntry(slots);
  setInt(slots + 4 * X_TYPE_ENTRY, entry);
  if (entry === 0) setOdd();
  return entry;
}

/** 0 for a type that is not there or is not written as 0x0 to 0xff. */
function typeEntry(slots: i32): i32 {
  const start = startOf(slots, X_TYPE);
  const digits = endOf(slots, X_TYPE) - start - 4;
  if (start === 0 || digits < 1 || digits > 2) return 0;
  if (byteAt(start + 1) !== 0x30 || byteAt(start + 2) !== 0x78) return 0;
  let typeByte = nibbleAt(start + 3);
  if (digits === 2) typeByte = typeByte === 0 ? 256 : 16 * typeByte + nibbleAt(start + 4);
  let entry = table(T_TYPES) + 4;
  for (let count = intAt(table(T_TYPES)); count > 0; count -= 1) {
    if (intAt(entry + 4 * TYPE_BYTE) === typeByte) return entry;
    entry += 4 * TYPE_INTS;
  }
  return 0;
}

/** Fields of other types, which readers would take for a movement: absent, null or an empty list. */
function checkForeign(slots: i32, list: i32): void {
  for (let count = intAt(list); count > 0; count -= 1) {
    const key = intAt(list + 4 * count);
    if (!isAbsent(slots, key) && !isEmptyList(slots, key)) setOdd();
  }
}

function isEmptyList(slots: i32, key: i32): bool {
  return byteAt(startOf(slots, key)) === OPEN_BRACKET && endOf(slots, key) - startOf(slots, key) === 2;
}

function checkFixed(slots: i32, list: i32): void {
  for (let count = intAt(list); count > 0; count -= 1) {
    const fixed = list + 4 + 12 * (count - 1);
    if (!isValue(slots, intAt(fixed), intAt(fixed + 4), intAt(fixed + 8))) setOdd();
  }
}

function checkPrice(slots: i32, key: i32): void {
  if (!isAbsent(slots, key)) checkQuantity(slots, key);
}

/** Both are there, with the same bytes. */
export function sameValue(a: i32, aKey: i32, b: i32, bKey: i32): bool {
  const start = startOf(a, aKey);
  return start !== 0 && isValue(b, bKey, start, endOf(a, aKey) - start);
}

/** Marks what the caller has to look at: a watched party, a new contract, an authorization. */
function findParties(slots: i32): void {
  let flags: i32 = 0;
  askField(slots, X_FROM);
  if (isNull(slots, X_TO)) flags |= X_CREATES;
  else askField(slots, X_TO);
  const entry = intAt(slots + 4 * X_TYPE_ENTRY);
  for (let field = intAt(entry + 4 * TYPE_FIELD_COUNT) - 1; field >= 0; field -= 1) {
    const pair = entry + 4 * TYPE_FIELDS + 8 * field;
    const key = intAt(pair);
    const kind = intAt(pair + 4);
    if (kind !== K_ADDRESS && kind !== K_ADDRESS_OR_NONE) continue;
    if (key !== X_FROM && key !== X_TO && !isNull(slots, key)) askField(slots, key);
  }
  if (!isAbsent(slots, X_AUTHORIZATIONS) && !isEmptyList(slots, X_AUTHORIZATIONS)) flags |= X_AUTHORIZES;
  if (flags !== 0) setInt(slots + 4 * X_FLAGS, intAt(slots + 4 * X_FLAGS) | flags);
}

function askField(slots: i32, key: i32): void {
  readBytes(scratch, slots, key, 20);
  ask(scratch, slots + 4 * X_FLAGS);
}

/** EIP-2718: the type byte, then the list; a legacy transaction is the list alone. */
export function writeTransaction(index: i32): void {
  const slots = transactionAt(index);
  const entry = intAt(slots + 4 * X_TYPE_ENTRY);
  writeFields(slots, entry + 4 * TYPE_FIELDS, intAt(entry + 4 * TYPE_FIELD_COUNT));
  endList(0);
  if (intAt(entry + 4 * TYPE_BYTE) !== 0) writeByte(intAt(entry + 4 * TYPE_BYTE));
}

/** Where the hash of what was encoded is kept. */
export function hashAt(index: i32): i32 {
  return transactionAt(index) + 4 * X_HASH_BYTES;
}

/** It must be the hash that the node names. */
export function checkHash(index: i32): void {
  readBytes(scratch, transactionAt(index), X_HASH, 32);
  if (!sameBytes(scratch, hashAt(index), 32)) setOdd();
}

/** No transaction is there twice. Their hashes are random where nobody lies, and a lie is odd before it is slow. */
export function checkDistinct(): void {
  const mark = takenMark();
  let size: i32 = 4;
  while (size < 4 * transactionCount) size = size << 1;
  const seen = take(4 * size);
  if (isOdd()) return;
  clearBytes(seen, 4 * size);
  for (let index: i32 = 0; index < transactionCount; index += 1) {
    const hash = hashAt(index);
    let place = intAt(hash) & (size - 1);
    let other = intAt(seen + 4 * place);
    while (other !== 0) {
      if (sameBytes(hashAt(other - 1), hash, 32)) setOdd();
      place = (place + 1) & (size - 1);
      other = intAt(seen + 4 * place);
    }
    setInt(seen + 4 * place, index + 1);
  }
  untake(mark);
}
