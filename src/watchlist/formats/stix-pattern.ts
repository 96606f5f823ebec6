/** The one shape of STIX pattern that names wallets: comparisons with `=` joined by OR. */

const LENGTH_MAX = 64 * 1024;
const COMPARISON = /cryptocurrency-wallet:(?:value|address)\s{0,9}=\s{0,9}'([^'\\]{1,200})'/iy;
const LIST = /cryptocurrency-wallet:(?:value|address)\s{1,9}IN\s{0,9}\(([^()\\]{1,60000})\)/iy;
const JOIN = /\s{0,9}(\]\s{0,9}OR\s{0,9}\[|OR)\s{0,9}/iy;

/** Null: the pattern says more than "any of these addresses", so taking the addresses out would change its meaning. */
export function addressesOfPattern(pattern: string): readonly string[] | null {
  const text = pattern.trim();
  if (text.length > LENGTH_MAX || !text.startsWith("[") || !text.endsWith("]")) return null;
  const addresses: string[] = [];
  const end = text.length - 1;
  let at = 1;
  const take = (token: RegExp): string | null => {
    while (text[at] === " ") at += 1;
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return null;
    at += match[0].length;
    return match[1] ?? "";
  };
  for (;;) {
    const one = take(COMPARISON);
    const several = one === null ? listOf(take(LIST)) : [one];
    if (several === null) return null;
    addresses.push(...several);
    while (text[at] === " ") at += 1;
    if (at === end) return addresses;
    if (take(JOIN) === null) return null;
  }
}

function listOf(text: string | null): string[] | null {
  if (text === null) return null;
  const items = text.split(",").map((item) => /^\s*'([^'\\]{1,200})'\s*$/.exec(item)?.[1]);
  return items.every((item) => item !== undefined) ? items : null;
}
