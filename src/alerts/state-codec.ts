/** The fold's memory as text. Hits go through the store's own codec, which the daemon hands in. */
import type { Hit } from "../types/hit.ts";
import type { AlertState, HitStanding } from "./state.ts";

export interface HitCodec {
  encodeHit(hit: Hit): string;
  decodeHit(text: string): Hit;
}

export function createStateCodec({ encodeHit, decodeHit }: HitCodec): {
  encode(state: AlertState): string;
  decode(text: string): AlertState;
} {
  return {
    encode: (state) =>
      JSON.stringify({
        ...state,
        hits: [...state.hits].map(([id, standing]) => [id, { ...standing, hit: encodeHit(standing.hit) }]),
      }),
    decode: (text) => {
      const stored = JSON.parse(text) as Omit<AlertState, "hits"> & {
        hits: [string, Omit<HitStanding, "hit"> & { hit: string }][];
      };
      return {
        ...stored,
        hits: new Map(stored.hits.map(([id, standing]) => [id, { ...standing, hit: decodeHit(standing.hit) }])),
      };
    },
  };
}
