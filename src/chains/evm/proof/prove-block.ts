/**
 * A node's answers about one block -> proven, or why not. Pure: JSON in, a value out, whatever the JSON.
 *
 * Recomputed: the header's hash, every transaction's hash, the roots of transactions, receipts and withdrawals, every
 * bloom. Derived and compared: what no root commits to (senders, contract addresses, gas per transaction, log indexes
 * and everything a receipt or log repeats of its place). Left to the caller: the parent link.
 * Not vouched for, because nothing here reads it: effectiveGasPrice, gasPrice of EIP-1559 transactions, chainId of legacy
 * ones, blob gas and prices of receipts, L1 fees, totalDifficulty, size, uncles, nonce of deposits, `input` of an Arbitrum
 * submit-retryable.
 */
import { assert } from "../../../lib/assert.ts";
import type { Header } from "../../../types/chain.ts";
import { addressOf, countOf, expectCount, expectField, type Fields, fieldsOf, hashOf, listOf } from "./fields.ts";
import { headerHash } from "./header.ts";
import { bloomHex } from "./bloom.ts";
import type { ChainProfile } from "./profiles.ts";
import { checkContractAddress, checkReceipt, type ReceiptTotals, receiptsRoot, startTotals } from "./receipts.ts";
import { authoritiesOf, senderOf } from "./sender.ts";
import { checkStateSync, endsInStateSync, mayHideStateSync } from "./state-sync.ts";
import {
  type BlockPlace,
  checkTransactionPlace,
  type RawTransactions,
  transactionsRoot,
  type TypedTransaction,
  typedTransaction,
} from "./transactions.ts";
import { inItem, type ProofCheck, Unproven, type UnprovenKind } from "./unproven.ts";
import { checkWithdrawals } from "./withdrawals.ts";

export interface BlockAnswers {
  /** The header that the chain was followed by. */
  readonly header: Header;
  /** `eth_getBlockByHash` with full transactions, parsed. */
  readonly block: unknown;
  /** `eth_getBlockReceipts`, parsed. */
  readonly receipts: unknown;
  /** Raw bytes of transactions whose JSON lacks their content; see `rawTransactionsNeeded`. */
  readonly raw?: RawTransactions;
}

export interface ProofOptions {
  readonly profile: ChainProfile;
  /** `all` recovers every sender and authority (0.25 ms each); `creations` only those that contract addresses need. */
  readonly senders: "all" | "creations";
}

export type BlockProof =
  | {
      readonly proven: true;
      /** In transaction order, lower-case; `null` where it was not recovered. */
      readonly senders: readonly (string | null)[];
      /** Who authorized, by transaction index, where senders are all recovered. EIP-7702. */
      readonly authorities: ReadonlyMap<number, readonly (string | null)[]>;
      /** Content that no root of this chain covers: for these parts the block is agreed, not proven. */
      readonly uncovered: readonly string[];
    }
  | { readonly proven: false; readonly kind: UnprovenKind; readonly check: ProofCheck; readonly reason: string };

export function proveBlock(answers: BlockAnswers, options: ProofOptions): BlockProof {
  try {
    return prove(answers, options);
  } catch (error) {
    if (!(error instanceof Unproven)) throw error;
    const { profile } = options;
    const encodable = profile.known && answers.header.number >= (profile.encodedSince ?? 0);
    // Where we do not know the encoding, a mismatch says nothing about the node.
    const kind = error.kind !== "malformed" && !encodable ? "unsupported" : error.kind;
    return { proven: false, kind, check: error.check, reason: error.message };
  }
}

/** The sender of one transaction of a proven block, lower-case; or why it is not the one the node names. */
export function proveSender(transaction: unknown, profile: ChainProfile): { sender: string } | { reason: string } {
  try {
    const typed = typedTransaction(fieldsOf(transaction, "transaction", "senders"), profile);
    return { sender: checkedSender(typed, profile) };
  } catch (error) {
    if (error instanceof Unproven) return { reason: error.message };
    throw error;
  }
}

/** True: the receipt of a transaction that creates a contract names the address that the nonce of its `from` gives. */
export function proveNewContract(transaction: unknown, receipt: unknown, profile: ChainProfile): boolean {
  try {
    const typed = typedTransaction(fieldsOf(transaction, "transaction", "senders"), profile);
    const from = () => addressOf(typed.fields, "from", "senders");
    checkContractAddress(fieldsOf(receipt, "receipt", "receipts"), typed, from);
    return true;
  } catch (error) {
    if (error instanceof Unproven) return false;
    throw error;
  }
}

/** Indexes of transactions that `proveBlock` can prove only from their raw bytes. Never throws. */
export function rawTransactionsNeeded(block: unknown, profile: ChainProfile): readonly number[] {
  const transactions: unknown = typeof block === "object" && block !== null ? (block as Fields)["transactions"] : null;
  if (!Array.isArray(transactions)) return [];
  return transactions.flatMap((transaction: unknown, index) => {
    const type = typeof transaction === "object" && transaction !== null ? (transaction as Fields)["type"] : null;
    return typeof type === "string" && profile.types[Number(type)]?.rawOnly === true ? [index] : [];
  });
}

