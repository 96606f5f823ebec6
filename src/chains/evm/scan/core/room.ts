/** Scratch memory, taken from the front and given back in reverse order. */
import { setOdd } from "./verdict.ts";

let base: i32 = 0;
let next: i32 = 0;
let end: i32 = 0;

export function useForRoom(from: i32, to: i32): void {
  base = from;
  next = from;
  end = to;
}

/**
 * The position of `count` bytes (at a multiple of four) whose content is whatever was there. The room is as large as the
 * input, and everything kept is smaller than its text: only nonsense fills it, and is odd.
 */
export function take(count: i32): i32 {
  const at = next;
  next = (next + count + 3) & ~3;
  if (next <= end) return at;
  setOdd();
  next = (base + count + 3) & ~3;
  return base;
}

export function takenMark(): i32 {
  return next;
}

export function untake(mark: i32): void {
  next = mark;
}
