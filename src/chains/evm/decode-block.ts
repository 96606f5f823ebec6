/**
 * A node's block and receipts -> Transfers. Every field is checked where it enters: a malformed, mixed or short
 * answer throws and the block is asked for again; it never becomes "no transfers".
 */
import type { Address, ChainId, Header, Transfer } from "../../types/chain.ts";
import { AppError } from "../../lib/errors.ts";

/** keccak256("Transfer(address,address,uint256)"), EIP-20. */
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

export class MalformedAnswerError extends AppError {
  override readonly code = "malformed_answer";
  override readonly retryable = true;
}

export interface DecodeContext {
  readonly chain: ChainId;
  readonly nativeAssetId: string;
  /** Checksummed text of a lower-case address. */
  readonly checksum: (lower: string) => Address;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new MalformedAnswerError(`${what} is not an object`);
  return value as Fields;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new MalformedAnswerError(`${what} is not a list`);
  return value;
}

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const QUANTITY = /^0x[0-9a-fA-F]{1,64}$/;

function hashOf(value: unknown, what: string): string {
  if (typeof value !== "string" || !HASH.test(value)) throw new MalformedAnswerError(`${what} is not a 32-byte hash`);
  return value;
}

/** Bytes as hex. A search for a wrong sign, not a pattern of right ones: those use up the stack on megabytes. */
function bytesOf(value: unknown, what: string): string {
  if (
    typeof value !== "string" ||
    !value.startsWith("0x") ||
    value.length % 2 !== 0 ||
    /[^0-9a-fA-F]/.test(value.slice(2))
  )
    throw new MalformedAnswerError(`${what} is not hex`);
  return value;
}

function quantityOf(value: unknown, what: string): bigint {
  if (typeof value !== "string" || !QUANTITY.test(value))
    throw new MalformedAnswerError(`${what} is not a hex quantity`);
  return BigInt(value);
}

export function numberOf(value: unknown, what: string): number {
  const number = Number(quantityOf(value, what));
  if (!Number.isSafeInteger(number)) throw new MalformedAnswerError(`${what} is out of range`);
  return number;
}

function addressOf(value: unknown, what: string, context: DecodeContext): Address {
  if (typeof value !== "string" || !ADDRESS.test(value)) throw new MalformedAnswerError(`${what} is not an address`);
  return context.checksum(value.toLowerCase());
}

export function decodeHeader(value: unknown): Header {
  const block = fieldsOf(value, "block");
  return {
    number: numberOf(block["number"], "block.number"),
    hash: hashOf(block["hash"], "block.hash"),
    parentHash: hashOf(block["parentHash"], "block.parentHash"),
    timestamp: numberOf(block["timestamp"], "block.timestamp"),
  };
}

/** All native and ERC-20 transfers of a block, in transaction and log order. Throws unless both answers describe `header`'s block. */
export function decodeTransfers(
  answers: { header: Header; block: unknown; receipts: unknown },
  context: DecodeContext,
): Transfer[] {
  const { header } = answers;
  const block = fieldsOf(answers.block, "block");
  if (hashOf(block["hash"], "block.hash") !== header.hash)
    throw new MalformedAnswerError("the node answered with another block", { details: { asked: header.hash } });
  const transactions = listOf(block["transactions"], "block.transactions");
  const receipts = listOf(answers.receipts, "receipts");
  if (transactions.length !== receipts.length) {
    throw new MalformedAnswerError("the node's receipts do not cover the block's transactions", {
      details: { block: header.hash, transactions: transactions.length, receipts: receipts.length },
    });
  }
  const seen = new Set(transactions.map((transaction) => fieldsOf(transaction, "transaction")["hash"]));
  if (seen.size !== transactions.length)
    throw new MalformedAnswerError("the node's block holds a transaction twice", { details: { block: header.hash } });
  const transfers: Transfer[] = [];
  transactions.forEach((transaction, index) => {
    decodeTransaction({ transaction, receipt: receipts[index], index, header }, context, transfers);
  });
  return transfers;
}

interface TransactionAnswer {
  readonly transaction: unknown;
  readonly receipt: unknown;
  readonly index: number;
  readonly header: Header;
}

