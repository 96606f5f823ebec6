/**
 * A raw block and the coins it spends, as a node gives them -> the transfers of the transactions that touch what is watched.
 * Always holds: what comes out is covered by the block's hash, but for whose the spent coins were and what they were worth.
 */
import type { Header, Transfer } from "../../types/chain.ts";
import { ByteReader } from "./byte-reader.ts";
import { outputsOf, readCoins } from "./coins.ts";
import { displayHash, transactionHash } from "./double-hash.ts";
import { HEADER_BYTES } from "./header.ts";
import { type Memo, memosOf } from "./memos.ts";
import type { Network } from "./networks.ts";
import { ProofError } from "./proof-error.ts";
import { proveBlock } from "./prove-block.ts";
import { scanBlock } from "./scan-block.ts";
import type { ScriptTable } from "./script-table.ts";
import { isCoinbase, readTransactions, TRANSACTION_BYTES_MIN, type Transactions } from "./transactions.ts";
import { transfersOf } from "./transfers.ts";

export interface ReadBlockOptions {
  /** The block that was asked for. Its link to the block before is the caller's to check. */
  readonly header: Header;
  /** As `/rest/block/<hash>.bin` gives it. */
  readonly block: Uint8Array;
  /** As `/rest/spenttxouts/<hash>.bin` gives it. */
  readonly spent: Uint8Array;
  readonly network: Network;
  /** Null: every transaction is told. */
  readonly watched: ScriptTable | null;
  /** False: nothing is hashed but what is told, and the block is not proven. */
  readonly proofs?: boolean;
}

export interface BlockContent {
  /** All inputs and outputs of every transaction with a watched script, or one of a watched key, on either side. */
  readonly transfers: readonly Transfer[];
  /** What those transactions carry in outputs that nobody can spend. */
  readonly memos: readonly Memo[];
}

/** Throws ProofError where the bytes are malformed or are not the block that was asked for. */
export function readBlock({ header, block, spent, network, watched, proofs = true }: ReadBlockOptions): BlockContent {
  const transactions = parseBlock(block);
  if (proofs) proveBlock(transactions, header, network);
  const touched = scanBlock({ transactions, spent, height: header.number, network, watched });
  const transfers: Transfer[] = [];
  const memos: Memo[] = [];
  for (const { index, spentAt } of touched) {
    const txHash = displayHash(transactionHash(transactions, index));
    const outputs = outputsOf(transactions, index);
    const coins = { txHash, txIndex: index, inputs: readCoins(spent, spentAt), outputs };
    // Not spread into push(): one transaction may have more coins than a call may have arguments.
    for (const transfer of transfersOf(coins, { network, watched })) transfers.push(transfer);
    for (const memo of memosOf(txHash, outputs)) memos.push(memo);
  }
  return { transfers, memos };
}

/** A header, a count and that many transactions, the first and no other a coinbase, to the last byte. */
export function parseBlock(block: Uint8Array): Transactions {
  const reader = new ByteReader(block, "the block");
  reader.skip(HEADER_BYTES);
  const transactions = readTransactions(reader, reader.count(TRANSACTION_BYTES_MIN));
  reader.end();
  if (transactions.count === 0 || !isCoinbase(transactions, 0))
    throw new ProofError("format", "the block does not begin with a coinbase");
  return transactions;
}
