import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { makePriceFeeds } from "../../../scripts/make-price-feeds.ts";
import { loadPriceFeeds } from "../../../src/watchlist/price-feeds.ts";
import { A1, B2, inFolder, normalizeAddress, ROOT } from "./helpers.ts";

const loadText = (text: string) =>
  inFolder({ "feeds.yaml": text }, (folder) => loadPriceFeeds(path.join(folder, "feeds.yaml"), normalizeAddress));
const fileOf = (...rows: readonly string[]) =>
  `format: heistwatch-price-feeds/1\nversion: "2026-11-22.1"\nfeeds:\n${rows.map((row) => `  - { ${row} }\n`).join("")}`;
const row = (over = "") => `chain: eip155:1, base: "ETH", quote: "USD", proxy: "${A1}", decimals: 8${over}`;

describe("the shipped price feeds", () => {
  test("are 247, without a problem, each pair once", async () => {
    const { feeds, problems } = await loadPriceFeeds(path.join(ROOT, "config/price-feeds.yaml"), normalizeAddress);
    expect(problems).toEqual([]);
    expect(feeds.feeds).toHaveLength(247);
    expect(feeds.feeds).toContainEqual({
      chain: "eip155:1",
      base: "ETH",
      quote: "USD",
      proxy: "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419",
      decimals: 8,
    });
    expect(feeds.sequencers.get("eip155:42161")).toBe("0xFdB631F5EE196F0ed6FAa767959853A9F217697D");
  });

  test("say of each chain in config/chains what its coin is worth", async () => {
    const { feeds } = await loadPriceFeeds(path.join(ROOT, "config/price-feeds.yaml"), normalizeAddress);
    const has = (chain: string, base: string) =>
      feeds.feeds.some((feed) => feed.chain === chain && feed.base === base && feed.quote === "USD");
    for (const [chain, base] of [
      ["1", "ETH"],
      ["1", "BTC"],
      ["42161", "ETH"],
      ["8453", "ETH"],
      ["56", "BNB"],
      ["137", "MATIC"],
    ])
      expect([chain, base, has(`eip155:${chain}`, base as string)]).toEqual([chain, base, true]);
  });
});

describe("a file of price feeds", () => {
  test("keeps decimals that nobody knows as null", async () => {
    const { feeds, problems } = await loadText(fileOf(row().replace(", decimals: 8", "")));
    expect(problems).toEqual([]);
    expect(feeds.feeds[0]?.decimals).toBeNull();
  });

  test.each([
    ["an address with a typo", row().replace(A1, `${A1.slice(0, -1)}0`), "proxy"],
    ["a quote that leads nowhere", row().replace('"USD"', '"EUR"'), "quote"],
    ["a base that is no symbol", row().replace('"ETH"', '"eth usd"'), "base"],
    ["decimals beyond all use", row().replace("decimals: 8", "decimals: 99"), "decimals"],
    ["an unknown key", row(", heartbeat: 3600"), "heartbeat"],
  ])("is refused for %s", async (_what, text, field) => {
    const { feeds, problems } = await loadText(fileOf(text));
    expect(feeds.feeds).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.field).toContain(field);
  });

  test("is refused for two feeds of one pair: which is asked would be chance", async () => {
    const { problems } = await loadText(fileOf(row(), row().replace(A1, B2)));
    expect(problems.map(({ found }) => found)).toEqual(["eip155:1 ETH/USD a second time"]);
  });

  test("that is not there is a problem", async () => {
    const { problems } = await loadPriceFeeds("/nonexistent/feeds.yaml", normalizeAddress);
    expect(problems).toHaveLength(1);
  });
});

test("the script writes what the loader reads", async () => {
  const feed = {
    chain: "eip155:1",
    base: "ETH",
    quote: "USD",
    kind: "chainlink_price_feed",
    proxy: A1,
    decimals: null,
    sources: ["a:b"],
  };
  const uptime = { ...feed, base: null, quote: null, kind: "chainlink_l2_sequencer_uptime", proxy: B2 };
  const { feeds, problems } = await loadText(makePriceFeeds([uptime, feed]));
  expect(problems).toEqual([]);
  expect(feeds).toEqual({
    feeds: [{ chain: "eip155:1", base: "ETH", quote: "USD", proxy: A1, decimals: null }],
    sequencers: new Map([["eip155:1", B2]]),
    ranges: expect.any(Map),
  });
  // The shipped ones: what would cost a stable coin its value, or a coin, is seen.
  expect([feeds.ranges.get("USDC"), feeds.ranges.get("ETH")]).toEqual([
    { fromUsd: 0.5, toUsd: 1.5 },
    { fromUsd: 200, toUsd: 40_000 },
  ]);
});

test.each([
  ["downward", "{ bases: [ETH], fromUsd: 3, toUsd: 2 }"],
  ["twice", "{ bases: [ETH, ETH], fromUsd: 2, toUsd: 3 }"],
  ["from nothing", "{ bases: [ETH], fromUsd: 0, toUsd: 2 }"],
  ["in words", "{ bases: [ETH], fromUsd: cheap, toUsd: 2 }"],
])("a range %s is a problem with its line", async (_what, range) => {
  const text = [
    "format: heistwatch-price-feeds/1",
    'version: "2026-11-22.1"',
    "feeds: []",
    "ranges:",
    `  - ${range}`,
  ].join("\n");
  const { problems } = await loadText(text);
  expect(problems.map(({ line, field }) => [line, field.startsWith("ranges[0]")])).toEqual([[5, true]]);
});
