/** Which transaction used a sender's nonce: by counting, then by reading one block. */
import type { BlockRef } from "../../../types/chain.ts";
import { hashOf, numberOf } from "../answer-fields.ts";
import { fieldsOf, listOf } from "../../answer-fields.ts";
import type { ChainProfile } from "../proof/profiles.ts";
import { provePending } from "../proof/prove-pending.ts";

export type Ask = (method: string, params: readonly unknown[], signal: AbortSignal) => Promise<unknown>;

export interface Slot {
  readonly sender: string;
  readonly nonce: number;
}

// A full node keeps the state of the last 128 blocks; older counts are answered by archive nodes only.
const LOOK_BACK_BLOCKS = 120;

/** How many transactions the sender had mined at that block (`latest`, or a number in hex). */
export async function countAt(ask: Ask, sender: string, block: string, signal: AbortSignal): Promise<number> {
  return numberOf(await ask("eth_getTransactionCount", [sender, block], signal), "eth_getTransactionCount");
}

/** Null: not used in the last blocks, or by nothing that is signed by the sender. At most eight calls. */
export async function findRival(
  ask: Ask,
  { sender, nonce }: Slot,
  { profile, signal }: { profile: ChainProfile; signal: AbortSignal },
): Promise<{ hash: string; block: BlockRef } | null> {
  const head = numberOf(await ask("eth_blockNumber", [], signal), "eth_blockNumber");
  const usedAt = async (number: number) => (await countAt(ask, sender, `0x${number.toString(16)}`, signal)) > nonce;
  let unused = Math.max(head - LOOK_BACK_BLOCKS, -1);
  if (unused >= 0 && (await usedAt(unused))) return null;
  let used = head;
  if (!(await usedAt(used))) return null;
  while (used - unused > 1) {
    const middle = Math.floor((used + unused) / 2);
    if (await usedAt(middle)) used = middle;
    else unused = middle;
  }
  const answer = await ask("eth_getBlockByNumber", [`0x${used.toString(16)}`, true], signal);
  if (answer === null) return null;
  const block = fieldsOf(answer, "block");
  for (const entry of listOf(block["transactions"], "block.transactions")) {
    const transaction = fieldsOf(entry, "transaction");
    if (transaction["from"] !== sender.toLowerCase() || numberOf(transaction["nonce"], "nonce") !== nonce) continue;
    if ("reason" in provePending(transaction, profile)) return null;
    const hash = hashOf(transaction["hash"], "transaction.hash");
    return { hash, block: { number: used, hash: hashOf(block["hash"], "block.hash") } };
  }
  return null;
}
