/** The bundle inside a page that `page.ts` made. */
import { END_OF_BUNDLE, PAGE_START, START_OF_BUNDLE } from "./page.ts";
import { unescaped } from "./markup.ts";

export function isPage(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, PAGE_START.length)).toString("latin1") === PAGE_START;
}

/** Null: there is none, or more than one. */
export function bundleIn(bytes: Uint8Array): string | null {
  const [, inside, ...more] = Buffer.from(bytes).toString("utf8").split(START_OF_BUNDLE);
  if (inside === undefined || more.length > 0) return null;
  const end = inside.indexOf(END_OF_BUNDLE);
  return end === -1 ? null : unescaped(inside.slice(0, end));
}
