/** A block: its header's hash, its transactions, its withdrawals. As `proof/header.ts` and `proof/prove-block.ts`. */
import { BLOOM_BYTES } from "./bloom.ts";
import {
  endedAt,
  endField,
  endOf,
  fieldKey,
  firstField,
  isAbsent,
  isValue,
  nextField,
  NULL_SIGN,
  skipValue,
  startOf,
} from "./json.ts";
import { readBytes, readCount, writeFields } from "./fields.ts";
import { RECEIPTS, TRANSACTIONS, WITHDRAWALS } from "./items.ts";
import { keccakTo } from "./keccak.ts";
import {
  B_GAS_USED,
  B_HASH,
  B_LOGS_BLOOM,
  B_MINER,
  B_NUMBER,
  B_PARENT_HASH,
  B_RECEIPTS_ROOT,
  B_SLOTS,
  B_TIMESTAMP,
  B_TRANSACTIONS,
  B_TRANSACTIONS_ROOT,
  B_WITHDRAWALS,
  B_WITHDRAWALS_ROOT,
  Q_HASH,
  Q_NUMBER,
  Q_NUMBER_LENGTH,
  Q_PARENT_HASH,
  Q_TIMESTAMP,
  Q_TIMESTAMP_LENGTH,
  T_BLOCK_KEYS,
  T_HEADER_FIELDS,
  T_STORAGE_WITHDRAWALS,
} from "./layout.ts";
import { byteAt, clearBytes, intAt, sameBytes, setInt } from "./memory.ts";
import { HASH_TEXT } from "./place.ts";
import { ask } from "./probe.ts";
import { asked, isLogsOnly, table } from "./question.ts";
import { bloomOfAll, gasUsedInAll } from "./receipts.ts";
import { clearWritten, endList, writtenAt, writtenSize } from "./rlp.ts";
import { take } from "./room.ts";
import { checkDistinct, countOfTransactions, readTransactions, startTransactions } from "./transactions.ts";
import { listRootTo } from "./trie.ts";
import { isOdd, setOdd } from "./verdict.ts";
import { countOfWithdrawals, readWithdrawals, startWithdrawals } from "./withdrawals.ts";

let block: i32 = 0;
let stated: i32 = 0;
let computed: i32 = 0;
let recipientFlags: i32 = 0;

export function startBlock(): void {
  block = take(8 * B_SLOTS);
  clearBytes(block, 8 * B_SLOTS);
  stated = take(BLOOM_BYTES);
  computed = take(32);
  recipientFlags = take(4);
  setInt(recipientFlags, 0);
  startWithdrawals();
  startTransactions();
}

export function readBlock(at: i32): i32 {
  const keys = table(T_BLOCK_KEYS);
  at = firstField(at, keys);
  while (at !== 0) {
    const key = fieldKey();
    const end = readValue(key, at);
    endField(block, key, at, end);
    at = nextField(end, keys);
  }
  return endedAt();
}

function readValue(key: i32, at: i32): i32 {
  if (key === B_TRANSACTIONS) return readTransactions(at);
  if (key === B_WITHDRAWALS && !isLogsOnly() && byteAt(at) !== NULL_SIGN) return readWithdrawals(at);
  return skipValue(at, 0);
}

/** Everything but the receipts. */
export function proveBlock(): void {
  if (!isValue(block, B_HASH, asked(Q_HASH), HASH_TEXT)) setOdd();
  if (!isValue(block, B_PARENT_HASH, asked(Q_PARENT_HASH), HASH_TEXT)) setOdd();
  if (!isValue(block, B_NUMBER, asked(Q_NUMBER), asked(Q_NUMBER_LENGTH))) setOdd();
  if (!isValue(block, B_TIMESTAMP, asked(Q_TIMESTAMP), asked(Q_TIMESTAMP_LENGTH))) setOdd();
  if (startOf(block, B_TRANSACTIONS) === 0) setOdd();
  if (!isOdd()) proveHeader();
  // Neither of them tells anything that stands in a log.
  if (!isOdd() && !isLogsOnly()) proveRoot(TRANSACTIONS, countOfTransactions(), B_TRANSACTIONS_ROOT);
  if (!isOdd() && !isLogsOnly()) proveWithdrawals();
  if (!isOdd()) checkDistinct();
}

/** The fields that are always there, and those since a fork as far as they go: a hole would be written as a zero is. */
function proveHeader(): void {
  const fields = table(T_HEADER_FIELDS);
  let count = intAt(fields);
  const all = intAt(fields + 4);
  const pairs = fields + 8;
  while (count < all && !isAbsent(block, intAt(pairs + 8 * count))) count += 1;
  for (let beyond = count; beyond < all; beyond += 1) if (!isAbsent(block, intAt(pairs + 8 * beyond))) setOdd();
  clearWritten();
  writeFields(block, pairs, count);
  endList(0);
  keccakTo(computed, writtenAt(), writtenSize());
  readBytes(stated, block, B_HASH, 32);
  if (!sameBytes(computed, stated, 32)) setOdd();
  readBytes(stated, block, B_MINER, 20);
  ask(stated, recipientFlags);
}

function proveRoot(kind: i32, count: i32, rootKey: i32): void {
  listRootTo(computed, kind, count);
  if (isOdd()) return;
  readBytes(stated, block, rootKey, 32);
  if (!sameBytes(computed, stated, 32)) setOdd();
}

function proveWithdrawals(): void {
  if (isAbsent(block, B_WITHDRAWALS_ROOT) || table(T_STORAGE_WITHDRAWALS) !== 0) {
    if (countOfWithdrawals() > 0) setOdd();
  } else proveRoot(WITHDRAWALS, countOfWithdrawals(), B_WITHDRAWALS_ROOT);
}

/** The receipts that were read, against the header. */
export function proveReceipts(): void {
  proveRoot(RECEIPTS, countOfTransactions(), B_RECEIPTS_ROOT);
  if (isOdd()) return;
  readBytes(stated, block, B_LOGS_BLOOM, BLOOM_BYTES);
  if (!sameBytes(stated, bloomOfAll(), BLOOM_BYTES)) setOdd();
  if (readCount(block, B_GAS_USED) !== gasUsedInAll()) setOdd();
}

/** The fee recipient may be watched. */
export function recipientTouched(): bool {
  return intAt(recipientFlags) !== 0;
}

/** Where the list of withdrawals stands in the input. */
export function withdrawalsStart(): i32 {
  return startOf(block, B_WITHDRAWALS);
}

export function withdrawalsEnd(): i32 {
  return endOf(block, B_WITHDRAWALS);
}
