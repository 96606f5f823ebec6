/** Who puts the value to hits. */
import type { ChainId } from "./chain.ts";
import type { Hit } from "./hit.ts";

/** When and where something happened. */
export interface ValueMoment {
  readonly chain: ChainId;
  /** Unix seconds. */
  readonly time: number;
  /** Null: in no block yet. */
  readonly blockHash: string | null;
}

export interface Valuer {
  /**
   * The hits with their value, in the same order. Never throws and never takes longer than its limit: whatever is not
   * known by then is told as unknown.
   */
  valueHits(hits: readonly Hit[], at: ValueMoment, signal: AbortSignal): Promise<readonly Hit[]>;
}
