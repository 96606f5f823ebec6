/**
 * A block's receipts -> their root and the block's bloom. Status (or state root before Byzantium), cumulative gas,
 * bloom and logs are under the root; everything else a receipt says is derived and compared.
 * go-ethereum core/types/receipt.go: Receipts.EncodeIndex, deriveFields.
 */
import { addToBloom, BLOOM_BYTES, bloomHex, mergeBloom } from "./bloom.ts";
import {
  addressOf,
  countOf,
  expectCount,
  expectField,
  type Fields,
  type FieldTable,
  fieldsOf,
  isAbsent,
  listOf,
  writeFields,
} from "./fields.ts";
import { RlpWriter } from "./rlp.ts";
import { createdAddress } from "./sender.ts";
import type { BlockPlace, TypedTransaction } from "./transactions.ts";
import { listPath, type ListPath, listRoot } from "./trie.ts";
import { inItem, Unproven } from "./unproven.ts";

/** Where a log stands, for what it repeats of it. */
export interface LogPlace extends BlockPlace {
  readonly transactionIndex: number;
  readonly transactionHash: unknown;
}

/** What a walk over the receipts adds up. */
export interface ReceiptTotals {
  gasUsed: number;
  logs: number;
  readonly bloom: Uint8Array;
  /** Of each receipt, in order. */
  readonly blooms: Uint8Array[];
}

/** In the order of the encoding; a log's topics may be none. */
export const LOG: FieldTable = [
  ["address", "address"],
  ["topics", "hashes"],
  ["data", "data"],
];
export const DEPOSIT: FieldTable = [
  ["depositNonce", "quantity"],
  ["depositReceiptVersion", "quantity"],
];
const CUMULATIVE_GAS: FieldTable = [["cumulativeGasUsed", "quantity"]];
const STATE_ROOT: FieldTable = [["root", "hash"]];

const NO_LOGS_BLOOM = new Uint8Array(BLOOM_BYTES);
const NO_LOGS_BLOOM_HEX = bloomHex(NO_LOGS_BLOOM);

const writer = new RlpWriter();

export function startTotals(): ReceiptTotals {
  return { gasUsed: 0, logs: 0, bloom: new Uint8Array(BLOOM_BYTES), blooms: [] };
}

/** Checks what no root commits to, and recomputes the bloom. `sender` is needed where a contract was created. */
export function checkReceipt(
  receipt: Fields,
  transaction: TypedTransaction,
  of: { place: LogPlace; sender: () => string; totals: ReceiptTotals },
): void {
  const { place, totals } = of;
  checkReceiptPlace(receipt, transaction.fields, place);
  expectField(receipt, "type", transaction.fields["type"], "receipts");
  checkContractAddress(receipt, transaction, of.sender);
  const cumulative = countOf(receipt, "cumulativeGasUsed", "gas");
  expectCount(receipt, "gasUsed", cumulative - totals.gasUsed, "gas");
  totals.gasUsed = cumulative;
  const bloom = checkLogs(receipt, place, totals);
  if (bloom !== NO_LOGS_BLOOM) mergeBloom(totals.bloom, bloom);
  totals.blooms.push(bloom);
}

/** What a receipt repeats of its transaction and block. */
export function checkReceiptPlace(receipt: Fields, transaction: Fields, place: LogPlace): void {
  expectField(receipt, "transactionHash", transaction["hash"], "receipts");
  expectCount(receipt, "transactionIndex", place.transactionIndex, "receipts");
  expectField(receipt, "blockHash", place.hash, "receipts");
  expectCount(receipt, "blockNumber", place.number, "receipts");
  expectField(receipt, "from", transaction["from"], "receipts");
  expectField(receipt, "to", transaction["to"], "receipts");
}

/** A new contract's address follows from its creator and nonce; where none was made none may be named. */
export function checkContractAddress(receipt: Fields, { fields, type }: TypedTransaction, sender: () => string): void {
  if (fields["to"] !== null) return expectField(receipt, "contractAddress", null, "receipts");
  // Some nodes name no contract where the creation failed; none was made.
  if (receipt["contractAddress"] === null && failed(receipt)) return;
  const stated = addressOf(receipt, "contractAddress", "receipts");
  const nonce = creationNonce(receipt, fields, type.creationNonce);
  if (nonce === null) {
    throw new Unproven(
      "receipts",
      "unsupported",
      `contractAddress ${stated} cannot be derived: no root commits to the nonce of this ${type.name} transaction`,
    );
  }
  expectField(receipt, "contractAddress", createdAddress(sender(), nonce), "receipts");
}

/** Null: no root commits to it. */
export function creationNonce(receipt: Fields, transaction: Fields, from: string): number | null {
  if (from === "nonce") return countOf(transaction, "nonce", "receipts");
  // Before Canyon the root leaves the nonce of a deposit out.
  if (from === "depositNonce" && !isAbsent(receipt["depositReceiptVersion"]))
    return countOf(receipt, "depositNonce", "receipts");
  return null;
}

