/** All receipts of a block, by whichever method the node has. */
import type { Header } from "../../types/chain.ts";
import { MalformedAnswerError } from "../answer-fields.ts";
import { isMethodMissing, type RpcAnswer, type RpcClient } from "./rpc-client.ts";

// An answer with an error, or of null, is short; a longer one is left to the reader of the block.
const SHORT_ANSWER_BYTES = 4_096;

/** `eth_getBlockReceipts` where the node has it, else one call per transaction. `null`: the node lacks the block or a receipt (yet). */
export async function receiptsOf(
  rpc: RpcClient,
  header: Pick<Header, "hash">,
  signal: AbortSignal,
): Promise<RpcAnswer | readonly unknown[] | null> {
  try {
    const answer = await rpc.ask("eth_getBlockReceipts", [header.hash], signal);
    if (answer.byteLength <= SHORT_ANSWER_BYTES && answer.result() === null) return null;
    return answer;
  } catch (error) {
    if (!isMethodMissing(error)) throw error;
  }
  const block = await rpc.call("eth_getBlockByHash", [header.hash, false], signal);
  if (block === null) return null;
  const hashes = asList((block as { transactions?: unknown }).transactions);
  const receipts = await Promise.all(hashes.map((hash) => rpc.call("eth_getTransactionReceipt", [hash], signal)));
  return receipts.includes(null) ? null : receipts;
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new MalformedAnswerError("the node's receipts are not a list");
  return value;
}