function decodeTransaction(answer: TransactionAnswer, context: DecodeContext, into: Transfer[]): void {
  const { index, header } = answer;
  const what = `transaction ${index} of block ${header.number}`;
  const transaction = fieldsOf(answer.transaction, what);
  const receipt = fieldsOf(answer.receipt, `receipt of ${what}`);
  const txHash = hashOf(transaction["hash"], `${what}: hash`);
  if (receipt["transactionHash"] !== txHash)
    throw new MalformedAnswerError(`${what}: its receipt belongs to another transaction`);
  if (receipt["blockHash"] !== header.hash)
    throw new MalformedAnswerError(`${what}: its receipt belongs to another block`);
  const failed = hasFailed(receipt, what);
  const tokens = listOf(receipt["logs"], `${what}: logs`)
    .map((log, logIndex) =>
      decodeLog(fieldsOf(log, `${what}: log ${logIndex}`), { txHash, index, logIndex, what }, context),
    )
    .filter((transfer) => transfer !== null);
  const native = decodeNative({ transaction, receipt, failed, txHash, index, what }, context);
  // A failed transaction moves nothing but its fee. (Polygon logs that fee, with a topic of its own.)
  if (failed && tokens.length > 0) throw new MalformedAnswerError(`${what}: failed, and moved a token all the same`);
  if (native !== null) into.push(native);
  into.push(...tokens);
}

/** Before Byzantium (block 4,370,000) receipts carried a state root instead of a status: then nobody can tell. */
function hasFailed(receipt: Fields, what: string): boolean {
  const status = receipt["status"] ?? null;
  if (status === null) {
    hashOf(receipt["root"], `${what}: neither status nor state root`);
    return false;
  }
  const success = quantityOf(status, `${what}: status`);
  if (success > 1n) throw new MalformedAnswerError(`${what}: status is neither 0 nor 1`);
  return success === 0n;
}

interface NativeAnswer {
  readonly transaction: Fields;
  readonly receipt: Fields;
  readonly failed: boolean;
  readonly txHash: string;
  readonly index: number;
  readonly what: string;
}

function decodeNative(
  { transaction, receipt, failed, txHash, index, what }: NativeAnswer,
  context: DecodeContext,
): Transfer | null {
  const amount = quantityOf(transaction["value"], `${what}: value`);
  const input = bytesOf(transaction["input"], `${what}: input`);
  // A call without value is no transfer; an empty transaction of zero is one, and is recorded as zero-value.
  if (failed || (amount === 0n && input !== "0x")) return null;
  const creation = transaction["to"] === null || transaction["to"] === undefined;
  const to = creation ? receipt["contractAddress"] : transaction["to"];
  return {
    key: "native",
    category: "native",
    txHash,
    txIndex: index,
    from: addressOf(transaction["from"], `${what}: from`, context),
    to: addressOf(to, `${what}: ${creation ? "contractAddress" : "to"}`, context),
    assetId: context.nativeAssetId,
    amount,
  };
}

interface LogPlace {
  readonly txHash: string;
  readonly index: number;
  readonly logIndex: number;
  readonly what: string;
}

/** ERC-20: three topics and one word of data. ERC-721 has four topics, older tokens fewer: they are other kinds. */
function decodeLog(log: Fields, { txHash, index, logIndex, what }: LogPlace, context: DecodeContext): Transfer | null {
  const place = `${what}: log ${logIndex}`;
  const topics = listOf(log["topics"], `${place}: topics`);
  // Also those of other events: a topic that is no topic may have been a Transfer.
  for (const topic of topics) hashOf(topic, `${place}: topic`);
  if (topics.length > 4) throw new MalformedAnswerError(`${place}: more than four topics`);
  if (topics[0] !== TRANSFER_TOPIC || topics.length !== 3) return null;
  const data = bytesOf(log["data"], `${place}: data`);
  if (data.length !== 66) return null;
  const assetAddress = addressOf(log["address"], `${place}: address`, context);
  return {
    key: `log:${logIndex}`,
    category: "erc20",
    txHash,
    txIndex: index,
    from: topicAddress(topics[1], place, context),
    to: topicAddress(topics[2], place, context),
    assetId: `${context.chain}/erc20:${assetAddress}`,
    amount: quantityOf(data, `${place}: data`),
  };
}

function topicAddress(topic: unknown, place: string, context: DecodeContext): Address {
  // The low 20 bytes, as every ABI decoder of the field reads them: dirty upper bytes do not hide an address.
  return context.checksum(`0x${hashOf(topic, `${place}: topic`).slice(26)}`);
}