function failed(receipt: Fields): boolean {
  return receipt["status"] === "0x0";
}

/** Checks what each log repeats of its place, counts it, and returns the bloom of them all. */
export function checkLogs(receipt: Fields, place: LogPlace, totals: { logs: number }): Uint8Array {
  const logs = listOf(receipt["logs"], "logs", "receipts");
  const bloom = logs.length === 0 ? NO_LOGS_BLOOM : new Uint8Array(BLOOM_BYTES);
  logs.forEach((value, at) => {
    inItem("log", at, () => {
      const log = fieldsOf(value, "it", "receipts");
      checkLogPlace(log, place, totals.logs);
      addLogToBloom(bloom, log);
    });
    totals.logs += 1;
  });
  const hex = bloom === NO_LOGS_BLOOM ? NO_LOGS_BLOOM_HEX : bloomHex(bloom);
  if (receipt["logsBloom"] !== hex) throw new Unproven("bloom", "mismatch", "logsBloom is not that of its logs");
  return bloom;
}

function checkLogPlace(log: Fields, place: LogPlace, logIndex: number): void {
  expectCount(log, "logIndex", logIndex, "receipts");
  expectField(log, "transactionHash", place.transactionHash, "receipts");
  expectCount(log, "transactionIndex", place.transactionIndex, "receipts");
  expectField(log, "blockHash", place.hash, "receipts");
  expectCount(log, "blockNumber", place.number, "receipts");
  if (!isAbsent(log["blockTimestamp"])) expectCount(log, "blockTimestamp", place.timestamp, "receipts");
  if (log["removed"] !== undefined && log["removed"] !== false)
    throw new Unproven("receipts", "mismatch", "removed is not false");
}

function addLogToBloom(bloom: Uint8Array, log: Fields): void {
  // Their lengths are checked where they are encoded.
  const { address } = log;
  if (typeof address !== "string" || !addToBloom(bloom, address))
    throw new Unproven("receipts", "malformed", "address is not hex");
  for (const topic of listOf(log["topics"], "topics", "receipts")) {
    if (typeof topic !== "string" || !addToBloom(bloom, topic))
      throw new Unproven("receipts", "malformed", "topics are not hex");
  }
}

/** A block's receipts, which `checkReceipt` accepted, with what their encoding needs beside them. */
export interface CheckedReceipts {
  readonly receipts: readonly Fields[];
  readonly transactions: readonly TypedTransaction[];
  readonly blooms: readonly Uint8Array[];
}

/** The root of the list, from receipts that `checkReceipt` accepted. */
export function receiptsRoot(
  receipts: readonly Fields[],
  transactions: readonly TypedTransaction[],
  blooms: readonly Uint8Array[],
): string {
  return listRoot(receipts.length, writer, itemsOf({ receipts, transactions, blooms }));
}

/** What shows that receipt `index` is under their root. */
export function receiptPath(index: number, of: CheckedReceipts): ListPath {
  return listPath({ count: of.receipts.length, index }, writer, itemsOf(of));
}

function itemsOf({ receipts, transactions, blooms }: CheckedReceipts): (index: number) => void {
  return (index) => {
    const receipt = receipts[index];
    const transaction = transactions[index];
    const bloom = blooms[index];
    if (receipt === undefined || transaction === undefined || bloom === undefined) return;
    inItem("receipt", index, () => writeReceipt(receipt, transaction, bloom));
  };
}

function writeReceipt(receipt: Fields, { type, typeByte }: TypedTransaction, bloom: Uint8Array): void {
  // op-geth, Receipts.EncodeIndex: "post-canyon receipt hash computation update".
  if (type.depositReceipt === true && !isAbsent(receipt["depositReceiptVersion"]))
    writeFields(writer, receipt, DEPOSIT, "receipts");
  writeLogs(listOf(receipt["logs"], "logs", "receipts"));
  writer.string(bloom);
  writeFields(writer, receipt, CUMULATIVE_GAS, "receipts");
  writeOutcome(receipt);
  writer.endList(0);
  if (typeByte !== 0) writer.rawByte(typeByte);
}

/** EIP-658: a status since Byzantium, the state root before. Both at once would let a reader take the wrong one. */
function writeOutcome(receipt: Fields): void {
  const { status, root } = receipt;
  if (isAbsent(status)) {
    return writeFields(writer, receipt, STATE_ROOT, "receipts");
  }
  if (!isAbsent(root)) throw new Unproven("receipts", "malformed", "status and root are both given");
  if (status !== "0x0" && status !== "0x1")
    throw new Unproven("receipts", "malformed", "status is neither 0x0 nor 0x1");
  writer.uint(status === "0x1" ? 1 : 0);
}

function writeLogs(logs: readonly unknown[]): void {
  const end = writer.size;
  for (let at = logs.length - 1; at >= 0; at -= 1) {
    const log = fieldsOf(logs[at], `logs[${at}]`, "receipts");
    const mark = writer.size;
    writeFields(writer, log, LOG, "receipts");
    writer.endList(mark);
  }
  writer.endList(end);
}
