/** One answer, written as different nodes might write it. Nothing here changes what it says. */
import type { Random } from "../proof/mutants.ts";

export type Writing = (value: unknown, random: Random) => string;

export const compact: Writing = (value) => JSON.stringify(value);

export const WRITINGS: Readonly<Record<string, Writing>> = {
  compact,
  "pretty-printed": (value) => JSON.stringify(value, null, 2),
  "with tabs and line ends of Windows": (value) => JSON.stringify(value, null, "\t").replaceAll("\n", "\r\n"),
  "keys sorted": (value) => JSON.stringify(withKeys(value, (keys) => keys.toSorted())),
  "keys sorted backwards": (value) => JSON.stringify(withKeys(value, (keys) => keys.toSorted().toReversed())),
  "keys in any order, each time another": (value, random) =>
    JSON.stringify(withKeys(value, (keys) => shuffled(keys, random))),
  "with unknown keys": (value, random) => JSON.stringify(withUnknownKeys(value, random)),
};

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0] as T);
}

/** Every object anew, with its keys in the order that `order` gives. */
function withKeys(value: unknown, order: (keys: string[]) => string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withKeys(item, order));
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(order(Object.keys(fields)).map((key) => [key, withKeys(fields[key], order)]));
}

const UNKNOWN: readonly [key: string, value: unknown][] = [
  ["l1Fee", "0x1234"],
  ["from2", `0x${"11".repeat(20)}`],
  ["hashes", ["0x00", null, true, false, 7, { from: `0x${"22".repeat(20)}`, logs: [[]] }]],
  ["fro", { hash: 1, input: "0x", transactions: [], logs: null }],
  ["", 0],
  ["blockMetadata", `0x${"33".repeat(400)}`],
  ["a key that is longer than any that we know, by far", []],
  ["Hash", `0x${"44".repeat(32)}`],
];

function withUnknownKeys(value: unknown, random: Random): unknown {
  if (Array.isArray(value)) return value.map((item) => withUnknownKeys(item, random));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, own]): [string, unknown] => [key, withUnknownKeys(own, random)]);
  for (let count = random.below(3); count > 0; count -= 1)
    entries.splice(random.below(entries.length + 1), 0, random.pick(UNKNOWN));
  return Object.fromEntries(entries);
}
