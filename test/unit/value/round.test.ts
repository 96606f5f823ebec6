import { describe, expect, test } from "@jest/globals";
import { id } from "ethers";
import fc from "fast-check";
import {
  centsOf,
  DECIMALS,
  decodeDecimals,
  decodeRound,
  deviationBps,
  isPlausible,
  LATEST_ROUND_DATA,
  rateText,
  roundDataCall,
  troubleOf,
} from "../../../src/value/round.ts";
import { PHASE, roundHex, T, word } from "./feeds.ts";

const ROUND = { id: PHASE + 7n, answer: 3_000n * 10n ** 8n, updatedAt: T - 60 };
const CHECK = { time: T, maxAgeS: 25 * 3_600 };

test("the selectors are those of AggregatorV3Interface", () => {
  expect(LATEST_ROUND_DATA).toBe(id("latestRoundData()").slice(0, 10));
  expect(roundDataCall(1n).slice(0, 10)).toBe(id("getRoundData(uint80)").slice(0, 10));
  expect(DECIMALS).toBe(id("decimals()").slice(0, 10));
});

test("reads an answer as Ethereum's ETH/USD proxy gives it", () => {
  // eth_call of latestRoundData() to 0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419, laid out by its ABI.
  const answer = `0x${word((6n << 64n) + 21_537n)}${word(312_345_678_901n)}${word(1_729_000_000n)}${word(1_729_000_011n)}${word((6n << 64n) + 21_537n)}`;
  expect(decodeRound(answer)).toEqual({
    id: (6n << 64n) + 21_537n,
    answer: 312_345_678_901n,
    startedAt: 1_729_000_000,
    updatedAt: 1_729_000_011,
    answeredIn: (6n << 64n) + 21_537n,
  });
});

describe("an answer of another shape is refused", () => {
  const right = roundHex(ROUND);
  test.each([
    ["nothing", "0x", "no such feed"],
    ["cut off", right.slice(0, -2), "another shape"],
    ["one word", `0x${word(1n)}`, "another shape"],
    ["too long", `${right}00`, "another shape"],
    ["a time beyond all numbers", `0x${word(1n)}${word(1n)}${word(1n)}${word(2n ** 255n)}${word(1n)}`, "out of range"],
    ["a round beyond 80 bits", `0x${word(2n ** 80n)}${word(1n)}${word(1n)}${word(1n)}${word(1n)}`, "out of range"],
  ])("%s", (_what, hex, why) => {
    expect(() => decodeRound(hex)).toThrow(why);
  });

  test("decimals above 36", () => {
    expect(() => decodeDecimals(`0x${word(37n)}`)).toThrow("out of range");
    expect(decodeDecimals(`0x${word(36n)}`)).toBe(36);
  });
});

describe("a round is no price", () => {
  const trouble = (over: object) => troubleOf(decodeRound(roundHex({ ...ROUND, ...over })), CHECK);
  test.each([
    ["below zero", { answer: -1n }, "not above zero"],
    ["of the lowest number there is", { answer: -(2n ** 255n) }, "not above zero"],
    ["zero", { answer: 0n }, "not above zero"],
    ["not complete", { updatedAt: 0 }, "not complete"],
    ["answered by an earlier round", { answeredIn: PHASE + 6n }, "not complete"],
    ["newer than the block", { updatedAt: T + 1 }, "newer than the block"],
    ["older than 25 hours", { updatedAt: T - 25 * 3_600 - 1 }, "stale: last updated 25 hours before"],
  ])("%s", (_what, over, why) => {
    expect(trouble(over)).toContain(why);
  });

  test("just old enough, and just new enough, it is one", () => {
    expect(trouble({ updatedAt: T - 25 * 3_600 })).toBeNull();
    expect(trouble({ updatedAt: T })).toBeNull();
  });
});

test("no more than a hundred million USD for one unit is believed", () => {
  expect(isPlausible({ value: 10n ** 16n, decimals: 8 })).toBe(true);
  expect(isPlausible({ value: 10n ** 16n + 1n, decimals: 8 })).toBe(false);
});

describe("money", () => {
  test.each([
    [5n * 10n ** 18n, 18, 300_012n, 2, 1_500_060n],
    [1n, 18, 3_000n * 10n ** 8n, 8, 0n],
    [4_999_999n, 6, 10n ** 8n, 8, 499n],
    [250_000n, 0, 1n, 0, 25_000_000n],
  ])("%i base units of %i decimals at %i / 10^%i are %i cents", (amount, decimals, value, rateDecimals, cents) => {
    expect(centsOf(amount, decimals, { value, decimals: rateDecimals })).toBe(cents);
  });

  test("deviation counts from the smaller one, whichever comes first", () => {
    const a = { value: 100n, decimals: 0 };
    const b = { value: 11_000n, decimals: 2 };
    expect(deviationBps(a, b)).toBe(1_000);
    expect(deviationBps(b, a)).toBe(1_000);
    expect(deviationBps(a, { value: 100_000_000n, decimals: 6 })).toBe(0);
    expect(deviationBps({ value: 1n, decimals: 36 }, { value: 1n, decimals: 0 })).toBe(1_000_000);
  });

  test("a rate as text says the same number, cut to 18 digits", () => {
    expect(rateText({ value: 300_012_345_678n, decimals: 8 })).toBe("3000.12345678");
    expect(rateText({ value: 10n ** 8n, decimals: 8 })).toBe("1");
    expect(rateText({ value: 12_345n, decimals: 18 })).toBe("0.000000000000012345");
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 30n }), fc.nat(18), (value, decimals) => {
        const [whole = "", fraction = ""] = rateText({ value, decimals }).split(".");
        expect(BigInt(whole + fraction.padEnd(decimals, "0"))).toBe(value);
      }),
    );
  });
});
