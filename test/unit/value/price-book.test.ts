/** Each way a node may lie about a price, or not answer: what it says is never taken on trust, and nobody waits for it. */
import { describe, expect, test } from "@jest/globals";
import type { ContractCaller } from "../../../src/types/nodes.ts";
import type { PriceFeed, PriceRange } from "../../../src/types/price-feeds.ts";
import { createPriceBook, type PricedChain } from "../../../src/value/price-book.ts";
import {
  BITCOIN,
  CHAIN,
  type FakeRound,
  fakeNode,
  feed,
  NEVER,
  OTHER,
  PHASE,
  refusal,
  roundHex,
  silentNode,
  T,
} from "./feeds.ts";

const AT = { chain: CHAIN, time: T, blockHash: "0xb10c" };
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const round = (usd: number, over: Partial<FakeRound> = {}): FakeRound => ({
  id: PHASE + 7n,
  answer: BigInt(Math.round(usd * 1e8)),
  updatedAt: T - 60,
  ...over,
});
const nodeAt = (usd: number, over: Partial<FakeRound> = {}, who = {}) =>
  fakeNode({ "0xfeed": { rounds: [round(usd, over)] } }, who);
const chain = (id: string, callers: readonly ContractCaller[]): PricedChain => ({
  id,
  name: id === CHAIN ? "ethereum" : id === OTHER ? "arbitrum" : "bitcoin",
  callers: () => callers,
});

function book(
  chains: readonly PricedChain[],
  {
    feeds = [feed(), feed({ chain: OTHER })],
    sequencers = new Map<string, string>(),
    ranges = new Map<string, PriceRange>(),
    now = () => T * 1_000,
  }: {
    feeds?: readonly PriceFeed[];
    sequencers?: ReadonlyMap<string, string>;
    ranges?: ReadonlyMap<string, PriceRange>;
    now?: () => number;
  } = {},
) {
  return createPriceBook({ chains, feeds: { feeds, sequencers, ranges }, maxAgeS: 25 * 3_600, now, log });
}
const priceOf = (of: ReturnType<typeof book>, at = AT, signal = NEVER) => of.priceOf(["ETH"], at, signal);

describe("one node of one chain", () => {
  test("tells a price that was compared with nothing; the next one was, with it", async () => {
    const prices = book([chain(CHAIN, [nodeAt(3_000)])]);
    expect(await priceOf(prices)).toEqual({
      base: "ETH",
      rate: { value: 3_000n * 10n ** 8n, decimals: 8 },
      updatedAt: T - 60,
      source: "chainlink:eip155:1:0xfeed",
      comparedWith: null,
    });
    expect(await priceOf(prices, { ...AT, time: T + 600 })).toMatchObject({ comparedWith: "earlier prices" });
  });

  test.each([
    ["a third", 1_000, true],
    ["a tenth more", 3_300, false],
    ["nothing at all", 0.000_001, true],
    ["ten times as much", 30_000, true],
  ])("whose next price is %s of the one before (%d USD): refused is %s", async (_what, next, refused) => {
    let usd = 3_000;
    const node = { ...nodeAt(0), call: () => Promise.resolve(roundHex(round(usd, { updatedAt: T - 60 }))) };
    const prices = book([chain(CHAIN, [node])]);
    await priceOf(prices);
    usd = next;
    const second = await priceOf(prices, { ...AT, time: T + 60 });
    if (refused) expect(second).toEqual({ why: "the price of ETH is far from those told within a day of it" });
    else expect(second).toMatchObject({ comparedWith: "earlier prices" });
  });

  test("who lies from the start is not believed, by its first price nor by those that agree with it", async () => {
    const ranges = new Map([["ETH", { fromUsd: 200, toUsd: 40_000 }]]);
    const why = "the price of ETH is far from what it ever was, and one node alone says so";
    for (const usd of [0.01, 199.99, 40_000.01]) {
      const prices = book([chain(CHAIN, [nodeAt(usd)])], { ranges });
      for (const later of [0, 600, 1_200]) expect(await priceOf(prices, { ...AT, time: T + later })).toEqual({ why });
    }
    for (const usd of [200, 40_000])
      expect(await priceOf(book([chain(CHAIN, [nodeAt(usd)])], { ranges }))).toMatchObject({ comparedWith: null });
    // Two sources that agree know more than a file of last year.
    const both = [chain(CHAIN, [nodeAt(50_000)]), chain(OTHER, [nodeAt(50_000)])];
    expect(await priceOf(book(both, { ranges }))).toMatchObject({ comparedWith: "the feed of arbitrum" });
    const operators = [nodeAt(50_000, {}, { operator: "a" }), nodeAt(50_000, {}, { operator: "b" })];
    expect(await priceOf(book([chain(CHAIN, operators)], { ranges }))).toMatchObject({
      comparedWith: "the nodes of a and b",
    });
  });

  test("no liar walks to another price in small steps within a day", async () => {
    let usd = 3_000;
    let time = T;
    const node = { ...nodeAt(0), call: () => Promise.resolve(roundHex(round(usd, { updatedAt: time - 1 }))) };
    const prices = book([chain(CHAIN, [node])]);
    for (; time < T + 20 * 3_600; time += 1_200) {
      const price = await priceOf(prices, { ...AT, time });
      if ("why" in price) break;
      usd *= 0.97;
    }
    expect(usd).toBeGreaterThan(2_000);
    expect(time).toBeLessThan(T + 20 * 3_600);
  });

  test("a day later another price is believed again", async () => {
    let usd = 3_000;
    let time = T;
    const node = { ...nodeAt(0), call: () => Promise.resolve(roundHex(round(usd, { updatedAt: time - 1 }))) };
    const prices = book([chain(CHAIN, [node])]);
    await priceOf(prices);
    usd = 1_000;
    time = T + 26 * 3_600;
    expect(await priceOf(prices, { ...AT, time })).toMatchObject({ comparedWith: null });
  });
});

