/** What a node says of spent coins is held against the coins that we know. */
import { describe, expect, test } from "@jest/globals";
import { checkSpent } from "../../../../src/chains/bitcoin/check-spent.ts";
import type { Coin } from "../../../../src/chains/bitcoin/coins.ts";
import { createCoinSet } from "../../../../src/chains/bitcoin/mempool/coin-set.ts";
import { keyOf } from "../../../../src/chains/bitcoin/outpoints.ts";
import { writeSpent } from "../../../../src/chains/bitcoin/spent-bytes.ts";
import { ledger, type LedgerRow, regtestBlocks, type WholeBlock } from "./fixtures.ts";

/** Every coin that the recorded node told, by its outpoint. */
function allCoins() {
  const coins = createCoinSet();
  for (const { dir, txid, index, sat, spk } of ledger())
    if (dir === "out") coins.add(keyOf({ txid, index }), { script: Buffer.from(spk, "hex"), amount: BigInt(sat) });
  return coins;
}

const coinOf = ({ spk, sat }: LedgerRow): Coin => ({ script: Buffer.from(spk, "hex"), amount: BigInt(sat) });

/** Inputs of each transaction, in order. */
function spendsOf({ header }: WholeBlock): LedgerRow[][] {
  const rows = ledger().filter(({ hash }) => hash === header.hash);
  const count = Math.max(...rows.map(({ txIndex }) => txIndex)) + 1;
  return Array.from({ length: count }, (_, index) =>
    rows.filter(({ txIndex, dir, prevTxid }) => txIndex === index && dir === "in" && prevTxid !== undefined),
  );
}

describe("the coins that a block spends", () => {
  test("of every recorded block, both branches, are the ones that are known", () => {
    const coins = allCoins();
    let known = 0;
    const counting = {
      ...coins,
      get(key: string): Coin | null {
        const coin = coins.get(key);
        if (coin !== null) known += 1;
        return coin;
      },
    };
    for (const block of regtestBlocks()) checkSpent(block, counting);
    // Coins from before block 251 are not in the ledger.
    const made = new Set(ledger().flatMap(({ dir, txid, index }) => (dir === "out" ? [`${txid}:${index}`] : [])));
    const spends = ledger().filter(
      ({ dir, prevTxid, prevVout }) => dir === "in" && made.has(`${prevTxid}:${prevVout}`),
    );
    expect(known).toBe(spends.length);
    expect(known).toBeGreaterThan(300);
  });

  test("with another script or amount in place of a known one are a lie, whichever input it is", () => {
    const coins = allCoins();
    let lies = 0;
    for (const block of regtestBlocks()) {
      const spends = spendsOf(block);
      for (const row of spends.flat()) {
        const coin = coins.get(keyOf({ txid: row.prevTxid ?? "", index: row.prevVout ?? 0 }));
        if (coin === null) continue;
        const others = [
          { ...coin, amount: coin.amount + 1n },
          { ...coin, script: Buffer.concat([coin.script, Buffer.of(0x51)]) },
          { ...coin, script: coin.script.map((byte) => byte ^ 1) },
        ];
        for (const other of coin.script.length === 0 ? others.slice(0, 2) : others) {
          const told = writeSpent(spends.map((all) => all.map((one) => (one === row ? other : coinOf(one)))));
          expect(() => checkSpent({ block: block.block, spent: told }, coins)).toThrow("spends a watched coin");
          lies += 1;
        }
      }
    }
    expect(lies).toBeGreaterThan(1_000);
  });

  test("that nobody knows are not looked at", () => {
    const [first] = regtestBlocks();
    if (first === undefined) throw new Error("no block");
    const altered = Buffer.from(first.spent);
    // The lowest byte of an amount.
    altered[3] = (altered[3] ?? 0) ^ 1;
    expect(() => checkSpent({ block: first.block, spent: altered }, createCoinSet())).not.toThrow();
  });
});
