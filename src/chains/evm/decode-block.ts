/**
 * A node's block, receipts and (where there are any) traces -> Transfers. Every field is checked where it enters: a
 * malformed, mixed or short answer throws and the block is asked for again; it never becomes "no transfers".
 */
import type { Address, ChainId, Header, Transfer } from "../../types/chain.ts";
import { type Checksum, addressOf, bytesOf, hashOf, numberOf, quantityOf } from "./answer-fields.ts";
import { type Fields, MalformedAnswerError, fieldsOf, listOf } from "../answer-fields.ts";
import { decodeDelegations } from "./decode-delegations.ts";
import { decodeLog } from "./decode-logs.ts";
import { type TracedTransaction, type ValueFrame } from "./decode-traces.ts";

export interface DecodeContext {
  readonly chain: ChainId;
  readonly nativeAssetId: string;
  /** Checksummed text of a lower-case address. */
  readonly checksum: Checksum;
}

export interface BlockAnswers {
  readonly header: Header;
  readonly block: unknown;
  readonly receipts: unknown;
  /** Null: the block was not traced. */
  readonly traces: readonly TracedTransaction[] | null;
}

const ZERO_ADDRESS = "0x0000000000000000000000000000000000000000";
const WEI_PER_GWEI = 1_000_000_000n;

export function decodeHeader(value: unknown): Header {
  const block = fieldsOf(value, "block");
  return {
    number: numberOf(block["number"], "block.number"),
    hash: hashOf(block["hash"], "block.hash"),
    parentHash: hashOf(block["parentHash"], "block.parentHash"),
    timestamp: numberOf(block["timestamp"], "block.timestamp"),
  };
}

/** The transaction hashes of a full block answer, in order. */
export function transactionHashesOf(block: unknown): string[] {
  const transactions = listOf(fieldsOf(block, "block")["transactions"], "block.transactions");
  return transactions.map((transaction, index) =>
    hashOf(fieldsOf(transaction, `transaction ${index}`)["hash"], `transaction ${index}: hash`),
  );
}

/** Everything in a block that moved value or a right over it, in order. Throws unless all answers describe `header`'s block. */
export function decodeTransfers(answers: BlockAnswers, context: DecodeContext): Transfer[] {
  const { header, traces } = answers;
  const block = fieldsOf(answers.block, "block");
  if (hashOf(block["hash"], "block.hash") !== header.hash) {
    throw new MalformedAnswerError("the node answered with another block", { details: { asked: header.hash } });
  }
  const transactions = listOf(block["transactions"], "block.transactions");
  const receipts = listOf(answers.receipts, "receipts");
  if (transactions.length !== receipts.length) {
    throw new MalformedAnswerError("the node's receipts do not cover the block's transactions", {
      details: { block: header.hash, transactions: transactions.length, receipts: receipts.length },
    });
  }
  if (traces !== null && traces.length !== transactions.length) {
    throw new MalformedAnswerError("the node's traces do not cover the block's transactions", {
      details: { block: header.hash },
    });
  }
  if (new Set(transactionHashesOf(block)).size !== transactions.length) {
    throw new MalformedAnswerError("the node's block holds a transaction twice", { details: { block: header.hash } });
  }
  const transfers: Transfer[] = [];
  let fees = 0n;
  const baseFee =
    block["baseFeePerGas"] === undefined || block["baseFeePerGas"] === null
      ? 0n
      : quantityOf(block["baseFeePerGas"], "block.baseFeePerGas");
  transactions.forEach((transaction, index) => {
    const part = transactionPart(
      { transaction, receipt: receipts[index], trace: traces?.[index] ?? null, index, header },
      context,
    );
    decodeTransaction(part, context, transfers);
    fees += tipOf(part, baseFee);
  });
  transfers.push(
    ...decodeWithdrawals(block["withdrawals"], context),
    ...decodeReward({ block, header, fees }, context),
  );
  return transfers;
}

/** The movements of one transaction of a proven block; those of its calls only where a trace is given. Throws as `decodeTransfers`. */
export function decodeOneTransaction(
  of: Pick<TransactionAnswer, "transaction" | "receipt" | "index" | "header"> & { trace?: TracedTransaction | null },
  context: DecodeContext,
): Transfer[] {
  const transfers: Transfer[] = [];
  decodeTransaction(transactionPart({ trace: null, ...of }, context), context, transfers);
  return transfers;
}

