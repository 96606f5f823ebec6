/**
 * The reference for `scan-block.ts`: one walk over a block's outputs and the coins it spends: who is touched, and whether the amounts add up. A block's hash
 * covers the outputs; the spent coins are the node's word, held against the counts and sums that the block allows.
 */
import { AMOUNT_BYTES, ByteReader } from "./byte-reader.ts";
import { type Network, subsidyAt } from "./networks.ts";
import { ProofError } from "./proof-error.ts";
import type { ScriptTable } from "./script-table.ts";
import { INPUTS, OUTPUTS, PARTS, type Transactions } from "./transactions.ts";

/** A transaction that touches what is watched. */
export interface TouchedTransaction {
  /** Place in the block. */
  readonly index: number;
  /** Where its coins begin in the spent coins: their count. */
  readonly spentAt: number;
}

export interface ScanOptions {
  readonly transactions: Transactions;
  /** As `/rest/spenttxouts` gives them: for each transaction a count and that many coins (amount, script); none for the coinbase. */
  readonly spent: Uint8Array;
  readonly height: number;
  readonly network: Network;
  /** Null: every transaction is touched. */
  readonly watched: ScriptTable | null;
}

/** Throws ProofError where the spent coins do not fit the block. */
export function walkBlock({ transactions, spent, height, network, watched }: ScanOptions): TouchedTransaction[] {
  const { count } = transactions;
  const coins = new ByteReader(spent, "the spent coins");
  const outputs = new ByteReader(transactions.bytes, "the block");
  const touched: TouchedTransaction[] = [];
  if (coins.compactSize() !== count) throw new ProofError("spent coins", "of another number of transactions");
  let claimed = 0;
  let fees = 0;
  for (let index = 0; index < count; index += 1) {
    const spentAt = coins.at;
    const inputs = coins.compactSize();
    if (inputs !== inputCount(transactions, index, outputs))
      throw new ProofError("spent coins", `${inputs} coins do not fit the inputs of transaction ${index}`);
    const input = passCoins(coins, inputs, { network, watched });
    outputs.at = transactions.parts[index * PARTS + OUTPUTS] as number;
    const output = passCoins(outputs, outputs.compactSize(), { network, watched });
    if (input.touched || output.touched) touched.push({ index, spentAt });
    if (index === 0) claimed = output.amount;
    else fees += feeOf(input.amount, output.amount, index);
    if (fees > network.amountMax) throw new ProofError("amounts", "the fees are out of range");
  }
  coins.end();
  if (claimed > fees + subsidyAt(height, network))
    throw new ProofError("amounts", "the coinbase pays more than the fees and the subsidy");
  return touched;
}

/** How many coins a transaction spends; the coinbase, always the first, spends none. */
function inputCount({ parts }: Transactions, index: number, reader: ByteReader): number {
  if (index === 0) return 0;
  reader.at = parts[index * PARTS + INPUTS] as number;
  return reader.compactSize();
}

function feeOf(input: number, output: number, index: number): number {
  if (input < output) throw new ProofError("amounts", `transaction ${index} pays more than it spends`);
  return input - output;
}

/** Amount and script, `count` times: what spent coins and outputs both are. Their sum, and whether a script touches. */
export function passCoins(
  reader: ByteReader,
  count: number,
  { network, watched }: Pick<ScanOptions, "network" | "watched">,
): { amount: number; touched: boolean } {
  let amount = 0;
  let touched = watched === null;
  for (let coin = 0; coin < count; coin += 1) {
    amount += reader.amountAhead(network.amountMax);
    if (amount > network.amountMax) reader.fail("has a sum of amounts out of range");
    const script = reader.passSized(AMOUNT_BYTES, 0);
    touched ||= watched?.touches(reader, script, reader.at - script) === true;
  }
  return { amount, touched };
}
