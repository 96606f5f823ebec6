/** Hits -> hits with a value or a reason. A price must never cost a hit. */
import { describe, expect, test } from "@jest/globals";
import type { Asset } from "../../../src/types/chain.ts";
import type { TokenKind } from "../../../src/types/tokens.ts";
import type { Price, PriceBook } from "../../../src/value/price-book.ts";
import { pricedAs } from "../../../src/value/priced-as.ts";
import { createValuer } from "../../../src/value/value-hits.ts";
import { ETH, type HitOver, hit, SPAM } from "../alerts/make.ts";
import { CHAIN, NEVER, T } from "./feeds.ts";

const AT = { chain: CHAIN, time: T, blockHash: "0xb10c" };
const errors: unknown[] = [];
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (facts: unknown) => void errors.push(facts),
};

/** Prices in USD cents by base; everything else has no feed. */
function valuer(
  usd: Readonly<Record<string, number>>,
  {
    kinds = {},
    comparedWith = "earlier prices",
    book = {},
    timeoutMs = 1_000,
  }: {
    kinds?: Readonly<Record<string, TokenKind>>;
    comparedWith?: string | null;
    book?: Partial<PriceBook>;
    timeoutMs?: number;
  } = {},
) {
  const asked: string[] = [];
  const prices: PriceBook = {
    hasFeed: (bases) => bases.some((base) => base in usd),
    priceOf(bases) {
      asked.push(bases.join(" "));
      const base = bases.find((one) => one in usd);
      if (base === undefined) return Promise.resolve({ why: `no price feed for ${bases[0]}` });
      const rate = { value: BigInt(Math.round((usd[base] ?? 0) * 100)), decimals: 2 };
      const price: Price = { base, rate, updatedAt: T - 9, source: "chainlink:x", comparedWith };
      return Promise.resolve(price);
    },
    ...book,
  };
  const assetOf = () => ETH;
  const tokens = () => ({ assetOf, kindOf: (id: string) => kinds[id] ?? null });
  return { asked, ...createValuer({ book: prices, tokens, timeoutMs, log }) };
}

const token = (symbol: string, decimals: number | null = 6): Asset => ({
  id: `${CHAIN}/erc20:${symbol}`,
  symbol,
  decimals,
  listed: true,
  dustBelow: 1n,
});

async function valueOf(over: HitOver, of: ReturnType<typeof valuer>) {
  const [valued] = await of.valueHits([hit(over)], AT, NEVER);
  return valued?.value;
}

test("5 ETH at 3,000.12 USD", async () => {
  expect(await valueOf({}, valuer({ ETH: 3_000.12 }))).toEqual({
    usdCents: 1_500_060n,
    usdPerUnit: "3000.12",
    source: "chainlink:x",
    updatedAt: T - 9,
    comparedWith: "earlier prices",
    note: null,
  });
});

test("a base is asked for once, however many hits a block has", async () => {
  const values = valuer({ ETH: 3_000 });
  const hits = Array.from({ length: 500 }, (_, index) => hit({ key: `call:${index}` }));
  const valued = await values.valueHits(hits, AT, NEVER);
  expect(values.asked).toEqual(["ETH"]);
  expect(valued.map(({ hitId }) => hitId)).toEqual(hits.map(({ hitId }) => hitId));
});

describe("without asking anybody, the value is unknown", () => {
  test.each([
    ["of a stranger's token", { asset: SPAM }, "a token outside the token list"],
    ["of nothing", { amount: 0n }, "no value moved"],
    ["of a token of unknown decimals", { asset: token("X", null) }, "the decimals of X are not known"],
  ])("%s", async (_what, over, why) => {
    const values = valuer({ ETH: 1, X: 1 });
    expect(await valueOf(over, values)).toEqual({ usdCents: null, why });
    expect(values.asked).toEqual([]);
  });

  test.each(["approval", "delegation", "creation"] as const)("of a right: %s", async (category) => {
    const right = hit();
    const values = valuer({ ETH: 3_000 });
    const [valued] = await values.valueHits([{ ...right, transfer: { ...right.transfer, category } }], AT, NEVER);
    expect(valued?.value).toEqual({ usdCents: null, why: "a right over value, no value that moved" });
  });
});

