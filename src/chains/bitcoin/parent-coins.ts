/**
 * The coins that a block spends, from the transactions that made them: for nodes that do not tell them themselves. Each
 * parent is asked for once and proven by its id; parents inside the block are at hand. Needs the node's -txindex.
 */
import { fieldsOf } from "../answer-fields.ts";
import { RpcError } from "../rpc-envelope.ts";
import { type Coin, type Outpoint, outpointsOf, outputsOf } from "./coins.ts";
import { displayHash, transactionHash } from "./double-hash.ts";
import type { NodeClient } from "./node-client.ts";
import { NodeStateError } from "./node-state-error.ts";
import { parseBlock } from "./read-block.ts";
import { coinAt, proveOutputs } from "./read-transaction.ts";
import type { Transactions } from "./transactions.ts";
import { bytesOf } from "./verbose-block.ts";

// 25 of the largest transactions there can be, as hex, still fit into an answer.
const PARENTS_A_REQUEST = 25;
const RPC_NOT_FOUND = -5;

interface BlockBytes {
  readonly number: number;
  readonly block: Uint8Array;
}

/** The coins of each transaction, in order; null: a parent is not there (yet). Throws NodeStateError where the node cannot look parents up. */
export async function parentCoins(
  client: NodeClient,
  { number, block }: BlockBytes,
  signal: AbortSignal,
): Promise<readonly (readonly Coin[])[] | null> {
  const transactions = parseBlock(block);
  const spent = Array.from({ length: transactions.count }, (_, index) =>
    index === 0 ? [] : outpointsOf(transactions, index),
  );
  const wanted = Map.groupBy(spent.flat(), ({ txid }) => txid);
  const coins = coinsInside(transactions, wanted);
  const outside = [...wanted.keys()].filter((txid) => !coins.has(txid));
  for (let at = 0; at < outside.length; at += PARENTS_A_REQUEST) {
    const txids = outside.slice(at, at + PARENTS_A_REQUEST);
    const params = txids.map((txid) => [txid, false]);
    const answers = await client.callMany("getrawtransaction", params, signal);
    for (const [index, txid] of txids.entries()) {
      const answer = answers[index];
      if (answer instanceof Error) return whyNot(client, { answer, number }, signal);
      coins.set(txid, picked(proveOutputs(bytesOf(answer), txid), wanted.get(txid) ?? []));
    }
  }
  return spent.map((outpoints) => outpoints.map(({ txid, index }) => coins.get(txid)?.get(index) as Coin));
}

/** By parent and index: those that transactions of the same block made. */
function coinsInside(
  transactions: Transactions,
  wanted: ReadonlyMap<string, readonly Outpoint[]>,
): Map<string, ReadonlyMap<number, Coin>> {
  const coins = new Map<string, ReadonlyMap<number, Coin>>();
  for (let index = 0; index < transactions.count; index += 1) {
    const txid = displayHash(transactionHash(transactions, index));
    const outpoints = wanted.get(txid);
    if (outpoints !== undefined) coins.set(txid, picked(outputsOf(transactions, index), outpoints));
  }
  return coins;
}

/** Copied: a script of 25 bytes would keep a transaction of megabytes in memory. */
function picked(outputs: readonly Coin[], outpoints: readonly Outpoint[]): ReadonlyMap<number, Coin> {
  return new Map(
    outpoints.map((outpoint) => {
      const { amount, script } = coinAt(outputs, outpoint);
      return [outpoint.index, { amount, script: Uint8Array.from(script) }];
    }),
  );
}

/** A parent that a complete index does not have belongs to a block that is not on the node's chain: null. */
async function whyNot(
  client: NodeClient,
  { answer, number }: { answer: Error; number: number },
  signal: AbortSignal,
): Promise<null> {
  if (!(answer instanceof RpcError) || answer.rpcCode !== RPC_NOT_FOUND) throw answer;
  const { txindex } = fieldsOf(await client.call("getindexinfo", [], signal), "the node's indexes");
  if (txindex === undefined)
    throw new NodeStateError(
      "noIndex",
      `node ${client.name} cannot tell who owned the coins that block ${number} spends: set txindex=1 there, or use Bitcoin Core 30 or later with rest=1`,
    );
  if (fieldsOf(txindex, "the transaction index")["synced"] !== true)
    throw new NodeStateError("noIndex", `node ${client.name} is still building its transaction index (txindex)`);
  return null;
}
