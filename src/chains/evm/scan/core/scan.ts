/**
 * The bytes of two answers of a node (eth_getBlockByHash with full transactions, eth_getBlockReceipts) -> proven, and
 * which transactions may touch a watched address; or odd, and the reference path reads them. See `decisions/009`.
 *
 * Asked for logs only, the first answer names the transactions by hash alone. Header and receipts are proven all the same, and
 * a transaction is marked by its logs; its hash is the node's word, and so is everything else about it.
 *
 * This folder is written in what TypeScript and AssemblyScript share: Node runs it as it stands, and
 * `scripts/build-scanner.ts` compiles it to `scanner.wasm`. Integers are `i32`: everything stays below 2^31.
 */
import { useForDigest } from "./bloom.ts";
import {
  proveBlock,
  proveReceipts,
  readBlock,
  startBlock,
  withdrawalsEnd,
  withdrawalsStart,
  recipientTouched,
} from "./block.ts";
import { endedAt, fieldKey, firstField, nextField, skipBlanks, skipValue } from "./json.ts";
import {
  A_COUNT,
  A_RECEIPTS,
  A_RECIPIENT_TOUCHED,
  A_TRANSACTIONS,
  A_WITHDRAWALS,
  A_WITHDRAWALS_END,
  E_ERROR,
  E_ID,
  E_RESULT,
  Q_BLOCK,
  Q_BLOCK_END,
  Q_BLOCK_ID,
  Q_FINGERPRINTS,
  Q_RECEIPTS,
  Q_RECEIPTS_END,
  Q_RECEIPTS_ID,
  Q_ROOM,
  Q_ROOM_END,
  Q_SEED_HIGH,
  Q_SEED_LOW,
  Q_SLOTS,
  Q_WORDS,
  Q_WRITING_END,
  T_ENVELOPE_KEYS,
} from "./layout.ts";
import { byteAt } from "./memory.ts";
import { TEXT_ROOM, useForText } from "./place.ts";
import { answerQuestions, QUESTIONS_ROOM, useForQuestions, useSeed, useTable } from "./probe.ts";
import { answer, asked, table, useQuestion } from "./question.ts";
import { readReceipts, receiptPositions, startReceipts } from "./receipts.ts";
import { useForWriting } from "./rlp.ts";
import { take, useForRoom } from "./room.ts";
import { countOfTransactions, transactionAt } from "./transactions.ts";
import { isOdd, setOdd, startVerdict } from "./verdict.ts";
import { withdrawalsTouch } from "./withdrawals.ts";

/** True: proven, and the answer is written behind the question. False: odd. */
export function scan(question: i32): bool {
  startVerdict();
  useQuestion(question);
  useForRoom(asked(Q_ROOM), asked(Q_ROOM_END));
  useForWriting(asked(Q_ROOM_END), asked(Q_WRITING_END));
  useForDigest(take(32));
  useForText(take(TEXT_ROOM));
  useForQuestions(take(QUESTIONS_ROOM));
  useTable(asked(Q_WORDS), asked(Q_FINGERPRINTS), asked(Q_SLOTS));
  useSeed(asked(Q_SEED_LOW), asked(Q_SEED_HIGH));
  startBlock();
  readEnvelope(asked(Q_BLOCK), asked(Q_BLOCK_ID), false);
  if (!isOdd()) proveBlock();
  if (!isOdd()) {
    startReceipts();
    readEnvelope(asked(Q_RECEIPTS), asked(Q_RECEIPTS_ID), true);
  }
  if (!isOdd()) proveReceipts();
  if (isOdd()) return false;
  if (!isOdd()) answerQuestions();
  answer(A_RECIPIENT_TOUCHED, recipientTouched() ? 1 : 0);
  answer(A_WITHDRAWALS, withdrawalsTouch() ? withdrawalsStart() : 0);
  answer(A_WITHDRAWALS_END, withdrawalsEnd());
  answer(A_COUNT, countOfTransactions());
  answer(A_TRANSACTIONS, transactionAt(0));
  answer(A_RECEIPTS, receiptPositions());
  return !isOdd();
}

/** `{"jsonrpc":"2.0","id":…,"result":…}` and nothing else. An error, also one of null, is the reference path's to tell. */
function readEnvelope(at: i32, id: i32, isReceipts: bool): void {
  const keys = table(T_ENVELOPE_KEYS);
  let seen: i32 = 0;
  at = firstField(skipBlanks(at), keys);
  while (at !== 0) {
    const key = fieldKey();
    let end: i32 = 0;
    if (key === E_RESULT) end = isReceipts ? readReceipts(at) : readBlock(at);
    else end = skipValue(at, 0);
    if (key === E_ID) checkId(at, end, id);
    if (key === E_ERROR) setOdd();
    if (key >= 0) {
      if ((seen & (1 << key)) !== 0) setOdd();
      seen |= 1 << key;
    }
    at = nextField(end, keys);
  }
  if (seen !== ((1 << E_ID) | (1 << E_RESULT))) setOdd();
  const inputEnd = isReceipts ? asked(Q_RECEIPTS_END) : asked(Q_BLOCK_END);
  if (skipBlanks(endedAt()) !== inputEnd) setOdd();
}

function checkId(at: i32, end: i32, id: i32): void {
  let value: i32 = 0;
  if (end - at > 9) setOdd();
  while (at < end && !isOdd()) {
    const digit = byteAt(at) - 0x30;
    if (digit < 0 || digit > 9) setOdd();
    value = value * 10 + digit;
    at += 1;
  }
  if (value !== id) setOdd();
}
