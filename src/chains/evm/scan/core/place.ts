/** What every part of an answer repeats of its place in the block must be the texts that we derive. */
import { asked } from "./question.ts";
import { isValue } from "./json.ts";
import { Q_HASH, Q_NUMBER, Q_NUMBER_LENGTH } from "./layout.ts";
import { setByte } from "./memory.ts";
import { setOdd } from "./verdict.ts";

/** A hash and its quotes. */
export const HASH_TEXT: i32 = 68;

/** Room for one rendered count. */
const TEXT_MAX: i32 = 16;
let text: i32 = 0;

export function useForText(at: i32): void {
  text = at;
}

export const TEXT_ROOM: i32 = TEXT_MAX;

export function checkBlock(slots: i32, hashKey: i32, numberKey: i32): void {
  if (!isValue(slots, hashKey, asked(Q_HASH), HASH_TEXT)) setOdd();
  if (!isValue(slots, numberKey, asked(Q_NUMBER), asked(Q_NUMBER_LENGTH))) setOdd();
}

/** The value is this count as nodes write it, without leading zeros. */
export function checkCount(slots: i32, key: i32, value: i32): void {
  let digits: i32 = 1;
  while (digits < 8 && value >>> (4 * digits) !== 0) digits += 1;
  setByte(text, 0x22);
  setByte(text + 1, 0x30);
  setByte(text + 2, 0x78);
  for (let index: i32 = 0; index < digits; index += 1) {
    const nibble = (value >>> (4 * (digits - 1 - index))) & 15;
    setByte(text + 3 + index, nibble < 10 ? 0x30 + nibble : 0x57 + nibble);
  }
  setByte(text + 3 + digits, 0x22);
  if (!isValue(slots, key, text, digits + 4)) setOdd();
}
