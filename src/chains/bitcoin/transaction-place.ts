/** Where a transaction is, as a node of the Bitcoin Core family tells it. */
import type { TransactionPlace } from "../../types/chain.ts";
import { fieldsOf, MalformedAnswerError } from "../answer-fields.ts";
import { isRefusal, RPC_NOT_FOUND } from "./node-answers.ts";
import { bytesOf } from "./verbose-block.ts";

export type Ask = (method: string, params: readonly unknown[], signal: AbortSignal) => Promise<unknown>;

export interface Standing {
  readonly raw: Uint8Array;
  /** Null: it waits. Told only where the node has an index of transactions. */
  readonly block: string | null;
}

/** Null: neither in the pool nor in the node's index. */
export async function transactionOf(ask: Ask, txid: string, signal: AbortSignal): Promise<Standing | null> {
  try {
    const { hex, blockhash } = fieldsOf(await ask("getrawtransaction", [txid, true], signal), "a transaction");
    if (blockhash !== undefined && typeof blockhash !== "string")
      throw new MalformedAnswerError("a transaction's block is not a hash");
    return { raw: bytesOf(hex), block: blockhash ?? null };
  } catch (error) {
    if (isRefusal(error, RPC_NOT_FOUND)) return null;
    throw error;
  }
}

/** Null: the block is not on the node's chain. */
export async function activeBlock(
  ask: Ask,
  hash: string,
  signal: AbortSignal,
): Promise<{ number: number; hash: string } | null> {
  const { height, confirmations } = fieldsOf(await ask("getblockheader", [hash, true], signal), "a header");
  if (typeof height !== "number" || typeof confirmations !== "number")
    throw new MalformedAnswerError("the node does not say where a block is");
  return confirmations > 0 ? { number: height, hash } : null;
}

/** A block needs the node's index of transactions (-txindex). Null: it knows neither, or the block is on no chain. */
export async function placeOf(ask: Ask, txid: string, signal: AbortSignal): Promise<TransactionPlace | null> {
  const standing = await transactionOf(ask, txid, signal);
  if (standing === null) return null;
  if (standing.block === null) return { block: null };
  const block = await activeBlock(ask, standing.block, signal);
  return block === null ? null : { block: block.number };
}
