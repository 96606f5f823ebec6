/** One raw transaction: a pending one as transfers, and one that proves what a coin of it is. */
import type { Transfer } from "../../types/chain.ts";
import { ByteReader } from "./byte-reader.ts";
import { type Coin, type Outpoint, outpointsOf, outputsOf } from "./coins.ts";
import { displayHash, transactionHash, witnessHash } from "./double-hash.ts";
import type { Network } from "./networks.ts";
import { ProofError } from "./proof-error.ts";
import type { ScriptTable } from "./script-table.ts";
import { isCoinbase, readTransactions, type Transactions } from "./transactions.ts";
import { transfersOf } from "./transfers.ts";

export interface ReadPendingOptions {
  readonly raw: Uint8Array;
  /** The coin that an input spends, or null where it is not known. */
  readonly prevoutOf: (outpoint: Outpoint) => Coin | null;
  readonly network: Network;
  readonly watched: ScriptTable | null;
}

export interface PendingContent {
  readonly txid: string;
  readonly wtxid: string;
  /** The coins it spends. */
  readonly inputs: readonly Outpoint[];
  /** Empty where nothing of it that is known is watched; else all of its outputs and those of its inputs that are known. */
  readonly transfers: readonly Transfer[];
}

/** Throws ProofError where the bytes are no transaction that a pool could hold. */
export function readPending({ raw, prevoutOf, network, watched }: ReadPendingOptions): PendingContent {
  const transactions = parseTransaction(raw);
  if (isCoinbase(transactions, 0)) throw new ProofError("format", "a coinbase is never pending");
  const txid = displayHash(transactionHash(transactions, 0));
  const outpoints = outpointsOf(transactions, 0);
  const [inputs, outputs] = [outpoints.map(prevoutOf), outputsOf(transactions, 0)];
  proveAmounts(inputs, outputs, network);
  const isTouched = [...inputs, ...outputs].some((coin) => coin !== null && isWatched(coin, watched));
  const transfers = isTouched ? transfersOf({ txHash: txid, txIndex: -1, inputs, outputs }, { network, watched }) : [];
  return { txid, wtxid: displayHash(witnessHash(transactions, 0)), inputs: outpoints, transfers };
}

function isWatched({ script }: Coin, watched: ScriptTable | null): boolean {
  if (watched === null) return true;
  const match = watched.match(script);
  return match.watched || match.equivalent.length > 0;
}

function proveAmounts(inputs: readonly (Coin | null)[], outputs: readonly Coin[], network: Network): void {
  const paid = sumOf(outputs);
  const known = inputs.filter((coin) => coin !== null);
  const payable = known.length === inputs.length ? sumOf(known) : BigInt(network.amountMax);
  if (paid > payable || paid > BigInt(network.amountMax))
    throw new ProofError("amounts", "the outputs are worth more than can be paid");
}

function sumOf(coins: readonly Coin[]): bigint {
  return coins.reduce((sum, { amount }) => sum + amount, 0n);
}

/** The coin at an outpoint, from the transaction that made it. Throws ProofError where it is not that transaction. */
export function proveParent(raw: Uint8Array, outpoint: Outpoint): Coin {
  return coinAt(proveOutputs(raw, outpoint.txid), outpoint);
}

/** What a transaction makes. Throws ProofError where it is not the one of that id. */
export function proveOutputs(raw: Uint8Array, txid: string): Coin[] {
  const transaction = parseTransaction(raw);
  const hash = displayHash(transactionHash(transaction, 0));
  if (hash !== txid) throw new ProofError("parent", `the transaction is ${hash}`);
  return outputsOf(transaction, 0);
}

/** One of a transaction's outputs. Throws ProofError where there is none of that index. */
export function coinAt(outputs: readonly Coin[], { txid, index }: Outpoint): Coin {
  const coin = outputs[index];
  if (coin === undefined) throw new ProofError("parent", `${txid} has no output ${index}`);
  return coin;
}

/** One transaction, to its last byte. Throws ProofError. */
export function parseTransaction(raw: Uint8Array): Transactions {
  const reader = new ByteReader(raw, "the transaction");
  const transactions = readTransactions(reader, 1);
  reader.end();
  return transactions;
}
