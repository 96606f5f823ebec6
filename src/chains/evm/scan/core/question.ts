/** The question of this run and the tables of its chain, as the rest of the core reads them. */
import { intAt, setInt } from "./memory.ts";
import { Q_LOGS_ONLY, Q_TABLES } from "./layout.ts";

let question: i32 = 0;
let tables: i32 = 0;

export function useQuestion(at: i32): void {
  question = at;
  tables = asked(Q_TABLES);
}

export function asked(index: i32): i32 {
  return intAt(question + 4 * index);
}

export function answer(index: i32, value: i32): void {
  setInt(question + 4 * index, value);
}

/** Only what logs tell is read, without the transactions. */
export function isLogsOnly(): bool {
  return asked(Q_LOGS_ONLY) !== 0;
}

/** One of the T_ positions or values. */
export function table(index: i32): i32 {
  return intAt(tables + 4 * index);
}
