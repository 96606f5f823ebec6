/** What a hit is worth in USD, or why nobody can say. */

/** What a hit was worth when it happened. Stored with it, so that folding again gives the same alert. */
export type HitValue = KnownValue | UnknownValue;

export interface KnownValue {
  /** Whole cents, rounded down. */
  readonly usdCents: bigint;
  /** USD for one whole unit of the asset, decimal. */
  readonly usdPerUnit: string;
  /** `chainlink:<CAIP-2 chain>:<proxy>`, several joined by ` x `; `assumed` for a stable coin without a feed. */
  readonly source: string;
  /** When the feed was last updated, unix seconds; null: assumed. */
  readonly updatedAt: number | null;
  /** What the price was held against; null: nothing, so that it may raise an alert and not lower one. */
  readonly comparedWith: string | null;
  /** What a reader must know beside the number: a stable coin off its peg, a token priced as what it stands for. */
  readonly note: string | null;
}

export interface UnknownValue {
  readonly usdCents: null;
  /** Why nobody can say: words for a person. */
  readonly why: string;
  /** It may be known in a moment: a node did not answer. Asked again for an hour. */
  readonly passing?: true;
}
