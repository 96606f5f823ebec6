/** Where a transaction that waited is now: by the node's pool, by the blocks we read, by who spends the same coins. */
import type { PendingTransaction, TransactionFate } from "../../../types/chain.ts";
import { fieldsOf, listOf, MalformedAnswerError } from "../../answer-fields.ts";
import type { Outpoint } from "../coins.ts";
import { isRefusal, RPC_METHOD_NOT_FOUND, RPC_NOT_FOUND } from "../node-answers.ts";
import { slotOf } from "../outpoints.ts";
import { bytesOf } from "../verbose-block.ts";
import type { ChainTail } from "./chain-tail.ts";

export type Ask = (method: string, params: readonly unknown[], signal: AbortSignal) => Promise<unknown>;

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

interface Standing {
  readonly raw: Uint8Array;
  /** Null: it waits. Told only where the node has an index of transactions. */
  readonly block: string | null;
}

/** Null: neither in the pool nor in the node's index. */
async function transactionOf(ask: Ask, txid: string, signal: AbortSignal): Promise<Standing | null> {
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
async function activeBlock(
  ask: Ask,
  hash: string,
  signal: AbortSignal,
): Promise<{ number: number; hash: string } | null> {
  const { height, confirmations } = fieldsOf(await ask("getblockheader", [hash, true], signal), "a header");
  if (typeof height !== "number" || typeof confirmations !== "number")
    throw new MalformedAnswerError("the node does not say where a block is");
  return confirmations > 0 ? { number: height, hash } : null;
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
