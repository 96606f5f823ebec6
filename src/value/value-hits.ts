/** Hits -> hits with their value in USD, or with the reason why nobody can say. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { RIGHTS } from "../types/chain.ts";
import type { Hit } from "../types/hit.ts";
import type { Log } from "../types/log.ts";
import type { TokenList } from "../types/tokens.ts";
import type { HitValue } from "../types/value.ts";
import type { Valuer } from "../types/valuer.ts";
import type { Price, PriceBook } from "./price-book.ts";
import { type PricedAs, pricedAs } from "./priced-as.ts";
import { centsOf, deviationBps, type Rate, rateText } from "./round.ts";

export interface ValuerOptions {
  readonly book: PriceBook;
  readonly tokens: () => TokenList;
  /** What is not known by then is unknown. */
  readonly timeoutMs: number;
  readonly log: Log;
}

const ONE_USD: Rate = { value: 1n, decimals: 0 };
// Chainlink's stable coin feeds move by a quarter to a whole percent.
const OFF_PEG_BPS = 100;
// Around its peg a stable coin needs no other witness.
const NEAR_PEG_BPS = 500;

export function createValuer({ book, tokens, timeoutMs, log }: ValuerOptions): Valuer {
  return {
    async valueHits(hits, at, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const prices = new Map<string, ReturnType<PriceBook["priceOf"]>>();
      const priceOf: AskPrice = (bases) => {
        const key = bases.join(" ");
        const asked = prices.get(key) ?? book.priceOf(bases, at, limit);
        prices.set(key, asked);
        return asked;
      };
      try {
        return await Promise.all(hits.map(async (hit) => ({ ...hit, value: await valueOf(hit, priceOf) })));
      } catch (error) {
        // A bug of ours costs the values of these hits; the hits are told all the same.
        log.error({ error: redactText(describeError(error)) }, "values not worked out");
        return hits.map((hit) => ({ ...hit, value: unknown("values could not be worked out") }));
      }
    },
  };

  async function valueOf({ asset, transfer }: Hit, priceOf: AskPrice): Promise<HitValue> {
    if (RIGHTS.includes(transfer.category)) return unknown("a right over value, no value that moved");
    if (transfer.amount === 0n) return unknown("no value moved");
    if (!asset.listed || asset.symbol === null) return unknown("a token outside the token list");
    if (asset.decimals === null) return unknown(`the decimals of ${asset.symbol} are not known`);
    const as = pricedAs(asset.symbol, tokens().kindOf?.(asset.id) ?? null);
    if (as === null) return unknown(`no price feed for ${asset.symbol}`);
    if (as.assumedUsd !== null && !book.hasFeed(as.bases)) return assumed(transfer.amount, asset.decimals);
    const price = await priceOf(as.bases);
    if ("why" in price) return { usdCents: null, ...price };
    const isNearPeg = as.pegUsd !== null && deviationBps(price.rate, ONE_USD) <= NEAR_PEG_BPS;
    return {
      usdCents: centsOf(transfer.amount, asset.decimals, price.rate),
      usdPerUnit: rateText(price.rate),
      source: price.source,
      updatedAt: price.updatedAt,
      comparedWith: price.comparedWith ?? (isNearPeg ? "its peg" : null),
      note: noteOf(as, asset.symbol, price),
    };
  }
}

/** Once for all hits of a block. */
type AskPrice = (bases: readonly string[]) => ReturnType<PriceBook["priceOf"]>;

function unknown(why: string): HitValue {
  return { usdCents: null, why };
}

function assumed(amount: bigint, decimals: number): HitValue {
  return {
    usdCents: centsOf(amount, decimals, ONE_USD),
    usdPerUnit: "1",
    source: "assumed",
    updatedAt: null,
    comparedWith: "its peg",
    note: "a stable coin without a feed on a followed chain: counted as 1 USD",
  };
}

function noteOf({ pegUsd }: PricedAs, symbol: string, { rate, base }: Price): string | null {
  if (pegUsd !== null && deviationBps(rate, ONE_USD) > OFF_PEG_BPS)
    return `${symbol} stood at ${rateText(rate)} USD, off its peg`;
  return base === symbol.toUpperCase() ? null : `priced as ${base}`;
}