describe("stable coins", () => {
  const kinds = { [token("USDT").id]: "stablecoin", [token("GUSD").id]: "stablecoin" } as const;
  const dollars = (asset: Asset) => ({ asset, amount: 1_000_000_000n });

  test("have the price of their feed, and one off its peg is told", async () => {
    expect(await valueOf(dollars(token("USDT")), valuer({ USDT: 0.88 }, { kinds }))).toMatchObject({
      usdCents: 88_000n,
      note: "USDT stood at 0.88 USD, off its peg",
    });
    expect(await valueOf(dollars(token("USDT")), valuer({ USDT: 0.995 }, { kinds }))).toMatchObject({ note: null });
  });

  test("need no other witness near their peg, and one far from it", async () => {
    const of = (usd: number) => valuer({ USDT: usd }, { kinds, comparedWith: null });
    expect(await valueOf(dollars(token("USDT")), of(0.96))).toMatchObject({ comparedWith: "its peg" });
    expect(await valueOf(dollars(token("USDT")), of(0.5))).toMatchObject({ comparedWith: null });
  });

  test("without a feed count as 1 USD, and say so; with one that does not answer their value is unknown", async () => {
    expect(await valueOf(dollars(token("GUSD")), valuer({}, { kinds }))).toEqual({
      usdCents: 100_000n,
      usdPerUnit: "1",
      source: "assumed",
      updatedAt: null,
      comparedWith: "its peg",
      note: "a stable coin without a feed on a followed chain: counted as 1 USD",
    });
    const why = "the node of ethereum did not answer";
    const silent = valuer({ GUSD: 1 }, { kinds, book: { priceOf: () => Promise.resolve({ why }) } });
    expect(await valueOf(dollars(token("GUSD")), silent)).toEqual({ usdCents: null, why });
  });
});

describe("what an asset is priced as", () => {
  test.each([
    ["ETH", null, ["ETH"], null],
    ["BTC", null, ["BTC"], null],
    ["POL", null, ["POL", "MATIC"], null],
    ["WETH", "wrapped_native", ["ETH"], null],
    ["WMATIC", "wrapped_native", ["MATIC", "POL"], null],
    ["cbBTC", "btc", ["CBBTC", "BTC"], null],
    ["stETH", "liquid_staking", ["STETH"], null],
    ["LINK", "token", ["LINK"], null],
    ["USDC", "stablecoin", ["USDC"], 1],
    ["USDC.e", "stablecoin", ["USDC"], 1],
    ["USDbC", "stablecoin", ["USDC"], 1],
    ["EURC", "stablecoin", ["EURC", "EUR"], null],
    ["jEUR", "stablecoin", ["JEUR", "EUR"], null],
    ["sDAI", "stablecoin", ["SDAI"], null],
  ] as const)("%s, %s", (symbol, kind, bases, assumedUsd) => {
    expect(pricedAs(symbol, kind)).toMatchObject({ bases, assumedUsd });
  });

  test("a wrapped coin is said to be priced as the coin, a liquid staking token never is", async () => {
    const weth = token("WETH", 18);
    const steth = token("stETH", 18);
    const kinds = { [weth.id]: "wrapped_native", [steth.id]: "liquid_staking" } as const;
    expect(await valueOf({ asset: weth }, valuer({ ETH: 3_000 }, { kinds }))).toMatchObject({ note: "priced as ETH" });
    expect(await valueOf({ asset: steth }, valuer({ ETH: 3_000 }, { kinds }))).toEqual({
      usdCents: null,
      why: "no price feed for STETH",
    });
  });
});

describe("a price never costs a hit", () => {
  test("a book that throws", async () => {
    const broken = valuer({ ETH: 1 }, { book: { priceOf: () => Promise.reject(new TypeError("a bug")) } });
    expect(await valueOf({}, broken)).toEqual({ usdCents: null, why: "values could not be worked out" });
    expect(errors).toHaveLength(1);
  });

  test("a book gets the limit as its signal", async () => {
    const signals: AbortSignal[] = [];
    const slow = valuer(
      { ETH: 1 },
      {
        timeoutMs: 30,
        book: {
          priceOf: (_bases, _at, signal) => {
            signals.push(signal);
            return new Promise((resolve) => {
              signal.addEventListener("abort", () => resolve({ why: "too late" }), { once: true });
            });
          },
        },
      },
    );
    expect(await valueOf({}, slow)).toEqual({ usdCents: null, why: "too late" });
    expect(signals[0]?.aborted).toBe(true);
  });
});
