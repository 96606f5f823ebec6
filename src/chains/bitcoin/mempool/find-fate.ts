/** Where a transaction that waited is now: by the node's pool, by the blocks we read, by who spends the same coins. */
import type { PendingTransaction, TransactionFate } from "../../../types/chain.ts";
import { fieldsOf, listOf } from "../../answer-fields.ts";
import type { Outpoint } from "../coins.ts";
import { isRefusal, RPC_METHOD_NOT_FOUND } from "../node-answers.ts";
import { slotOf } from "../outpoints.ts";
import { activeBlock, type Ask, transactionOf } from "../transaction-place.ts";
import type { ChainTail } from "./chain-tail.ts";

export interface FateOptions {
  readonly ask: Ask;
  readonly tail: ChainTail;
  /** Throws ProofError where the bytes are not the transaction of that id. */
  readonly read: (raw: Uint8Array, txid: string) => PendingTransaction;
}

// A transaction of the largest size spends 2,400 coins.
const COINS_A_REQUEST = 500;

export async function findFate(
  { ask, tail, read }: FateOptions,
  { hash, coins }: { hash: string; coins: readonly Outpoint[] },
  signal: AbortSignal,
): Promise<TransactionFate> {
  const spender = await tail.spenderOf(coins, signal);
  if (spender !== null) {
    const { txid, block } = spender;
    return txid === hash ? { at: "block", block } : { at: "replaced", by: txid, block };
  }
  const standing = await transactionOf(ask, hash, signal);
  if (standing !== null && standing.block === null) return { at: "pool", transaction: read(standing.raw, hash) };
  if (standing !== null && standing.block !== null) {
    const block = await activeBlock(ask, standing.block, signal);
    if (block !== null) return { at: "block", block };
  }
  return rivalInPool({ ask, read }, { hash, coins }, signal);
}

/** Whoever waits with any of its coins; the node says who (Core 24 and later), the transaction itself proves it. */
async function rivalInPool(
  { ask, read }: Pick<FateOptions, "ask" | "read">,
  { hash, coins }: { hash: string; coins: readonly Outpoint[] },
  signal: AbortSignal,
): Promise<TransactionFate> {
  const slots = new Set(coins.map(slotOf));
  for (let at = 0; at < coins.length; at += COINS_A_REQUEST) {
    for (const by of await spendersOf(ask, coins.slice(at, at + COINS_A_REQUEST), signal)) {
      const standing = by === hash ? null : await transactionOf(ask, by, signal);
      if (standing === null || standing.block !== null) continue;
      if (read(standing.raw, by).slots.some((slot) => slots.has(slot))) return { at: "replaced", by, block: null };
    }
  }
  return { at: "nowhere" };
}

async function spendersOf(ask: Ask, coins: readonly Outpoint[], signal: AbortSignal): Promise<ReadonlySet<string>> {
  const params = coins.map(({ txid, index }) => ({ txid, vout: index }));
  try {
    const answer = listOf(await ask("gettxspendingprevout", [params], signal), "who spends some coins");
    const spenders = answer.map((one) => fieldsOf(one, "a spent coin")["spendingtxid"]);
    return new Set(spenders.filter((txid) => typeof txid === "string"));
  } catch (error) {
    if (isRefusal(error, RPC_METHOD_NOT_FOUND)) return new Set();
    throw error;
  }
}
