import { describe, expect, test } from "@jest/globals";
import { bech32, bech32m } from "@scure/base";
import { BITCOIN, chainNamed, chainOf, coinOf, ETHEREUM, isWellFormed, TRON } from "../../../src/watchlist/coins.ts";
import { BTC, EVM, TRON as TRON_ADDRESS } from "../../conformance/watchlist-samples.ts";

const LITECOIN = "bip122:12a765e31ffd4059bada1e25190f6e98";
const SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";

describe("the chain of an address", () => {
  test.each([
    ["ETH", EVM, ETHEREUM, false],
    ["USDT", EVM, ETHEREUM, false],
    ["USDT", TRON_ADDRESS, TRON, false],
    ["ARB", EVM, "eip155:42161", false],
    ["BSC", EVM, "eip155:56", false],
    ["ETC", EVM, "eip155:61", false],
    ["XBT", BTC, BITCOIN, false],
    ["BCH", BTC, "ticker:BCH", false], // the same form, another chain
    ["XBT", EVM, ETHEREUM, true],
    ["XMR", EVM, ETHEREUM, true],
    ["NEW", BTC, BITCOIN, true],
    ["NEW", "newcoin1qqqqqqqqqqqqqqqqqqqqq", "ticker:NEW", true],
    ["XRP", "rPpQ1234567890123456789012", "ticker:XRP", false],
  ])("%s and %s: %s", (coin, address, chain, warns) => {
    const answer = chainOf(coin, address);
    expect(answer?.chain).toBe(chain);
    expect(answer?.warning !== null).toBe(warns);
  });

  test("without a coin the form decides, and what has no form is nobody's", () => {
    expect(
      [EVM, BTC, TRON_ADDRESS, "1nc1nerator11111111111111111111111111111111"].map((text) => chainOf(null, text)?.chain),
    ).toEqual([ETHEREUM, BITCOIN, TRON, SOLANA]);
    for (const text of ["", "0x12", "hello", "x".repeat(100_000)]) expect(chainOf(null, text)).toBeNull();
    for (const coin of ["USDT", "NEW", "XMR"]) expect(chainOf(coin, "0")).toBeNull();
  });

  test("chains are named by CAIP-2, number or word; coins and chains go there and back", () => {
    expect(["eip155:10", "10", "Ethereum", "btc", "moon"].map(chainNamed)).toEqual([
      "eip155:10",
      "eip155:10",
      ETHEREUM,
      BITCOIN,
      null,
    ]);
    for (const chain of [ETHEREUM, BITCOIN, TRON, LITECOIN, SOLANA, "eip155:42161"])
      expect(chainNamed(coinOf(chain))).toBe(chain);
    expect(coinOf("ticker:XMR")).toBe("XMR");
  });
});

describe("an address of a chain nobody reads yet", () => {
  const segwit = (coder: typeof bech32, version: number, length: number, prefix = "bc") =>
    coder.encode(prefix, [version, ...coder.toWords(new Uint8Array(length).fill(7))]);

  test.each([
    [segwit(bech32, 0, 20), true],
    [segwit(bech32, 0, 32), true],
    [segwit(bech32m, 1, 32), true],
    [segwit(bech32, 0, 20).toUpperCase(), true],
    [segwit(bech32m, 0, 20), false], // BIP 350: version 0 keeps the older checksum
    [segwit(bech32, 1, 32), false],
    [segwit(bech32, 0, 21), false],
    [segwit(bech32m, 17, 32), false],
    [segwit(bech32, 0, 20, "tb"), false],
    [BTC.toLowerCase(), false],
    [TRON_ADDRESS, false],
  ])("%s on Bitcoin: %s", (text, fits) => {
    expect(isWellFormed(BITCOIN, text)).toBe(fits);
  });

  test("Litecoin has its own prefix, and chains without a form are not judged", () => {
    expect(isWellFormed(LITECOIN, segwit(bech32, 0, 20, "ltc"))).toBe(true);
    expect(isWellFormed(LITECOIN, segwit(bech32, 0, 20))).toBe(false);
    expect(isWellFormed("ticker:XMR", "anything")).toBe(true);
  });
});
