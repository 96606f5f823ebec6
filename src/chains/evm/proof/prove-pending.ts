/** A transaction of the mempool -> who signed it, or why it is not to be believed. Pure: JSON in, a value out. */
import { expectCount, expectField, fieldsOf } from "./fields.ts";
import { proveSender } from "./prove-block.ts";
import type { ChainProfile } from "./profiles.ts";
import { checkTransactionShape, transactionHash, typedTransaction } from "./transactions.ts";
import { Unproven } from "./unproven.ts";

/**
 * The hash recomputed and the sender recovered, lower-case. A node can hold back a transaction, but not make one of
 * somebody's: nor one that somebody signed for another chain.
 */
export function provePending(transaction: unknown, profile: ChainProfile): { sender: string } | { reason: string } {
  try {
    const typed = typedTransaction(fieldsOf(transaction, "transaction", "transactions"), profile);
    if (typed.type.signature === "none")
      throw new Unproven("senders", "unsigned", `a ${typed.type.name} transaction never waits in a mempool`);
    checkTransactionShape(typed);
    // In a block the root says so; a legacy transaction says it in v.
    if (typed.type.signature === "typed") expectCount(typed.fields, "chainId", profile.chainId, "transactions");
    expectField(typed.fields, "hash", transactionHash(typed), "transactions");
  } catch (error) {
    if (error instanceof Unproven) return { reason: error.message };
    throw error;
  }
  return proveSender(transaction, profile);
}
