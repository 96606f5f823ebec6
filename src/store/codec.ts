/** Hits as text in the store: amounts as decimal strings, everything else as it is. */
import { digestOf } from "../lib/canonical-json.ts";
import type { Hit } from "../types/hit.ts";

/** The fields that hold base units or cents, wherever in a hit they stand; a fee and a value may be null. */
const AMOUNTS: ReadonlySet<string> = new Set(["amount", "changeAmount", "dustBelow", "fee", "usdCents"]);

export function encodeHit(hit: Hit): string {
  return JSON.stringify(hit, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

export function decodeHit(text: string): Hit {
  const hit = JSON.parse(text) as Record<string, unknown>;
  reviveAmounts(hit);
  return hit as unknown as Hit;
}

/** In place: each alert is read so at each of its revisions, and a reviver of JSON.parse takes five times as long. */
function reviveAmounts(value: Record<string, unknown>): void {
  for (const key of Object.keys(value)) {
    const inner = value[key];
    if (typeof inner === "string") {
      if (AMOUNTS.has(key)) value[key] = BigInt(inner);
    } else if (typeof inner === "object" && inner !== null) reviveAmounts(inner as Record<string, unknown>);
  }
}

/** Changes when a list, the own addresses or the token list tell something else about the same transfer. */
export function matchDigest(hit: Hit): string {
  const told = {
    asset: { ...hit.asset, dustBelow: hit.asset.dustBelow.toString() },
    own: hit.own,
    recordedOnly: hit.recordedOnly?.rule ?? null,
    entries: hit.matches.map(({ side, entry, incident, basis, ended }) => ({
      side,
      ...(ended === undefined ? {} : { ended }),
      ...(basis === "exact" ? {} : { basis }),
      incident,
      entry: { ...entry, listVersion: null },
    })),
  };
  return digestOf(told).slice(0, 32);
}
