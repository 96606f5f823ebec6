/**
 * Text that somebody outside chose (token names and symbols, memos, labels, ENS names) made fit to be shown to people.
 * What always holds: one line, no control or direction marks, no more than asked for.
 */

// Control and format characters (bidirectional overrides, zero width, tags), line and paragraph separators, lone
// surrogates, private use.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]+/gu;
// Marks that sit on the letter before them: a few are writing, a heap of them covers the lines around.
const MARK_HEAP = /(\p{M}{3})\p{M}+/gu;

/** A name as long as a name is: what is longer tells a story to whoever reads the alert. */
export const NAME_CHARS_MAX = 32;

/** Text made fit for one line of a log, a database column or a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, " ").trim();
}

/** A name of somebody else's on one line of at most `charsMax` characters. */
export function nameFrom(text: string, charsMax = NAME_CHARS_MAX): string {
  return shortened(printable(text).replace(MARK_HEAP, "$1").replace(/\s+/gu, " "), charsMax);
}

/** At most `charsMax` characters (code points); what is left out is said by a final `…`. */
export function shortened(text: string, charsMax: number): string {
  // A code point has at most two units, so a text this long needs no more of it looked at.
  const chars = Array.from(text.slice(0, 2 * charsMax + 2));
  return chars.length <= charsMax ? text : `${chars.slice(0, charsMax - 1).join("")}…`;
}

// What chats, mail programs and pagers turn into links by themselves: schemes, bare domains, addresses, @names.
const SCHEME = /:\/\//g;
const DOMAIN_DOT = /(?<=[\p{L}\p{N}\p{M}_-])[.。．｡](?=[\p{L}\p{M}][\p{L}\p{N}\p{M}-])/gu;
const AT = /[@＠](?=\S)/gu;

/**
 * No part of it becomes a link or a mention: `https://evil.example` is written `https[:]//evil[.]example`, as analysts
 * write such things anyway.
 */
export function unlinked(text: string): string {
  return text.replace(SCHEME, "[:]//").replace(DOMAIN_DOT, "[.]").replace(AT, "[@]");
}
