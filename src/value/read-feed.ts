/**
 * The newest round of a feed at a moment, from one node. At a block's own hash where the node still has its state, else by
 * going back through the rounds: those stay on the chain for ever.
 */
import type { ContractCaller } from "../types/nodes.ts";
import type { PriceFeed } from "../types/price-feeds.ts";
import {
  DECIMALS,
  decodeDecimals,
  decodeRound,
  FeedError,
  LATEST_ROUND_DATA,
  type Round,
  roundDataCall,
} from "./round.ts";

/** When a feed is read. */
export interface FeedMoment {
  /** Unix seconds. */
  readonly time: number;
  /** Of a block of the feed's own chain; null: it is read by time. */
  readonly blockHash: string | null;
}

type FeedContract = Pick<PriceFeed, "chain" | "proxy">;

export interface FeedReader {
  /** Throws FeedError where the feed cannot say, and what the node client throws. */
  roundAt(feed: FeedContract, caller: ContractCaller, at: FeedMoment, signal: AbortSignal): Promise<Round>;
  decimalsOf(feed: PriceFeed, caller: ContractCaller, signal: AbortSignal): Promise<number>;
}

const AGGREGATOR_BITS = 64n;
const AGGREGATOR_ROUND = (1n << AGGREGATOR_BITS) - 1n;
// Rounds do not change: those of a day in which a scan of the past finds much are asked for once.
const ROUNDS_MAX = 4_096;
// Doubling steps and halving them again finds one of four billion rounds.
const STEPS_MAX = 64;

export function createFeedReader(): FeedReader {
  const rounds = new Map<string, Round>();
  const decimals = new Map<string, number>();

  async function latest({ proxy }: FeedContract, caller: ContractCaller, at: string, signal: AbortSignal) {
    return decodeRound(await caller.call({ to: proxy, data: LATEST_ROUND_DATA, at }, signal));
  }

  async function round(id: bigint, feed: FeedContract, caller: ContractCaller, signal: AbortSignal): Promise<Round> {
    const key = `${caller.node} ${feed.chain} ${feed.proxy} ${id}`;
    const known = rounds.get(key);
    if (known !== undefined) return known;
    const answer = await caller.call({ to: feed.proxy, data: roundDataCall(id), at: "latest" }, signal);
    const found = decodeRound(answer);
    if (found.id !== id) throw new FeedError("the feed answered with another round");
    const [oldest] = rounds.keys();
    if (rounds.size >= ROUNDS_MAX && oldest !== undefined) rounds.delete(oldest);
    rounds.set(key, found);
    return found;
  }

  /** Back from the newest round in doubling steps to one that is old enough, then to the newest of those. */
  async function roundBefore(
    time: number,
    feed: FeedContract,
    caller: ContractCaller,
    signal: AbortSignal,
  ): Promise<Round> {
    const newest = await latest(feed, caller, "latest", signal);
    if (newest.updatedAt <= time) return newest;
    const phase = newest.id - (newest.id & AGGREGATOR_ROUND);
    let after = newest.id & AGGREGATOR_ROUND;
    let before = after;
    let found: Round | null = null;
    for (let step = 0; found === null || after - before > 1n; step += 1) {
      if (step > STEPS_MAX) throw new FeedError("the feed's rounds are not in order");
      if (found === null && after <= 1n) throw new FeedError("the feed's rounds do not reach back to that time");
      const jump = 1n << BigInt(step);
      const at: bigint = found === null ? (after > jump ? after - jump : 1n) : (before + after) / 2n;
      const tried = await round(phase + at, feed, caller, signal);
      if (tried.updatedAt <= time) [before, found] = [at, tried];
      else after = at;
    }
    return found;
  }

  return {
    async roundAt(feed, caller, { time, blockHash }, signal) {
      if (blockHash !== null) {
        try {
          return await latest(feed, caller, blockHash, signal);
        } catch (error) {
          // Most nodes forget the state of old blocks; what a feed answered wrong is wrong at any block.
          if (error instanceof FeedError || signal.aborted) throw error;
        }
      }
      return roundBefore(time, feed, caller, signal);
    },

    async decimalsOf(feed, caller, signal) {
      if (feed.decimals !== null) return feed.decimals;
      const key = `${caller.node} ${feed.chain} ${feed.proxy}`;
      const known = decimals.get(key);
      if (known !== undefined) return known;
      const answer = await caller.call({ to: feed.proxy, data: DECIMALS, at: "latest" }, signal);
      const read = decodeDecimals(answer);
      decimals.set(key, read);
      return read;
    },
  };
}
