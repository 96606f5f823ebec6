/** A block's hits with what they are worth: the last step before they are stored, because it is stored with them. */
import type { Block } from "../types/chain.ts";
import type { Hit } from "../types/hit.ts";
import type { Valuer } from "../types/valuer.ts";

export interface Matching {
  readonly match: (block: Block) => readonly Hit[];
  /** Absent: values are not looked up. */
  readonly valuer?: Valuer | undefined;
}

/**
 * Throws the signal's reason where it stopped in the middle: a block stored without the values it could have had would
 * keep them unknown for ever, and whoever goes on reads it again.
 */
export async function hitsOf(
  block: Block,
  { match, valuer }: Matching,
  of: { chain: string; signal: AbortSignal },
): Promise<readonly Hit[]> {
  const hits = match(block);
  if (hits.length === 0 || valuer === undefined) return hits;
  const moment = { chain: of.chain, time: block.timestamp, blockHash: block.hash };
  const valued = await valuer.valueHits(hits, moment, of.signal);
  of.signal.throwIfAborted();
  return valued;
}
