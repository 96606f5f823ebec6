/** The nearest spelling: what the person most likely meant. */

/** How many single-character edits (insert, delete, replace, swap of neighbours) turn one text into the other. */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      let edits = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      if (swapped) edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

/** The candidate closest to `word`, or null when none is close: a far-fetched guess is worse than none. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const wanted = plain(word);
  // A third of the letters may be wrong: `retry_scal` finds `retryScale`, `foo` does not find `log`.
  let allowedEdits = Math.floor(wanted.length / 3);
  let best: string | null = null;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, plain(candidate));
    if (edits > allowedEdits || (best !== null && edits === allowedEdits)) continue;
    best = candidate;
    allowedEdits = edits;
  }
  return best;
}

/** Case, `_` and `-` are how people spell the same word in other tools. */
function plain(word: string): string {
  return word.slice(0, 64).toLowerCase().replace(/[_-]/g, "");
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
