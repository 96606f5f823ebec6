/** Watched coins in memory: bounded, and a copy of what they were made of. */
import { expect, test } from "@jest/globals";
import { createCoinSet } from "../../../../src/chains/bitcoin/mempool/coin-set.ts";
import { keyOf, printOf } from "../../../../src/chains/bitcoin/outpoints.ts";

const keyAt = (index: number) => keyOf({ txid: "ab".repeat(32), index });
const coin = (amount: number) => ({ script: Uint8Array.of(0x51, 0x52), amount: BigInt(amount) });

test("a coin is found by its outpoint until it is forgotten, whatever becomes of the bytes it came in", () => {
  const coins = createCoinSet();
  const made = coin(5);
  coins.add(keyAt(1), made);
  made.script.fill(0);
  expect(coins.get(keyAt(1))).toEqual(coin(5));
  expect(coins.mayHold(printOf(keyAt(1)))).toBe(true);
  expect(coins.get(keyAt(2))).toBeNull();
  expect(coins.mayHold(printOf(keyAt(2)))).toBe(false);
  coins.forget(keyAt(1));
  expect(coins.get(keyAt(1))).toBeNull();
});

test("coins beyond the bound are left out, and it is said so", () => {
  const coins = createCoinSet({ coinsMax: 2 });
  for (const index of [1, 2, 1, 2]) coins.add(keyAt(index), coin(index));
  expect(coins.overflowed()).toBe(false);
  coins.add(keyAt(3), coin(3));
  expect(coins.overflowed()).toBe(true);
  expect([coins.size(), coins.get(keyAt(3))]).toEqual([2, null]);
});

test("of coins that do not exist yet the newest are kept, and none of them is a coin of the chain", () => {
  const coins = createCoinSet({ pendingMax: 2 });
  for (const index of [1, 2, 3]) coins.addPending(keyAt(index), coin(index));
  expect([1, 2, 3].map((index) => coins.get(keyAt(index))?.amount)).toEqual([undefined, 2n, 3n]);
  expect(coins.size()).toBe(0);
  coins.add(keyAt(3), coin(3));
  coins.forget(keyAt(3));
  expect(coins.get(keyAt(2))).toEqual(coin(2));
});
