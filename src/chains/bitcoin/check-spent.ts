/** Holds what a node says of the coins that a block spends against coins that we knew before. */
import { AMOUNT_BYTES, ByteReader } from "./byte-reader.ts";
import type { CoinSet } from "./mempool/coin-set.ts";
import { keyAt, outpointsIn, printAt } from "./outpoints.ts";
import { ProofError } from "./proof-error.ts";
import { parseBlock } from "./read-block.ts";

export type KnownCoins = Pick<CoinSet, "get" | "mayHold">;

/**
 * Throws ProofError where an input spends a coin that is known, and the node tells another script or amount: no block hash
 * covers what was spent, and a node that hides one watched input this way would hide the transaction.
 * `spent`: in the layout of `/rest/spenttxouts`, and read before.
 */
export function checkSpent({ block, spent }: { block: Uint8Array; spent: Uint8Array }, known: KnownCoins): void {
  const transactions = parseBlock(block);
  const outpoints = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const told = new ByteReader(spent, "the spent coins");
  told.compactSize();
  for (let index = 0; index < transactions.count; index += 1) {
    // A coinbase has an input, and spends nothing.
    if (told.compactSize() === 0) continue;
    for (const at of outpointsIn(transactions, index)) {
      const start = told.at;
      const script = told.passSized(AMOUNT_BYTES, 0);
      const coin = known.mayHold(printAt(outpoints, at)) ? known.get(keyAt(block, at)) : null;
      if (coin === null) continue;
      const amount = told.view.getBigInt64(start, true);
      if (coin.amount !== amount || Buffer.compare(coin.script, spent.subarray(script, told.at)) !== 0)
        throw new ProofError(
          "spent coins",
          `transaction ${index} spends a watched coin, and the node tells another one in its place`,
        );
    }
  }
}
