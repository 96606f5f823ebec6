import { expect, test } from "@jest/globals";
import { readCoins } from "../../../../src/chains/bitcoin/coins.ts";
import { writeSpent } from "../../../../src/chains/bitcoin/spent-bytes.ts";

const script = (length: number) => Uint8Array.from({ length }, (_, index) => index & 0xff);

test.each([0, 1, 0xfc, 0xfd, 0xfe, 0xff, 0x100, 0xffff, 0x1_0000])(
  "a script of %d bytes is written in its shortest form",
  (length) => {
    const coin = { amount: 2_100_000_000_000_000n, script: script(length) };
    // The reader refuses every longer form.
    const [read, ...more] = readCoins(writeSpent([[coin]]), 1);
    expect(more).toEqual([]);
    expect(read?.amount).toBe(coin.amount);
    expect(Buffer.from(read?.script ?? []).equals(coin.script)).toBe(true);
  },
);

test.each([0, 0xfc, 0xfd, 0xffff, 0x1_0000])("so are the counts of %d coins and transactions", (count) => {
  const coins = Array.from({ length: count }, () => ({ amount: 1n, script: script(0) }));
  expect(readCoins(writeSpent([coins]), 1)).toHaveLength(count);
  const transactions = writeSpent(Array.from({ length: count }, () => []));
  // One byte a transaction behind the count, itself in 1, 3 or 5.
  expect(transactions.length - count).toBe(count < 0xfd ? 1 : count <= 0xffff ? 3 : 5);
});
