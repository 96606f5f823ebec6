/** What `getblock <hash> 3` says about the coins that a block spends (Bitcoin Core 23 and later). */
import { type Fields, fieldsOf, listOf, MalformedAnswerError } from "../answer-fields.ts";
import type { Coin } from "./coins.ts";

/**
 * Coins of each transaction, in order. `absent`: the node has no undo data of this block, which it never connected.
 * `unsupported`: an older node answers as to `getblock <hash> 2`.
 */
export type VerboseCoins = readonly (readonly Coin[])[] | "absent" | "unsupported";

export function verboseCoins(answer: unknown): VerboseCoins {
  const block = fieldsOf(answer, "the block");
  const inputs = listOf(block["tx"], "the block's transactions").map((one) =>
    listOf(fieldsOf(one, "a transaction")["vin"], "a transaction's inputs").map(inputOf),
  );
  const spending = inputs.flat().filter(({ isCoinbase }) => !isCoinbase);
  if (spending.some(({ prevout }) => prevout === undefined)) {
    // Told of some inputs and not of others: nothing that a node does.
    if (spending.some(({ prevout }) => prevout !== undefined))
      throw new MalformedAnswerError("the node tells of some inputs of a block what they spent, and not of others");
    return isConnected(block) ? "unsupported" : "absent";
  }
  return inputs.map((all) => all.filter(({ isCoinbase }) => !isCoinbase).map(({ prevout }) => coinOf(prevout)));
}

function inputOf(value: unknown): { isCoinbase: boolean; prevout: unknown } {
  const input = fieldsOf(value, "an input");
  return { isCoinbase: input["coinbase"] !== undefined, prevout: input["prevout"] };
}

/** Of the active chain: its undo data exists. */
function isConnected(block: Fields): boolean {
  const { confirmations } = block;
  if (typeof confirmations !== "number") throw new MalformedAnswerError("the block's confirmations are not a number");
  return confirmations > 0;
}

function coinOf(prevout: unknown): Coin {
  const { value, scriptPubKey } = fieldsOf(prevout, "a spent coin");
  return { amount: satoshiOf(value), script: bytesOf(fieldsOf(scriptPubKey, "a spent coin's script")["hex"]) };
}

// Up to here a double still tells eight decimals apart, and no network of the family has a coin of that size.
const COINS_MAX = 2 ** 26;

/** A JSON number of coins with eight decimals, exactly. */
export function satoshiOf(value: unknown): bigint {
  if (typeof value !== "number" || !(value >= 0 && value <= COINS_MAX))
    throw new MalformedAnswerError("a spent coin's value is not an amount");
  return BigInt(value.toFixed(8).replace(".", ""));
}

/** Hex of any length, also none. */
export function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== "string" || value.length % 2 !== 0 || /[^0-9a-fA-F]/.test(value))
    throw new MalformedAnswerError("the node's bytes are not hex");
  return Buffer.from(value, "hex");
}