function prove(
  { header, block: blockAnswer, receipts: receiptAnswer, raw }: BlockAnswers,
  options: ProofOptions,
): BlockProof {
  const { profile } = options;
  const block = fieldsOf(blockAnswer, "block", "header");
  const place = proveHeader(block, header);
  const all = itemsOf(block["transactions"], "transaction", "transactions");
  const allReceipts = itemsOf(receiptAnswer, "receipt", "receipts");
  if (all.length !== allReceipts.length)
    throw new Unproven("receipts", "mismatch", `${allReceipts.length} receipts for ${all.length} transactions`);
  const stateSync = endsInStateSync(all, profile, place);
  const covered = stateSync ? all.slice(0, -1) : all;
  const receipts = stateSync ? allReceipts.slice(0, -1) : allReceipts;

  const transactions = proveTransactions(covered, { block, place, profile, raw: raw ?? new Map() });
  const senders: (string | null)[] = transactions.map(() => null);
  const senderAt = (index: number): string => {
    const transaction = transactions[index];
    assert(transaction !== undefined, `the block has a transaction ${index}`);
    return (senders[index] ??= inItem("transaction", index, () => checkedSender(transaction, profile)));
  };
  const totals = proveReceipts(receipts, transactions, { block, place, senderAt });
  checkWithdrawals(block, profile);
  // Last: a recovery costs more than all the rest of its transaction.
  transactions.forEach(({ type }, index) => {
    if (options.senders === "all" || type.signature === "none") senderAt(index);
  });
  if (stateSync) {
    const index = all.length - 1;
    inItem("state-sync transaction", index, () =>
      checkStateSync(all[index] ?? {}, allReceipts[index] ?? {}, { index, logs: totals.logs, place }),
    );
    senders.push(null);
  }
  return {
    proven: true,
    senders,
    authorities: options.senders === "all" ? authorities(transactions) : new Map(),
    uncovered: mayHideStateSync(profile, place.number) || stateSync ? ["state syncs"] : [],
  };
}

/** The header's hash, and that it is the header that was followed. */
export function proveHeader(block: Fields, header: Header): BlockPlace {
  const hash = hashOf(block, "hash", "header");
  if (hash !== header.hash) throw new Unproven("header", "mismatch", `hash is ${hash}, asked for ${header.hash}`);
  if (headerHash(block) !== hash) throw new Unproven("header", "mismatch", "hash does not match the header's fields");
  expectCount(block, "number", header.number, "header");
  expectField(block, "parentHash", header.parentHash, "header");
  expectCount(block, "timestamp", header.timestamp, "header");
  return { number: header.number, hash, timestamp: header.timestamp };
}

function itemsOf(value: unknown, what: string, check: ProofCheck): readonly Fields[] {
  return listOf(value, `${what}s`, check).map((item, index) => fieldsOf(item, `${what} ${index}`, check));
}

/** Every transaction's hash, their root, and what the node repeats of their place. */
export function proveTransactions(
  items: readonly Fields[],
  of: { block: Fields; place: BlockPlace; profile: ChainProfile; raw: RawTransactions },
): readonly TypedTransaction[] {
  const seen = new Set<unknown>();
  const transactions = items.map((fields, index) =>
    inItem("transaction", index, () => {
      const transaction = typedTransaction(fields, of.profile);
      checkTransactionPlace(transaction, index, of.place);
      if (seen.has(fields["hash"])) throw new Unproven("transactions", "mismatch", "it is there twice");
      seen.add(fields["hash"]);
      return transaction;
    }),
  );
  if (transactionsRoot(transactions, of.raw) !== of.block["transactionsRoot"])
    throw new Unproven("transactions", "mismatch", "transactions do not match transactionsRoot");
  return transactions;
}

/** The sender of one transaction, compared with `from`. */
function checkedSender(transaction: TypedTransaction, profile: ChainProfile): string {
  const sender = senderOf(transaction, profile.chainId);
  expectField(transaction.fields, "from", sender, "senders");
  return sender;
}

function authorities(transactions: readonly TypedTransaction[]): ReadonlyMap<number, readonly (string | null)[]> {
  const found = new Map<number, readonly (string | null)[]>();
  transactions.forEach((transaction, index) => {
    if (!transaction.type.fields.some(([, kind]) => kind === "authorizations")) return;
    found.set(
      index,
      inItem("transaction", index, () => authoritiesOf(transaction)),
    );
  });
  return found;
}

/** The receipts' root, blooms and gas, and what the node repeats. `senderAt` is asked where contracts are created. */
export function proveReceipts(
  receipts: readonly Fields[],
  transactions: readonly TypedTransaction[],
  of: { block: Fields; place: BlockPlace; senderAt: (index: number) => string },
): ReceiptTotals {
  const { block, place } = of;
  const totals = startTotals();
  receipts.forEach((receipt, index) => {
    const transaction = transactions[index];
    if (transaction === undefined) return;
    const logPlace = { ...place, transactionIndex: index, transactionHash: transaction.fields["hash"] };
    const sender = () => of.senderAt(index);
    inItem("receipt", index, () => checkReceipt(receipt, transaction, { place: logPlace, sender, totals }));
  });
  if (receiptsRoot(receipts, transactions, totals.blooms) !== block["receiptsRoot"])
    throw new Unproven("receipts", "mismatch", "receipts do not match receiptsRoot");
  if (bloomHex(totals.bloom) !== block["logsBloom"])
    throw new Unproven("bloom", "mismatch", "logsBloom of the block is not that of its receipts");
  if (countOf(block, "gasUsed", "gas") !== totals.gasUsed)
    throw new Unproven("gas", "mismatch", "gasUsed of the block is not that of its receipts");
  return totals;
}