/**
 * The movements that the logs of one receipt of a proven block tell. The transaction's hash is the receipt's word, and
 * nothing else of the receipt beside its logs is looked at. Throws as `decodeTransfers`.
 */
export function decodeReceiptLogs(
  { receipt: answer, index, header }: { receipt: unknown; index: number; header: Header },
  context: DecodeContext,
): Transfer[] {
  const what = `transaction ${index} of block ${header.number}`;
  const receipt = fieldsOf(answer, `receipt of ${what}`);
  const txHash = hashOf(receipt["transactionHash"], `${what}: hash`);
  return decodeLogs({ receipt, txHash, index, what }, context);
}

function decodeLogs(
  { receipt, txHash, index, what }: Pick<TransactionPart, "receipt" | "txHash" | "index" | "what">,
  { chain, checksum }: DecodeContext,
): Transfer[] {
  return listOf(receipt["logs"], `${what}: logs`).flatMap((log, logIndex) => {
    const logWhat = `${what}: log ${logIndex}`;
    return decodeLog(fieldsOf(log, logWhat), { txHash, txIndex: index, chain, logIndex, what: logWhat, checksum });
  });
}

interface TransactionPart {
  readonly transaction: Fields;
  readonly receipt: Fields;
  readonly trace: TracedTransaction | null;
  readonly txHash: string;
  readonly index: number;
  readonly what: string;
  readonly failed: boolean;
  readonly from: Address;
  /** The recipient, or the new contract. */
  readonly to: Address;
  readonly isCreation: boolean;
  readonly value: bigint;
}

interface TransactionAnswer {
  readonly transaction: unknown;
  readonly receipt: unknown;
  readonly trace: TracedTransaction | null;
  readonly index: number;
  readonly header: Header;
}

function transactionPart(
  { trace, index, header, ...answers }: TransactionAnswer,
  { checksum }: DecodeContext,
): TransactionPart {
  const what = `transaction ${index} of block ${header.number}`;
  const transaction = fieldsOf(answers.transaction, what);
  const receipt = fieldsOf(answers.receipt, `receipt of ${what}`);
  const txHash = hashOf(transaction["hash"], `${what}: hash`);
  if (receipt["transactionHash"] !== txHash)
    throw new MalformedAnswerError(`${what}: its receipt belongs to another transaction`);
  if (receipt["blockHash"] !== header.hash)
    throw new MalformedAnswerError(`${what}: its receipt belongs to another block`);
  const failed = hasFailed(receipt, what);
  const isCreation = transaction["to"] === null || transaction["to"] === undefined;
  return {
    transaction,
    receipt,
    trace,
    txHash,
    index,
    what,
    failed,
    from: addressOf(transaction["from"], `${what}: from`, checksum),
    to: recipientOf({ transaction, receipt, isCreation, failed, what }, checksum),
    isCreation,
    value: quantityOf(transaction["value"], `${what}: value`),
  };
}

interface Recipient {
  readonly transaction: Fields;
  readonly receipt: Fields;
  readonly isCreation: boolean;
  readonly failed: boolean;
  readonly what: string;
}

