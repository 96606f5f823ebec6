/** Contracts that tell prices, asked of the operator's own nodes only. */
import type { Address, ChainId } from "./chain.ts";

export const FEED_QUOTES = ["USD", "ETH", "BTC"] as const;

/** One Chainlink proxy. */
export interface PriceFeed {
  readonly chain: ChainId;
  /** What is priced, in capitals: `ETH`, `USDC`, `EUR`. */
  readonly base: string;
  readonly quote: (typeof FEED_QUOTES)[number];
  readonly proxy: Address;
  /** Null: asked of the contract. */
  readonly decimals: number | null;
}

/** USD for one whole unit. */
export interface PriceRange {
  readonly fromUsd: number;
  readonly toUsd: number;
}

export interface PriceFeeds {
  readonly feeds: readonly PriceFeed[];
  /** Feeds that tell whether the sequencer of a rollup is up: while it was down, its prices are not to be relied on. */
  readonly sequencers: ReadonlyMap<ChainId, Address>;
  /** What a base costs unless the world changed: a price outside of it needs a second source. */
  readonly ranges: ReadonlyMap<string, PriceRange>;
}
