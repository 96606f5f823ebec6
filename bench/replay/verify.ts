/**
 * A block and its receipts, as a node answers them, against the block's own hash: every commitment that does not hold,
 * by name. The bench's own code, so that it can be compared with the production proofs.
 */
import { recover } from "tiny-secp256k1";
import {
  bloomOf,
  encodeHeader,
  encodeReceipt,
  encodeTransaction,
  encodeWithdrawal,
  signingHash,
} from "./encoding/block-parts.ts";
import { bytesOf, hexOf } from "./encoding/hex.ts";
import { keccak256 } from "./encoding/keccak.ts";
import { orderedTrieRoot } from "./encoding/trie.ts";
import type { RpcBlock, RpcReceipt, RpcTransaction } from "./rpc-shapes.ts";

export function findFaults(block: RpcBlock, receipts: readonly RpcReceipt[]): string[] {
  const faults: string[] = [];
  const check = (name: string, actual: Uint8Array, expected: string) => {
    if (hexOf(actual) !== expected) faults.push(name);
  };
  const encoded = block.transactions.map(encodeTransaction);
  check("hash", keccak256(encodeHeader(block)), block.hash);
  check("transactionsRoot", orderedTrieRoot(encoded), block.transactionsRoot);
  check("receiptsRoot", orderedTrieRoot(receipts.map(encodeReceipt)), block.receiptsRoot);
  check("logsBloom", bloomOf(receipts.flatMap((receipt) => receipt.logs)), block.logsBloom);
  if (block.withdrawalsRoot !== undefined)
    check("withdrawalsRoot", orderedTrieRoot((block.withdrawals ?? []).map(encodeWithdrawal)), block.withdrawalsRoot);
  block.transactions.forEach((transaction, index) => {
    check(`transaction ${index}: hash`, keccak256(encoded[index] ?? bytesOf("0x")), transaction.hash);
  });
  receipts.forEach((receipt, index) => check(`receipt ${index}: logsBloom`, bloomOf(receipt.logs), receipt.logsBloom));
  return faults;
}

/** Indexes of the transactions whose signature does not give their `from`. */
export function findWrongSenders(block: RpcBlock): number[] {
  return block.transactions.flatMap((transaction, index) =>
    senderOf(transaction) === transaction.from ? [] : [index],
  );
}

function senderOf(transaction: RpcTransaction): string | null {
  const signature = Buffer.from(
    [transaction.r, transaction.s].map((part) => part.slice(2).padStart(64, "0")).join(""),
    "hex",
  );
  const v = Number(transaction.yParity ?? transaction.v);
  const parity = v >= 35 ? (v - 35) % 2 : v % 27;
  const key = recover(signingHash(transaction), signature, parity === 1 ? 1 : 0, false);
  return key === null ? null : addressOfKey(key);
}

/** The address of an uncompressed public key. */
export function addressOfKey(key: Uint8Array): string {
  return hexOf(keccak256(key.subarray(1)).subarray(12));
}
