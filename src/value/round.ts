/**
 * What a Chainlink proxy answers, and whether it can be believed. Pure.
 * Source of the calls: AggregatorV3Interface of smartcontractkit/chainlink; the selectors are held by test/unit/value/.
 */
import { AppError } from "../lib/errors.ts";
import type { PriceRange } from "../types/price-feeds.ts";

export const LATEST_ROUND_DATA = "0xfeaf968c";
export const DECIMALS = "0x313ce567";
const GET_ROUND_DATA = "0x9a6fc8f5";

/** A feed that answers, and whose answer cannot be used: the message says why. */
export class FeedError extends AppError {
  override readonly code: string = "feed";
}

/** Nobody answered: another time somebody may. */
export class AwayError extends FeedError {
  override readonly code = "feed_away";
}

export interface Round {
  /** Phase of the proxy (above bit 64) and round of its aggregator. */
  readonly id: bigint;
  readonly answer: bigint;
  /** Unix seconds. */
  readonly startedAt: number;
  /** Unix seconds; 0: not complete. */
  readonly updatedAt: number;
  readonly answeredIn: bigint;
}

export function roundDataCall(id: bigint): string {
  return GET_ROUND_DATA + id.toString(16).padStart(64, "0");
}

const WORD = 64;
const ROUND_WORDS = 5;
const DECIMALS_MAX = 36;
const INT256_SIGN = 1n << 255n;
const ROUND_ID_MAX = (1n << 80n) - 1n;

/** Throws FeedError on anything but five words: a contract that is no feed answers something else, or nothing. */
export function decodeRound(hex: string): Round {
  const words = wordsOf(hex, ROUND_WORDS);
  const [id, answer, startedAt, updatedAt, answeredIn] = words as [bigint, bigint, bigint, bigint, bigint];
  if (id > ROUND_ID_MAX || answeredIn > ROUND_ID_MAX) throw new FeedError("the feed's round number is out of range");
  return {
    id,
    answer: answer >= INT256_SIGN ? answer - (INT256_SIGN << 1n) : answer,
    startedAt: secondsOf(startedAt),
    updatedAt: secondsOf(updatedAt),
    answeredIn,
  };
}

export function decodeDecimals(hex: string): number {
  const [decimals = 0n] = wordsOf(hex, 1);
  if (decimals > BigInt(DECIMALS_MAX)) throw new FeedError("the feed's decimals are out of range");
  return Number(decimals);
}

function wordsOf(hex: string, count: number): bigint[] {
  if (hex === "0x") throw new FeedError("there is no such feed on the chain");
  if (hex.length !== 2 + count * WORD) throw new FeedError("the feed's answer has another shape than a feed's");
  return Array.from({ length: count }, (_, index) =>
    BigInt(`0x${hex.slice(2 + index * WORD, 2 + (index + 1) * WORD)}`),
  );
}

function secondsOf(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FeedError("the feed's time is out of range");
  return Number(value);
}

/** Why a round that was the newest at `time` is no price; null: it is one. */
export function troubleOf(round: Round, { time, maxAgeS }: { time: number; maxAgeS: number }): string | null {
  if (round.updatedAt === 0 || round.answeredIn < round.id) return "its round is not complete";
  if (round.answer <= 0n) return "its answer is not above zero";
  if (round.updatedAt > time) return "its answer is newer than the block";
  if (time - round.updatedAt > maxAgeS)
    return `stale: last updated ${Math.floor((time - round.updatedAt) / 3_600)} hours before`;
  return null;
}

/** A number of USD (or of another quote) for one unit: `value / 10^decimals`. */
export interface Rate {
  readonly value: bigint;
  readonly decimals: number;
}

// 1 and a hundred million USD for one unit: far from any asset that is listed.
const RATE_MAX = 100_000_000n;

export function isPlausible({ value, decimals }: Rate): boolean {
  return value > 0n && value <= RATE_MAX * 10n ** BigInt(decimals);
}

export function times(a: Rate, b: Rate): Rate {
  return { value: a.value * b.value, decimals: a.decimals + b.decimals };
}

/** By how much the larger is above the smaller, in basis points of the smaller; both above zero. */
export function deviationBps(a: Rate, b: Rate): number {
  const left = a.value * 10n ** BigInt(b.decimals);
  const right = b.value * 10n ** BigInt(a.decimals);
  const [low, high] = left < right ? [left, right] : [right, left];
  const bps = ((high - low) * 10_000n) / low;
  return bps > 1_000_000n ? 1_000_000 : Number(bps);
}

/** Whole cents, rounded down, for an amount in base units of an asset with these decimals. */
export function centsOf(amount: bigint, decimals: number, rate: Rate): bigint {
  return (amount * rate.value * 100n) / 10n ** BigInt(decimals + rate.decimals);
}

/** With at most 18 digits after the point, rounded down, without zeros at the end. */
export function rateText({ value, decimals }: Rate): string {
  const digits = Math.min(decimals, 18);
  const scaled = value / 10n ** BigInt(decimals - digits);
  const text = scaled.toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = text.slice(text.length - digits).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** True where nothing is known of the base. */
export function isInRange(range: PriceRange | undefined, { value, decimals }: Rate): boolean {
  const usd = Number(value) / 10 ** decimals;
  return range === undefined || (usd >= range.fromUsd && usd <= range.toUsd);
}
