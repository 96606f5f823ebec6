/**
 * A block's receipts: read in place, checked against their transactions, and their logs probed for watched addresses. As
 * `proof/receipts.ts`, which says why each check is there. Left to the caller: addresses of new contracts.
 */
import { addToBloom, BLOOM_BYTES } from "./bloom.ts";
import { checkBlock, checkCount, HASH_TEXT } from "./place.ts";
import {
  endedAt,
  endField,
  endOf,
  fieldKey,
  firstField,
  firstItem,
  isAbsent,
  isNull,
  isValue,
  nextField,
  nextItem,
  QUOTE,
  skipText,
  skipValue,
  startOf,
} from "./json.ts";
import { readBytes, readCount, writeDigits, writeQuantity } from "./fields.ts";
import {
  FLAG_DEPOSIT_RECEIPT,
  G_ADDRESS,
  G_DATA,
  G_DATA_END,
  G_INTS,
  G_TOPIC_COUNT,
  G_TOPICS,
  L_ADDRESS,
  L_BLOCK_HASH,
  L_BLOCK_NUMBER,
  L_BLOCK_TIMESTAMP,
  L_DATA,
  L_INDEX,
  L_REMOVED,
  L_SLOTS,
  L_TOPICS,
  L_TRANSACTION_HASH,
  L_TRANSACTION_INDEX,
  Q_TIMESTAMP,
  Q_TIMESTAMP_LENGTH,
  R_BLOCK_HASH,
  R_BLOCK_NUMBER,
  R_BLOOM,
  R_CONTRACT,
  R_CUMULATIVE_GAS,
  R_DEPOSIT_NONCE,
  R_DEPOSIT_VERSION,
  R_END,
  R_FROM,
  R_GAS_USED,
  R_INDEX,
  R_INTS,
  R_LOG_COUNT,
  R_LOGS,
  R_LOGS_AT,
  R_LOGS_BLOOM,
  R_ROOT,
  R_START,
  R_STATUS,
  R_TO,
  R_TRANSACTION_HASH,
  R_TYPE,
  T_ADDRESS_WORDS,
  T_EVENTS,
  T_LOG_KEYS,
  T_RECEIPT_KEYS,
  TOPICS_MAX,
  TYPE_BYTE,
  TYPE_FLAGS,
  X_FLAGS,
  X_FROM,
  X_HASH,
  X_TO,
  X_TYPE,
  X_TYPE_ENTRY,
} from "./layout.ts";
import { byteAt, clearBytes, intAt, mergeBits, readHex, sameBytes, setInt } from "./memory.ts";
import { ask } from "./probe.ts";
import { asked, isLogsOnly, table } from "./question.ts";
import { endList, endString, writeByte, writeBytes, writeCount, writtenSize } from "./rlp.ts";
import { take } from "./room.ts";
import { countOfTransactions, sameValue, takeType, transactionAt } from "./transactions.ts";
import { isOdd, setOdd } from "./verdict.ts";

/** Positions of the receipts, by index. */
let receipts: i32 = 0;
let gasUsed: f64 = 0;
let logCount: i32 = 0;
/** The bloom of the whole block. */
let blockBloom: i32 = 0;
let logSlots: i32 = 0;
let scratch: i32 = 0;

export function startReceipts(): void {
  gasUsed = 0;
  logCount = 0;
  receipts = take(4 * countOfTransactions());
  blockBloom = take(BLOOM_BYTES);
  clearBytes(blockBloom, BLOOM_BYTES);
  logSlots = take(8 * L_SLOTS);
  scratch = take(BLOOM_BYTES);
}

export function receiptPositions(): i32 {
  return receipts;
}

export function gasUsedInAll(): f64 {
  return gasUsed;
}

export function bloomOfAll(): i32 {
  return blockBloom;
}

/** The whole list, one for each transaction. Returns the position behind it. */
export function readReceipts(at: i32): i32 {
  let index: i32 = 0;
  at = firstItem(at);
  while (at !== 0) {
    if (index >= countOfTransactions()) {
      setOdd();
      return at;
    }
    const receipt = take(4 * R_INTS);
    setInt(receipts + 4 * index, receipt);
    const end = readReceipt(at, receipt, index);
    index += 1;
    at = nextItem(end);
  }
  if (index !== countOfTransactions()) setOdd();
  return endedAt();
}

function readReceipt(at: i32, slots: i32, index: i32): i32 {
  clearBytes(slots, 4 * R_INTS);
  setInt(slots + 4 * R_START, at);
  const keys = table(T_RECEIPT_KEYS);
  at = firstField(at, keys);
  while (at !== 0) {
    const key = fieldKey();
    const end = key === R_LOGS ? readLogs(at, slots, index) : skipValue(at, 0);
    endField(slots, key, at, end);
    at = nextField(end, keys);
  }
  const end = endedAt();
  setInt(slots + 4 * R_END, end);
  if (!isOdd()) checkReceipt(slots, index);
  return end;
}

