/**
 * What a base was worth in USD at a moment, as the operator's own nodes tell it.
 *
 * A node's answer about a contract is its word and nothing more, so no price stands alone: it is held against another
 * operator's node, the same feed on another chain, or the prices accepted before. What disagrees is unknown; what could
 * not be compared may raise an alert and never lower one (`comparedWith` null).
 */
import { AppError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { ChainId } from "../types/chain.ts";
import type { Log } from "../types/log.ts";
import type { ContractCaller } from "../types/nodes.ts";
import type { PriceFeed, PriceFeeds } from "../types/price-feeds.ts";
import type { UnknownValue } from "../types/value.ts";
import type { ValueMoment } from "../types/valuer.ts";
import { chosenPaths, createFeedPlan, describePath, type FeedPath } from "./feed-plan.ts";
import { createPriceMemory } from "./price-memory.ts";
import { createFeedReader, type FeedMoment } from "./read-feed.ts";
import { AwayError, deviationBps, FeedError, isInRange, isPlausible, type Rate, times, troubleOf } from "./round.ts";

export interface PricedChain {
  readonly id: ChainId;
  readonly name: string;
  /** One own node of each operator; empty: none in use. */
  readonly callers: () => readonly ContractCaller[];
}

export interface PriceBookOptions {
  /** Chains that are followed, in the order of the configuration. */
  readonly chains: readonly PricedChain[];
  readonly feeds: PriceFeeds;
  /** An answer that was last updated longer before is no price. Seconds. */
  readonly maxAgeS: number;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Log;
}

export interface Price {
  /** The one of the bases that it is the price of. */
  readonly base: string;
  readonly rate: Rate;
  /** Unix seconds. */
  readonly updatedAt: number;
  readonly source: string;
  readonly comparedWith: string | null;
}

/** Why there is none; `passing`: nobody answered. */
export type NoPrice = Pick<UnknownValue, "why" | "passing">;

export interface PriceBook {
  /** True where a followed chain has a feed for one of the bases. */
  hasFeed(bases: readonly string[]): boolean;
  /** The price, or why there is none. Throws nothing but bugs. */
  priceOf(bases: readonly string[], at: ValueMoment, signal: AbortSignal): Promise<Price | NoPrice>;
}

// Feeds of one pair are updated at deviations of 2 % at most, and each on its own clock.
const SOURCES_DEVIATION_MAX_BPS = 1_000;
// Chainlink's advice after a sequencer came back: an hour in which users can catch up.
const SEQUENCER_GRACE_S = 3_600;
// A node that did not answer is left alone this long: no block waits for it twice.
const QUIET_MS = 30_000;
// As long a price is taken as it was just now: four questions a minute and feed, however many hits there are.
const FRESH_S = 15;

interface Reading {
  readonly rate: Rate;
  readonly updatedAt: number;
}

export function createPriceBook({ chains, feeds, maxAgeS, now, log }: PriceBookOptions): PriceBook {
  const reader = createFeedReader();
  const memory = createPriceMemory();
  const quietUntil = new Map<ChainId, number>();
  const fresh = new Map<string, { readonly time: number; readonly price: Price }>();
  const byId = new Map(chains.map((chain) => [chain.id, chain]));
  const paths = createFeedPlan(feeds, [...byId.keys()]);

  async function readOne(
    feed: PriceFeed,
    caller: ContractCaller,
    at: FeedMoment,
    signal: AbortSignal,
  ): Promise<Reading> {
    const [round, decimals] = await Promise.all([
      reader.roundAt(feed, caller, at, signal),
      reader.decimalsOf(feed, caller, signal),
    ]);
    const pair = `${feed.base}/${feed.quote}`;
    const trouble = troubleOf(round, { time: at.time, maxAgeS });
    if (trouble !== null) throw new FeedError(`${pair}: ${trouble}`);
    const rate = { value: round.answer, decimals };
    if (!isPlausible(rate)) throw new FeedError(`${pair}: its answer is out of all proportion`);
    return { rate, updatedAt: round.updatedAt };
  }

  /** While a rollup's sequencer is down its prices stand still, and whoever can still act knows it. */
  async function checkSequencer(
    chain: ChainId,
    caller: ContractCaller,
    at: FeedMoment,
    signal: AbortSignal,
  ): Promise<void> {
    const proxy = feeds.sequencers.get(chain);
    if (proxy === undefined) return;
    const status = await reader.roundAt({ chain, proxy }, caller, at, signal);
    if (status.answer !== 0n) throw new FeedError("the sequencer was down");
    if (at.time - status.startedAt < SEQUENCER_GRACE_S)
      throw new FeedError("the sequencer was back for less than an hour");
  }

  async function readPath(
    { chain, feed, through }: FeedPath,
    caller: ContractCaller,
    at: FeedMoment,
    signal: AbortSignal,
  ): Promise<Reading> {
    const [rate, quote] = await Promise.all([
      readOne(feed, caller, at, signal),
      through === null ? null : readOne(through, caller, at, signal),
      checkSequencer(chain, caller, at, signal),
    ]);
    if (quote === null) return rate;
    return { rate: times(rate.rate, quote.rate), updatedAt: Math.min(rate.updatedAt, quote.updatedAt) };
  }

  /** Every operator's own node; they must tell the same. Throws FeedError with the reason in words. */
  async function readChain(
    path: FeedPath,
    at: ValueMoment,
    signal: AbortSignal,
  ): Promise<Reading & { operators: string[] }> {
    const chain = byId.get(path.chain) as PricedChain;
    if (now() < (quietUntil.get(chain.id) ?? 0))
      throw new AwayError(`the node of ${chain.name} did not answer a moment ago`);
    const callers = chain.callers();
    if (callers.length === 0) throw new AwayError(`no own node of ${chain.name} is in use`);
    const moment = { time: at.time, blockHash: path.chain === at.chain ? at.blockHash : null };
    const answers = await Promise.allSettled(
      callers.map((caller) => orAborted(readPath(path, caller, moment, signal), signal)),
    );
    const found = answers.flatMap((answer, index) =>
      answer.status === "fulfilled" ? [{ ...answer.value, operator: callers[index]?.operator ?? "" }] : [],
    );
    const [first] = found;
    if (first === undefined) throw reasonOf(answers, chain, signal);
    const odd = found.find(({ rate }) => deviationBps(rate, first.rate) > SOURCES_DEVIATION_MAX_BPS);
    if (odd !== undefined) throw new FeedError(`own nodes of ${chain.name} tell different prices`);
    return { ...first, operators: found.map(({ operator }) => operator) };
  }

  function reasonOf(
    answers: readonly PromiseSettledResult<unknown>[],
    chain: PricedChain,
    signal: AbortSignal,
  ): FeedError {
    const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
    const told = errors.find((error) => error instanceof FeedError);
    if (told !== undefined) return new FeedError(`${chain.name}: ${told.message}`);
    // A contract that refuses is no node that is away: one dead feed must not cost the others their prices.
    if (errors.some(isRefusal)) return new FeedError(`${chain.name}: the node or the feed refused the question`);
    const detail = redactText(describeError(errors[0]));
    // Neither is a caller that stops.
    if (!signal.aborted || isTimeout(signal.reason)) {
      quietUntil.set(chain.id, now() + QUIET_MS);
      log.warn({ chain: chain.name, error: detail }, "a price was not told, values are unknown for a moment");
    }
    return new AwayError(`the node of ${chain.name} did not answer${signal.aborted ? " in time" : ""}`);
  }

  async function readPrice(bases: readonly string[], at: ValueMoment, signal: AbortSignal): Promise<Price> {
    const chosen = chosenPaths(bases, { chain: at.chain, paths });
    const [first] = chosen;
    if (first === undefined) throw new FeedError(`no price feed for ${bases[0]}`);
    const readings = await Promise.allSettled(chosen.map((path) => readChain(path, at, signal)));
    const told = readings.flatMap((reading, index) =>
      reading.status === "fulfilled" ? [{ ...reading.value, path: chosen[index] as FeedPath }] : [],
    );
    const [best, second] = told;
    if (best === undefined) throw (readings[0] as PromiseRejectedResult).reason;
    if (second !== undefined && deviationBps(best.rate, second.rate) > SOURCES_DEVIATION_MAX_BPS)
      throw new FeedError(`the feeds for ${first.base} of ${nameOf(best.path)} and ${nameOf(second.path)} disagree`);
    const earlier = memory.agrees(first.base, at.time, best.rate);
    if (second === undefined && best.operators.length < 2) {
      if (!isInRange(feeds.ranges.get(first.base), best.rate))
        throw new FeedError(`the price of ${first.base} is far from what it ever was, and one node alone says so`);
      if (earlier === false)
        throw new FeedError(`the price of ${first.base} is far from those told within a day of it`);
    }
    memory.accept(first.base, at.time, best.rate);
    const compared = [
      ...(second === undefined ? [] : [`the feed of ${nameOf(second.path)}`]),
      ...(best.operators.length < 2 ? [] : [`the nodes of ${best.operators.join(" and ")}`]),
      ...(earlier === true ? ["earlier prices"] : []),
    ];
    return {
      base: first.base,
      rate: best.rate,
      updatedAt: best.updatedAt,
      source: describePath(best.path),
      comparedWith: compared.length === 0 ? null : compared.join(", "),
    };
  }

  const nameOf = ({ chain }: FeedPath) => byId.get(chain)?.name ?? chain;

  return {
    hasFeed: (bases) => bases.some((base) => paths(base).length > 0),
    async priceOf(bases, at, signal) {
      const key = `${at.chain} ${bases.join(" ")}`;
      const last = fresh.get(key);
      if (last !== undefined && at.time >= last.time && at.time - last.time <= FRESH_S) return last.price;
      try {
        const price = await readPrice(bases, at, signal);
        // The first of all could not be compared with anything: the next one may.
        if (price.comparedWith !== null) fresh.set(key, { time: at.time, price });
        return price;
      } catch (error) {
        if (error instanceof AwayError) return { why: error.message, passing: true };
        if (error instanceof FeedError) return { why: error.message };
        throw error;
      }
    },
  };
}

/** The node answered, with an error of its own. */
function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.details["rpcCode"] !== undefined;
}

function isTimeout(reason: unknown): boolean {
  return (reason as { name?: unknown } | undefined)?.name === "TimeoutError";
}

/** Whoever does not look at its signal must not hold up a block either. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