/** Of a creation, the new contract. One that failed made none, and nodes differ in what they say of it. */
function recipientOf({ transaction, receipt, isCreation, failed, what }: Recipient, checksum: Checksum): Address {
  if (!isCreation) return addressOf(transaction["to"], `${what}: to`, checksum);
  return failed ? ZERO_ADDRESS : addressOf(receipt["contractAddress"], `${what}: contractAddress`, checksum);
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

function decodeTransaction(part: TransactionPart, context: DecodeContext, into: Transfer[]): void {
  const { transaction, what, txHash, failed, value } = part;
  const place = { txHash, txIndex: part.index };
  const logged = decodeLogs(part, context);
  const input = bytesOf(transaction["input"], `${what}: input`);
  if (part.trace !== null) checkTop(part, part.trace);
  // Delegations are set before the call runs: they stand even where it fails (EIP-7702).
  into.push(...decodeDelegations({ ...place, transaction, what }, context));
  // A failed transaction moves nothing but its fee. (Polygon logs that fee, with a topic of its own.)
  if (failed && logged.length > 0) throw new MalformedAnswerError(`${what}: failed, and moved something all the same`);
  if (failed) return;
  const native = { ...place, from: part.from, to: part.to, assetId: context.nativeAssetId };
  // A call without value is no transfer; an empty transaction of zero is one, and is recorded as zero-value.
  if (value > 0n || (input === "0x" && !part.isCreation)) {
    into.push({ ...native, key: "native", category: "native", amount: value });
  }
  if (part.isCreation) into.push({ ...native, key: "creation", category: "creation", amount: 0n });
  if (part.trace !== null) into.push(...innerTransfers(part.trace.inner, place, context));
  into.push(...logged);
}

/** Nothing commits to a trace, but its outermost frame must be the transaction itself. */
function checkTop(part: TransactionPart, { top }: TracedTransaction): void {
  const sameTo = part.isCreation ? top.to === null || top.to === part.to || part.failed : top.to === part.to;
  if (top.from !== part.from || top.amount !== part.value || !sameTo)
    throw new MalformedAnswerError(`${part.what}: its trace tells another transaction`);
}

/**
 * Counted among the frames that moved value (or created), not by trace path: tracers differ in whether they show calls
 * to precompiled contracts, and one movement must have one id on every node.
 */
function innerTransfers(
  frames: readonly ValueFrame[],
  place: { txHash: string; txIndex: number },
  context: DecodeContext,
): Transfer[] {
  const transfers: Transfer[] = [];
  let calls = 0;
  let creations = 0;
  for (const { kind, from, to, amount } of frames) {
    if (amount > 0n)
      transfers.push({
        ...place,
        from,
        to,
        amount,
        key: `call:${calls++}`,
        category: "internal",
        assetId: context.nativeAssetId,
      });
    if (kind === "create")
      transfers.push({
        ...place,
        from,
        to,
        amount: 0n,
        key: `creation:${creations++}`,
        category: "creation",
        assetId: context.nativeAssetId,
      });
  }
  return transfers;
}

/** Withdrawals of the consensus layer (EIP-4895), which tell amounts in gwei. */
export function decodeWithdrawals(withdrawals: unknown, context: DecodeContext): Transfer[] {
  if (withdrawals === undefined || withdrawals === null) return [];
  return listOf(withdrawals, "block.withdrawals").map((entry, nth) => {
    const what = `withdrawal ${nth}`;
    const withdrawal = fieldsOf(entry, what);
    return {
      key: "withdrawal",
      category: "withdrawal",
      txHash: `withdrawal-${numberOf(withdrawal["index"], `${what}: index`)}`,
      txIndex: -1,
      from: ZERO_ADDRESS,
      to: addressOf(withdrawal["address"], `${what}: address`, context.checksum),
      assetId: context.nativeAssetId,
      amount: quantityOf(withdrawal["amount"], `${what}: amount`) * WEI_PER_GWEI,
    };
  });
}

/** What the transactions pay the block's fee recipient above the burned base fee. Static rewards (before the merge) are not in it. */
function decodeReward(
  { block, header, fees }: { block: Fields; header: Header; fees: bigint },
  context: DecodeContext,
): Transfer[] {
  if (fees === 0n) return [];
  return [
    {
      key: "reward",
      category: "reward",
      txHash: `reward-${header.number}`,
      txIndex: -1,
      from: ZERO_ADDRESS,
      to: addressOf(block["miner"], "block.miner", context.checksum),
      assetId: context.nativeAssetId,
      amount: fees,
    },
  ];
}

function tipOf({ transaction, receipt, what }: TransactionPart, baseFee: bigint): bigint {
  const gasUsed = quantityOf(receipt["gasUsed"], `${what}: gasUsed`);
  const price = gasPriceOf(transaction, baseFee, what);
  return price <= baseFee ? 0n : (price - baseFee) * gasUsed;
}

/** EIP-1559: min(maxFee, baseFee + maxPriorityFee); what the node calls effectiveGasPrice is not committed to. */
function gasPriceOf(transaction: Fields, baseFee: bigint, what: string): bigint {
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = transaction;
  if (
    maxFeePerGas !== undefined &&
    maxFeePerGas !== null &&
    maxPriorityFeePerGas !== undefined &&
    maxPriorityFeePerGas !== null
  ) {
    const maxFee = quantityOf(maxFeePerGas, `${what}: maxFeePerGas`);
    const wanted = baseFee + quantityOf(maxPriorityFeePerGas, `${what}: maxPriorityFeePerGas`);
    return wanted < maxFee ? wanted : maxFee;
  }
  // Deposits and other system transactions of rollups pay no fee and name no price.
  return gasPrice === undefined || gasPrice === null ? 0n : quantityOf(gasPrice, `${what}: gasPrice`);
}