describe("what a node may say instead of a price", () => {
  test.each([
    ["below zero", { answer: -5n }, "ethereum: ETH/USD: its answer is not above zero"],
    ["zero", { answer: 0n }, "ethereum: ETH/USD: its answer is not above zero"],
    ["of tomorrow", { updatedAt: T + 1 }, "ethereum: ETH/USD: its answer is newer than the block"],
    ["of last week", { updatedAt: T - 604_800 }, "ethereum: ETH/USD: stale: last updated 168 hours before"],
    ["not complete", { updatedAt: 0 }, "ethereum: ETH/USD: its round is not complete"],
    ["beyond all measure", { answer: 2n ** 250n }, "ethereum: ETH/USD: its answer is out of all proportion"],
  ])("%s", async (_what, over, why) => {
    expect(await priceOf(book([chain(CHAIN, [nodeAt(1, over)])]))).toEqual({ why });
  });

  test.each([
    ["nothing", "0x", "ethereum: there is no such feed on the chain"],
    ["something short", "0x12", "ethereum: the feed's answer has another shape than a feed's"],
  ])("%s", async (_what, atBlock, why) => {
    const node = fakeNode({ "0xfeed": { rounds: [], atBlock } });
    expect(await priceOf(book([chain(CHAIN, [node])]))).toEqual({ why });
  });
});

describe("two voices", () => {
  const operators = (a: ContractCaller, b: ContractCaller) => book([chain(CHAIN, [a, b])]);
  const twin = { node: "own-b", operator: "second" };

  test("that tell the same need no earlier price", async () => {
    expect(await priceOf(operators(nodeAt(3_000), nodeAt(3_000, {}, twin)))).toMatchObject({
      comparedWith: "the nodes of self and second",
    });
  });

  test("of one chain that differ give none", async () => {
    const why = "own nodes of ethereum tell different prices";
    expect(await priceOf(operators(nodeAt(3_000), nodeAt(3, {}, twin)))).toEqual({ why });
    expect(await priceOf(operators(nodeAt(3), nodeAt(3_000, {}, twin)))).toEqual({ why });
  });

  test("of two chains that differ give none, that agree are each other's witness", async () => {
    const of = (usd: number) => book([chain(CHAIN, [nodeAt(3_000)]), chain(OTHER, [nodeAt(usd)])]);
    expect(await priceOf(of(3_100))).toMatchObject({
      comparedWith: "the feed of arbitrum",
      source: "chainlink:eip155:1:0xfeed",
    });
    expect(await priceOf(of(30))).toEqual({ why: "the feeds for ETH of ethereum and arbitrum disagree" });
  });

  test("one stands in for the other", async () => {
    const prices = book([chain(CHAIN, [nodeAt(1, { answer: 0n })]), chain(OTHER, [nodeAt(3_000)])]);
    expect(await priceOf(prices)).toMatchObject({ source: "chainlink:eip155:42161:0xfeed", comparedWith: null });
  });

  test("a crash that both see is believed, however deep", async () => {
    let usd = 3_000;
    const node = (id: string) =>
      chain(id, [{ ...nodeAt(0), call: () => Promise.resolve(roundHex(round(usd, { updatedAt: T - 60 }))) }]);
    const prices = book([node(CHAIN), node(OTHER)]);
    await priceOf(prices);
    usd = 900;
    expect(await priceOf(prices, { ...AT, time: T + 60 })).toMatchObject({ comparedWith: "the feed of arbitrum" });
  });
});

