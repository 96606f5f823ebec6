/** Which feeds can price a base, and on which chains. Pure. */
import type { ChainId } from "../types/chain.ts";
import type { PriceFeed, PriceFeeds } from "../types/price-feeds.ts";

/** One way to a price in USD: a feed, and where it quotes another coin, that coin's own feed on the same chain. */
export interface FeedPath {
  readonly base: string;
  readonly chain: ChainId;
  readonly feed: PriceFeed;
  readonly through: PriceFeed | null;
}

/** `paths(base)`: on each chain that is followed, in the order of `chains`. */
export function createFeedPlan(
  { feeds }: PriceFeeds,
  chains: readonly ChainId[],
): (base: string) => readonly FeedPath[] {
  const known = new Map(feeds.map((feed) => [`${feed.chain} ${feed.base} ${feed.quote}`, feed]));

  function pathOn(chain: ChainId, base: string): FeedPath | null {
    const direct = known.get(`${chain} ${base} USD`);
    if (direct !== undefined) return { base, chain, feed: direct, through: null };
    for (const quote of ["ETH", "BTC"] as const) {
      const feed = known.get(`${chain} ${base} ${quote}`);
      const through = known.get(`${chain} ${quote} USD`);
      if (feed !== undefined && through !== undefined) return { base, chain, feed, through };
    }
    return null;
  }

  return (base) => chains.flatMap((chain) => pathOn(chain, base) ?? []);
}

/** The price of the chain the hit is on first, then one more of the same base for comparison, or in its place. */
export function chosenPaths(
  bases: readonly string[],
  { chain, paths }: { chain: ChainId; paths: (base: string) => readonly FeedPath[] },
): readonly FeedPath[] {
  const found = bases.map(paths).find((ways) => ways.length > 0) ?? [];
  const own = found.filter((path) => path.chain === chain);
  const others = found.filter((path) => path.chain !== chain);
  return [...own, ...others].slice(0, 2);
}

export function describePath({ feed, through }: FeedPath): string {
  return through === null
    ? `chainlink:${feed.chain}:${feed.proxy}`
    : `chainlink:${feed.chain}:${feed.proxy} x ${through.proxy}`;
}
