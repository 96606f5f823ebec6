/** Cells as spreadsheets and their writers use them: formulas, and words for "nothing". */

/** OWASP, "CSV injection": what a spreadsheet takes for the start of a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const NOTHING: ReadonlySet<string> = new Set(["", "-", "--", "n/a", "na", "none", "null", "unknown", "?"]);

export function isFormula(cell: string): boolean {
  return FORMULA.test(cell);
}

export function isNothing(cell: string): boolean {
  return NOTHING.has(cell.toLowerCase());
}

/** A leading apostrophe makes text of what would be run or taken for nothing. */
export function escapeCell(text: string): string {
  return isSpecial(text) ? `'${text}` : text;
}

/** What `escapeCell` was given; a text it would not have escaped stays as it is. */
export function unescapeCell(cell: string): string {
  return cell.startsWith("'") && isSpecial(cell.slice(1)) ? cell.slice(1) : cell;
}

function isSpecial(text: string): boolean {
  const bare = text.replace(/^'+/, "");
  return bare !== "" && (isFormula(bare) || isNothing(bare));
}
