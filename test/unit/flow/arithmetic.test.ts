import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { apportion, bpsOf, isLarger, shareOf } from "../../../src/flow/arithmetic.ts";

const amount = fc.bigInt({ min: 0n, max: 10n ** 30n });

test("a share is rounded down, never more than there is, and all of it at a full drain", () => {
  fc.assert(
    fc.property(amount, amount, amount, (a, b, c) => {
      const [tainted = 0n, out = 0n, balance = 0n] = [a, b, c].toSorted((x, y) => (x < y ? -1 : 1));
      fc.pre(balance > 0n);
      const share = shareOf(tainted, out, balance);
      expect(share * balance <= tainted * out && (share + 1n) * balance > tainted * out).toBe(true);
      expect(shareOf(tainted, balance, balance)).toBe(tainted);
      // What is taken bit by bit never exceeds what there is.
      expect(share + shareOf(tainted - share, balance - out, balance - out || 1n)).toBeLessThanOrEqual(tainted);
    }),
  );
});

test("what is split sums up, each part within one of its exact share and within its weight", () => {
  fc.assert(
    fc.property(fc.array(amount, { minLength: 1, maxLength: 12 }), fc.nat({ max: 10_000 }), (parts, permyriad) => {
      const sum = parts.reduce((total, part) => total + part, 0n);
      const whole = (sum * BigInt(permyriad)) / 10_000n;
      const split = apportion(whole, parts);
      expect(split.reduce((total, part) => total + part, 0n)).toBe(whole);
      for (const [at, part] of parts.entries()) {
        const one = split[at] ?? -1n;
        expect(one >= 0n && one <= part).toBe(true);
        if (sum > 0n) expect((one - 1n) * sum < whole * part && (one + 1n) * sum > whole * part).toBe(true);
      }
    }),
  );
});

test("nothing cannot be the weight of something", () => {
  expect(() => apportion(1n, [0n, 0n])).toThrow("split over parts that weigh nothing");
  expect(apportion(0n, [0n])).toEqual([0n]);
});

test("ratios are compared exactly, where floating point sees no difference", () => {
  const third = { tainted: 10n ** 30n, whole: 3n * 10n ** 30n };
  const more = { tainted: 10n ** 30n + 1n, whole: 3n * 10n ** 30n };
  expect([isLarger(more, third), isLarger(third, more), isLarger(third, third)]).toEqual([true, false, false]);
  expect(bpsOf(third)).toBe(3_333);
});
