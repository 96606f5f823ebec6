/** Withdrawals of the beacon chain (EIP-4895), as `proof/withdrawals.ts`. */
import { endedAt, firstItem, nextItem } from "./json.ts";
import { readBytes, readFields, writeFields } from "./fields.ts";
import { T_WITHDRAWAL_FIELDS, T_WITHDRAWAL_KEYS, W_ADDRESS, W_SLOTS } from "./layout.ts";
import { intAt, setInt } from "./memory.ts";
import { ask } from "./probe.ts";
import { table } from "./question.ts";
import { endList } from "./rlp.ts";
import { take, takenMark } from "./room.ts";

let withdrawals: i32 = 0;
let withdrawalCount: i32 = 0;
let flags: i32 = 0;

export function startWithdrawals(): void {
  withdrawalCount = 0;
  flags = take(4);
  setInt(flags, 0);
}

/** One of them may go to a watched address. */
export function withdrawalsTouch(): bool {
  return intAt(flags) !== 0;
}

export function countOfWithdrawals(): i32 {
  return withdrawalCount;
}

/** The whole list; nothing else takes room meanwhile. Returns the position behind it. */
export function readWithdrawals(at: i32): i32 {
  const address = take(20);
  withdrawals = takenMark();
  at = firstItem(at);
  while (at !== 0) {
    const slots = take(8 * W_SLOTS);
    const end = readFields(at, table(T_WITHDRAWAL_KEYS), slots, W_SLOTS);
    readBytes(address, slots, W_ADDRESS, 20);
    ask(address, flags);
    withdrawalCount += 1;
    at = nextItem(end);
  }
  return endedAt();
}

export function writeWithdrawal(index: i32): void {
  writeFields(withdrawals + 8 * W_SLOTS * index, table(T_WITHDRAWAL_FIELDS), W_SLOTS);
  endList(0);
}
