/** Holds what a node says of the coins that a block spends against coins that we knew before. */
import { AMOUNT_BYTES, ByteReader } from "./byte-reader.ts";
import type { Coin } from "./coins.ts";
import { keysOf, type OutpointKey } from "./outpoints.ts";
import { ProofError } from "./proof-error.ts";
import { parseBlock } from "./read-block.ts";

export interface KnownCoins {
  get(key: OutpointKey): Coin | null;
}

/**
 * Throws ProofError where an input spends a coin that is known, and the node tells another script or amount: no block hash
 * covers what was spent, and a node that hides one watched input this way would hide the transaction.
 * `spent`: in the layout of `/rest/spenttxouts`, and read before.
 */
export function checkSpent({ block, spent }: { block: Uint8Array; spent: Uint8Array }, known: KnownCoins): void {
  const transactions = parseBlock(block);
  const told = new ByteReader(spent, "the spent coins");
  told.compactSize();
  for (let index = 0; index < transactions.count; index += 1) {
    const count = told.compactSize();
    // A coinbase spends nothing.
    const keys = count === 0 ? [] : keysOf(transactions, index);
    for (const [input, key] of keys.entries()) {
      const amount = told.amountAhead(Number.MAX_SAFE_INTEGER);
      const start = told.passSized(AMOUNT_BYTES, 0);
      const coin = known.get(key);
      if (coin === null) continue;
      const isSame =
        coin.amount === BigInt(amount) && Buffer.compare(coin.script, spent.subarray(start, told.at)) === 0;
      if (!isSame)
        throw new ProofError(
          "spent coins",
          `input ${input} of transaction ${index} spends a watched coin, and the node tells another one in its place`,
        );
    }
  }
}