function checkReceipt(slots: i32, index: i32): void {
  const transaction = transactionAt(index);
  if (!sameValue(transaction, X_HASH, slots, R_TRANSACTION_HASH)) setOdd();
  checkCount(slots, R_INDEX, index);
  checkBlock(slots, R_BLOCK_HASH, R_BLOCK_NUMBER);
  if (isLogsOnly()) takeType(transaction, startOf(slots, R_TYPE), endOf(slots, R_TYPE));
  else checkParties(transaction, slots);
  const cumulative = readCount(slots, R_CUMULATIVE_GAS);
  if (readCount(slots, R_GAS_USED) !== cumulative - gasUsed) setOdd();
  gasUsed = cumulative;
  if (startOf(slots, R_LOGS) === 0) setOdd();
  readBytes(scratch, slots, R_LOGS_BLOOM, BLOOM_BYTES);
  if (!sameBytes(scratch, slots + 4 * R_BLOOM, BLOOM_BYTES)) setOdd();
  if (intAt(slots + 4 * R_LOG_COUNT) > 0) mergeBits(blockBloom, slots + 4 * R_BLOOM);
  // A failed transaction logs nothing (but Polygon's fee): the reference path decides.
  if (isFailed(slots) && intAt(slots + 4 * R_LOG_COUNT) > 0) setOdd();
}

function checkParties(transaction: i32, slots: i32): void {
  if (!sameValue(transaction, X_FROM, slots, R_FROM)) setOdd();
  if (!sameValue(transaction, X_TO, slots, R_TO)) setOdd();
  if (!sameValue(transaction, X_TYPE, slots, R_TYPE)) setOdd();
  // The caller derives the address of a new contract; where none is made none may be named.
  if (!isNull(transaction, X_TO) && !isNull(slots, R_CONTRACT)) setOdd();
}

function isFailed(slots: i32): bool {
  return !isAbsent(slots, R_STATUS) && byteAt(startOf(slots, R_STATUS) + 3) === 0x30;
}

/** The logs of one receipt, kept one after the other. */
function readLogs(at: i32, receipt: i32, index: i32): i32 {
  let count: i32 = 0;
  at = firstItem(at);
  while (at !== 0) {
    const log = take(4 * G_INTS);
    if (count === 0) setInt(receipt + 4 * R_LOGS_AT, log);
    const end = readLog(at, log, index);
    if (isOdd()) return end;
    keepInBloom(receipt + 4 * R_BLOOM, log);
    count += 1;
    logCount += 1;
    at = nextItem(end);
  }
  setInt(receipt + 4 * R_LOG_COUNT, count);
  return endedAt();
}

function readLog(at: i32, log: i32, index: i32): i32 {
  clearBytes(logSlots, 8 * L_SLOTS);
  setInt(log + 4 * G_TOPIC_COUNT, 0);
  const keys = table(T_LOG_KEYS);
  at = firstField(at, keys);
  while (at !== 0) {
    const key = fieldKey();
    const end = key === L_TOPICS ? readTopics(at, log) : skipValue(at, 0);
    endField(logSlots, key, at, end);
    at = nextField(end, keys);
  }
  const end = endedAt();
  if (isOdd()) return end;
  checkLogPlace(index);
  readBytes(log + 4 * G_ADDRESS, logSlots, L_ADDRESS, 20);
  const data = startOf(logSlots, L_DATA);
  if (data === 0 || byteAt(data) !== QUOTE || byteAt(data + 1) !== 0x30 || byteAt(data + 2) !== 0x78) setOdd();
  if (startOf(logSlots, L_TOPICS) === 0) setOdd();
  setInt(log + 4 * G_DATA, data + 3);
  setInt(log + 4 * G_DATA_END, endOf(logSlots, L_DATA) - 1);
  if (!isOdd() && isEvent(log)) askParties(log, transactionAt(index) + 4 * X_FLAGS);
  return end;
}

function checkLogPlace(index: i32): void {
  const transaction = transactionAt(index);
  checkCount(logSlots, L_INDEX, logCount);
  if (!isValue(logSlots, L_TRANSACTION_HASH, startOf(transaction, X_HASH), HASH_TEXT)) setOdd();
  checkCount(logSlots, L_TRANSACTION_INDEX, index);
  checkBlock(logSlots, L_BLOCK_HASH, L_BLOCK_NUMBER);
  if (!isAbsent(logSlots, L_BLOCK_TIMESTAMP)) {
    if (!isValue(logSlots, L_BLOCK_TIMESTAMP, asked(Q_TIMESTAMP), asked(Q_TIMESTAMP_LENGTH))) setOdd();
  }
  const removed = startOf(logSlots, L_REMOVED);
  if (removed !== 0 && byteAt(removed) !== 0x66) setOdd(); // false
}

