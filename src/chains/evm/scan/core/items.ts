/** The lists whose roots a header holds. */
import { writeReceipt } from "./receipts.ts";
import { checkHash, hashAt, writeTransaction } from "./transactions.ts";
import { writeWithdrawal } from "./withdrawals.ts";

export const TRANSACTIONS: i32 = 0;
export const RECEIPTS: i32 = 1;
export const WITHDRAWALS: i32 = 2;

/** Writes one item as the trie's value, without a string header. */
export function writeItem(kind: i32, index: i32): void {
  if (kind === TRANSACTIONS) writeTransaction(index);
  else if (kind === RECEIPTS) writeReceipt(index);
  else writeWithdrawal(index);
}

/** Where the hash of the item itself is wanted; 0: nowhere. */
export function itemHashAt(kind: i32, index: i32): i32 {
  return kind === TRANSACTIONS ? hashAt(index) : 0;
}

/** The hash stands where it was wanted. */
export function checkItemHash(kind: i32, index: i32): void {
  if (kind === TRANSACTIONS) checkHash(index);
}
