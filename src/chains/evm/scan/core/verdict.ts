/**
 * Anything unexpected makes a block odd: the core gives up, and the reference path reads the same bytes and says what is
 * wrong, if anything is. So the core needs no error texts, and its doubts cost time, never a block.
 */
let odd: bool = false;

export function startVerdict(): void {
  odd = false;
}

export function setOdd(): void {
  odd = true;
}

export function isOdd(): bool {
  return odd;
}
