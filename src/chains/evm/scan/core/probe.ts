/**
 * Is this address watched? The table of `watchlist/address-index.ts`, which lies at the front of the core's memory: a
 * tabulation hash picks the slot of a 64-bit fingerprint. Yes is a question for the caller, no is an answer.
 */
import { TOUCHED } from "./layout.ts";
import { byteAt, intAt, setInt, truncate } from "./memory.ts";

const ADDRESS_BYTES: i32 = 20;
/** Slots are chosen by the upper 28 bits of the fingerprint. */
const SLOT_SCALE: f64 = 1.0 / 268435456.0;

let wordsAt: i32 = 0;
let fingerprintsAt: i32 = 0;
let slots: i32 = 0;
let seedLow: i32 = 0;
let seedHigh: i32 = 0;

/** No slots: nothing of this chain is watched. */
export function useTable(words: i32, fingerprints: i32, slotCount: i32): void {
  wordsAt = words;
  fingerprintsAt = fingerprints;
  slots = slotCount;
}

/** What the fingerprints of the chain start from. */
export function useSeed(low: i32, high: i32): void {
  seedLow = low;
  seedHigh = high;
}

/**
 * Questions wait and are answered together: in a table of 134 MB each one misses every cache, and a processor waits for
 * many misses at once only where nothing else stands between them. A question is a fingerprint, the position of the flags
 * to set, and what stands where it is looked for first.
 */
const QUESTIONS_MAX: i32 = 4096;
const QUESTION_BYTES: i32 = 16;
export const QUESTIONS_ROOM: i32 = 65536; // QUESTIONS_MAX * QUESTION_BYTES

let questions: i32 = 0;
let questionCount: i32 = 0;

/** Room of QUESTIONS_ROOM bytes. */
export function useForQuestions(at: i32): void {
  questions = at;
  questionCount = 0;
}

/** Is the address in the 20 bytes at `at` watched? If it is, TOUCHED will be set in the flags at `flags`. */
export function ask(at: i32, flags: i32): void {
  if (slots === 0) return;
  let low = seedLow;
  let high = seedHigh;
  let word = wordsAt;
  for (let index: i32 = 0; index < ADDRESS_BYTES; index += 1) {
    const pair = word + 8 * byteAt(at + index);
    low ^= intAt(pair);
    high ^= intAt(pair + 4);
    word += 8 * 256;
  }
  if (questionCount === QUESTIONS_MAX) answerQuestions();
  const question = questions + QUESTION_BYTES * questionCount;
  setInt(question, low === 0 ? 1 : low);
  setInt(question + 4, high);
  setInt(question + 8, flags);
  questionCount += 1;
}

export function answerQuestions(): void {
  const end = questions + QUESTION_BYTES * questionCount;
  // First every first look, with no branch that waits for what it finds: a wrong guess would stop the looks behind it.
  // The full places are in the cache when they are compared.
  for (let question = questions; question < end; question += QUESTION_BYTES)
    setInt(question + 12, intAt(firstPlace(intAt(question + 4))));
  for (let question = questions; question < end; question += QUESTION_BYTES)
    if (intAt(question + 12) !== 0 && isThere(intAt(question), intAt(question + 4))) touch(intAt(question + 8));
  questionCount = 0;
}

/** Exact in a double: 28 bits times the number of slots, which is at most 2^25. */
function firstPlace(high: i32): i32 {
  return fingerprintsAt + 8 * truncate(slotKey(high) * slots * SLOT_SCALE);
}

function isThere(low: i32, high: i32): bool {
  let place = firstPlace(high);
  const end = fingerprintsAt + 8 * slots;
  let found = intAt(place);
  while (found !== 0) {
    if (found === low && intAt(place + 4) === high) return true;
    place += 8;
    if (place === end) place = fingerprintsAt;
    found = intAt(place);
  }
  return false;
}

function slotKey(high: i32): f64 {
  return (high >>> 4) & 0xfffffff;
}

function touch(flags: i32): void {
  setInt(flags, intAt(flags) | TOUCHED);
}
