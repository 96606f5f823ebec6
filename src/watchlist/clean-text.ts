/** Texts of others, made fit to be shown: one line, not too long. What cannot be seen is left in, and refused later. */

/** Spaces and line breaks to one space, cut with an ellipsis. Null when nothing is left. */
export function cleanText(value: string | null | undefined, lengthMax: number): string | null {
  // Cut first: the rest of a text of megabytes need not be looked at.
  const text = (value ?? "")
    .slice(0, 4 * lengthMax)
    .replace(/\s+/g, " ")
    .trim();
  if (text === "") return null;
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, lengthMax - 1);
  // Not between the two halves of a character.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** A reference is ASCII: anything else is percent-encoded as in a URL. */
export function cleanRef(value: string): string {
  return value
    .trim()
    .replace(/[^ -~]+/gu, (part) => encodeURIComponent(part.toWellFormed()))
    .slice(0, 400);
}

/** The same text in memory of its own. A part of a text keeps the whole of it, and so a name the 64 KiB it stood in. */
export function ownCopy(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