describe("a chain without contracts", () => {
  const btc = feed({ base: "BTC" });
  const at = { chain: BITCOIN, time: T - 3_600 - 5, blockHash: "0xb1" };

  test("is priced by another chain's feed, by the round that was the newest then", async () => {
    const rounds = [1, 2, 3].map((nth) =>
      round(60_000 + nth, { id: PHASE + BigInt(nth), updatedAt: T - (4 - nth) * 3_600 }),
    );
    const node = fakeNode({ "0xfeed": { rounds } });
    const prices = book([chain(BITCOIN, []), chain(CHAIN, [node])], { feeds: [btc] });
    expect(await prices.priceOf(["BTC"], at, NEVER)).toMatchObject({
      updatedAt: T - 2 * 3_600,
      rate: { value: 6_000_200_000_000n },
    });
    expect(node.calls.every((call) => call.at === "latest")).toBe(true);
  });

  test("and without any such chain its value is unknown", async () => {
    const prices = book([chain(BITCOIN, [])], { feeds: [btc] });
    expect(await prices.priceOf(["BTC"], at, NEVER)).toEqual({ why: "no price feed for BTC" });
    expect(prices.hasFeed(["BTC"])).toBe(false);
  });
});

test("a feed that quotes another coin is multiplied by that coin's own", async () => {
  const feeds = [feed(), feed({ base: "RETH", quote: "ETH", proxy: "0xe", decimals: 18 })];
  const node = fakeNode({
    "0xfeed": { rounds: [round(3_000)] },
    "0xe": { rounds: [round(0, { answer: 11n * 10n ** 17n, updatedAt: T - 7_200 })] },
  });
  const price = await book([chain(CHAIN, [node])], { feeds }).priceOf(["RETH"], AT, NEVER);
  expect(price).toMatchObject({ updatedAt: T - 7_200, source: "chainlink:eip155:1:0xe x 0xfeed" });
  expect("rate" in price && price.rate).toEqual({ value: 11n * 10n ** 17n * 3_000n * 10n ** 8n, decimals: 26 });
});

describe("a rollup's sequencer", () => {
  const sequencers = new Map([[CHAIN, "0x5e9"]]);
  const withStatus = (answer: bigint, startedAt: number) =>
    book(
      [
        chain(CHAIN, [
          fakeNode({
            "0xfeed": { rounds: [round(3_000)] },
            "0x5e9": { rounds: [round(0, { answer, startedAt, updatedAt: T })] },
          }),
        ]),
      ],
      { sequencers },
    );

  test.each([
    ["up for long", 0n, T - 3_600, null],
    ["down", 1n, T - 3_600, "ethereum: the sequencer was down"],
    ["just back", 0n, T - 3_599, "ethereum: the sequencer was back for less than an hour"],
  ])("%s", async (_what, answer, startedAt, why) => {
    const price = await priceOf(withStatus(answer, startedAt));
    if (why === null) expect(price).toMatchObject({ base: "ETH" });
    else expect(price).toEqual({ why });
  });
});

describe("a node that does not answer", () => {
  test("costs its limit once, and is left alone for half a minute", async () => {
    let clock = T * 1_000;
    const node = silentNode();
    const prices = book([chain(CHAIN, [node])], { now: () => clock });
    expect(await priceOf(prices, AT, AbortSignal.timeout(20))).toEqual({
      why: "the node of ethereum did not answer in time",
      passing: true,
    });
    const asked = node.calls.length;
    expect(await priceOf(prices)).toEqual({ why: "the node of ethereum did not answer a moment ago", passing: true });
    expect(node.calls).toHaveLength(asked);
    clock += 30_000;
    await priceOf(prices, AT, AbortSignal.timeout(20));
    expect(node.calls.length).toBeGreaterThan(asked);
  });

  test("because its caller stops is not blamed", async () => {
    const prices = book([chain(CHAIN, [silentNode()])]);
    const stop = new AbortController();
    const asked = priceOf(prices, AT, stop.signal);
    stop.abort();
    await asked;
    expect(await priceOf(prices, AT, AbortSignal.timeout(20))).toEqual({
      why: "the node of ethereum did not answer in time",
      passing: true,
    });
  });

  test("to one feed only still answers for the others", async () => {
    const node = nodeAt(3_000);
    const refuse = () => Promise.reject(refusal("execution reverted"));
    const dead: ContractCaller = {
      ...node,
      call: (of, signal) => (of.to === "0xdead" ? refuse() : node.call(of, signal)),
    };
    const prices = book([chain(CHAIN, [dead])], { feeds: [feed(), feed({ base: "BUSD", proxy: "0xdead" })] });
    expect(await prices.priceOf(["BUSD"], AT, NEVER)).toEqual({
      why: "ethereum: the node or the feed refused the question",
    });
    expect(await priceOf(prices)).toMatchObject({ base: "ETH" });
  });

  test("is not asked again within fifteen seconds of chain time once it has", async () => {
    const node = nodeAt(3_000);
    const prices = book([chain(CHAIN, [node, nodeAt(3_000, {}, { node: "b", operator: "b" })])]);
    await priceOf(prices);
    const asked = node.calls.length;
    await priceOf(prices, { ...AT, time: T + 15 });
    expect(node.calls).toHaveLength(asked);
    await priceOf(prices, { ...AT, time: T - 1 });
    expect(node.calls.length).toBeGreaterThan(asked);
  });
});
