/** Rows and blocks as text and back, and the digest of a ledger. Equal content gives equal text, whatever its order. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { FlowRows, FlowTable } from "../types/flow.ts";
import type { Ledger } from "./ledger.ts";

const NUMBER = "$n";
const SET = "$set";

/** JSON, with big integers as `{"$n":"1"}` and sets as `{"$set":[...]}`; the same for equal values. */
export function encode(value: unknown): string {
  return canonicalJson(plainOf(value));
}

/** What `encode` wrote. */
export function decode(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part !== "object" || part === null) return part;
    const number: unknown = Reflect.get(part, NUMBER);
    if (typeof number === "string") return BigInt(number);
    const items: unknown = Reflect.get(part, SET);
    return Array.isArray(items) ? new Set(items) : part;
  });
}

function plainOf(value: unknown): unknown {
  if (typeof value === "bigint") return { [NUMBER]: value.toString() };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Set) return { [SET]: [...(value as ReadonlySet<string>)].toSorted((a, b) => (a < b ? -1 : 1)) };
  if (Array.isArray(value)) return value.map(plainOf);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainOf(part)]));
}

export function isSameRow(a: FlowRows[FlowTable] | undefined, b: FlowRows[FlowTable] | undefined): boolean {
  return a === b || isDeepStrictEqual(a, b);
}

/** SHA-256 over all rows: equal for ledgers that say the same, however they came to it (REO-2). */
export function digestOfLedger({ rows }: Ledger): string {
  const hash = createHash("sha256");
  for (const [table, ofTable] of Object.entries(rows)) {
    const entries = [...ofTable.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, row] of entries) hash.update(`${table} ${key} ${encode(row)}\n`);
  }
  return hash.digest("hex");
}
