/** Hits as text in the store: amounts as decimal strings, everything else as it is. */
import { createHash } from "node:crypto";
import type { Hit } from "../types/hit.ts";

export function encodeHit(hit: Hit): string {
  return JSON.stringify({
    ...hit,
    transfer: { ...hit.transfer, amount: hit.transfer.amount.toString() },
    asset: { ...hit.asset, dustBelow: hit.asset.dustBelow.toString() },
  });
}

export function decodeHit(text: string): Hit {
  const hit = JSON.parse(text) as Hit & { transfer: { amount: string }; asset: { dustBelow: string } };
  return {
    ...hit,
    transfer: { ...hit.transfer, amount: BigInt(hit.transfer.amount) },
    asset: { ...hit.asset, dustBelow: BigInt(hit.asset.dustBelow) },
  };
}

/** Changes when a list, the own addresses or the token list tell something else about the same transfer. */
export function matchDigest(hit: Hit): string {
  const told = {
    asset: { ...hit.asset, dustBelow: hit.asset.dustBelow.toString() },
    own: hit.own,
    recordedOnly: hit.recordedOnly?.rule ?? null,
    entries: hit.matches.map(({ side, entry, incident }) => ({
      side,
      incident,
      entry: { ...entry, listVersion: null },
    })),
  };
  return createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, 32);
}