function readTopics(at: i32, log: i32): i32 {
  let count: i32 = 0;
  at = firstItem(at);
  while (at !== 0) {
    const end = byteAt(at) === QUOTE ? skipText(at) : at;
    const isTopic = end - at === 68 && byteAt(at + 1) === 0x30 && byteAt(at + 2) === 0x78;
    if (!isTopic || count === TOPICS_MAX || !readHex(log + 4 * G_TOPICS + 32 * count, at + 3, 32)) {
      setOdd();
      return end;
    }
    count += 1;
    at = nextItem(end);
  }
  setInt(log + 4 * G_TOPIC_COUNT, count);
  return endedAt();
}

function keepInBloom(bloom: i32, log: i32): void {
  addToBloom(bloom, log + 4 * G_ADDRESS, 20);
  const count = intAt(log + 4 * G_TOPIC_COUNT);
  for (let topic: i32 = 0; topic < count; topic += 1) addToBloom(bloom, log + 4 * G_TOPICS + 32 * topic, 32);
}

/** An event that some decoder reads. */
function isEvent(log: i32): bool {
  if (intAt(log + 4 * G_TOPIC_COUNT) === 0) return false;
  const first = log + 4 * G_TOPICS;
  let event = table(T_EVENTS) + 4;
  for (let count = intAt(table(T_EVENTS)); count > 0; count -= 1) {
    if (intAt(event) === intAt(first) && sameBytes(event, first, 32)) return true;
    event += 32;
  }
  return false;
}

/** Asks about the contract, the topics and the first words of the data: wherever a decoder could find a party. */
function askParties(log: i32, flags: i32): void {
  ask(log + 4 * G_ADDRESS, flags);
  const count = intAt(log + 4 * G_TOPIC_COUNT);
  // The low 20 bytes, as every ABI decoder reads them.
  for (let topic: i32 = 1; topic < count; topic += 1) ask(log + 4 * G_TOPICS + 32 * topic + 12, flags);
  let word = intAt(log + 4 * G_DATA);
  const end = intAt(log + 4 * G_DATA_END);
  const words = table(T_ADDRESS_WORDS);
  for (let place: i32 = 0; place < words && word + 64 <= end; place += 1) {
    if (!readHex(scratch, word + 24, 20)) setOdd();
    ask(scratch, flags);
    word += 64;
  }
}

export function writeReceipt(index: i32): void {
  const slots = intAt(receipts + 4 * index);
  const entry = intAt(transactionAt(index) + 4 * X_TYPE_ENTRY);
  // op-geth, Receipts.EncodeIndex: since Canyon the hash covers the deposit's nonce and version.
  if ((intAt(entry + 4 * TYPE_FLAGS) & FLAG_DEPOSIT_RECEIPT) !== 0 && !isAbsent(slots, R_DEPOSIT_VERSION)) {
    writeQuantity(slots, R_DEPOSIT_VERSION);
    writeQuantity(slots, R_DEPOSIT_NONCE);
  }
  writeLogs(slots);
  const bloomMark = writtenSize();
  writeBytes(slots + 4 * R_BLOOM, BLOOM_BYTES);
  endString(bloomMark);
  writeQuantity(slots, R_CUMULATIVE_GAS);
  writeOutcome(slots);
  endList(0);
  if (intAt(entry + 4 * TYPE_BYTE) !== 0) writeByte(intAt(entry + 4 * TYPE_BYTE));
}

/** EIP-658: a status since Byzantium, the state root before. */
function writeOutcome(slots: i32): void {
  if (isAbsent(slots, R_STATUS)) {
    const mark = writtenSize();
    readBytes(scratch, slots, R_ROOT, 32);
    writeBytes(scratch, 32);
    endString(mark);
    return;
  }
  const status = startOf(slots, R_STATUS);
  const digit = byteAt(status + 3);
  if (!isAbsent(slots, R_ROOT) || endOf(slots, R_STATUS) - status !== 5) setOdd();
  if (byteAt(status + 1) !== 0x30 || byteAt(status + 2) !== 0x78 || (digit !== 0x30 && digit !== 0x31)) setOdd();
  writeCount(digit === 0x31 ? 1 : 0);
}

function writeLogs(slots: i32): void {
  const end = writtenSize();
  for (let index = intAt(slots + 4 * R_LOG_COUNT) - 1; index >= 0; index -= 1)
    writeLog(intAt(slots + 4 * R_LOGS_AT) + 4 * G_INTS * index);
  endList(end);
}

function writeLog(log: i32): void {
  const mark = writtenSize();
  writeDigits(intAt(log + 4 * G_DATA), intAt(log + 4 * G_DATA_END));
  const topicsMark = writtenSize();
  for (let topic = intAt(log + 4 * G_TOPIC_COUNT) - 1; topic >= 0; topic -= 1) {
    const topicMark = writtenSize();
    writeBytes(log + 4 * G_TOPICS + 32 * topic, 32);
    endString(topicMark);
  }
  endList(topicsMark);
  const addressMark = writtenSize();
  writeBytes(log + 4 * G_ADDRESS, 20);
  endString(addressMark);
  endList(mark);
}
