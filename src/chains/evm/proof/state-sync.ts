/**
 * Polygon's state syncs before Madhugiri: bor appends one transaction and receipt to a block's answers which no root
 * covers (bor core/types/bor_receipt.go, DeriveFieldsForBorReceipt). They are set aside here; the rest is proven.
 */
import { expectCount, expectField, type Fields } from "./fields.ts";
import { keccakHex } from "./keccak.ts";
import type { ChainProfile, StateSync } from "./profiles.ts";
import { checkLogs, checkReceiptPlace } from "./receipts.ts";
import type { BlockPlace } from "./transactions.ts";
import { Unproven } from "./unproven.ts";

const ZERO_ADDRESS = "0x0000000000000000000000000000000000000000";

/** True when the last transaction is the one that bor made up for this block. */
export function endsInStateSync(transactions: readonly Fields[], profile: ChainProfile, place: BlockPlace): boolean {
  if (profile.stateSync === undefined || place.number >= profile.stateSync.coveredFrom) return false;
  return transactions.at(-1)?.["hash"] === stateSyncHash(place);
}

/** True when the block may have had a state sync, also one that the node does not show. */
export function mayHideStateSync({ stateSync }: ChainProfile, number: number): boolean {
  return stateSync !== undefined && number < stateSync.coveredFrom && number % sprintAt(stateSync, number) === 0;
}

function sprintAt({ sprints }: StateSync, number: number): number {
  return sprints.find(([from]) => number >= from)?.[1] ?? 1;
}

/** bor: keccak("matic-bor-receipt-" ++ number in 8 bytes ++ block hash). */
function stateSyncHash({ number, hash }: BlockPlace): string {
  const key = Buffer.alloc(18 + 8 + 32);
  key.write("matic-bor-receipt-", "latin1");
  key.writeBigUInt64BE(BigInt(number), 18);
  key.write(hash.slice(2), 26, "hex");
  return keccakHex(key);
}

/** It moves nothing itself: its logs do. What it says of its place must be so. */
export function checkStateSync(
  transaction: Fields,
  receipt: Fields,
  at: { index: number; logs: number; place: BlockPlace },
): void {
  const { index, place } = at;
  expectField(transaction, "from", ZERO_ADDRESS, "transactions");
  expectField(transaction, "to", ZERO_ADDRESS, "transactions");
  expectField(transaction, "value", "0x0", "transactions");
  expectField(transaction, "input", "0x", "transactions");
  expectField(transaction, "blockHash", place.hash, "transactions");
  expectCount(transaction, "blockNumber", place.number, "transactions");
  expectCount(transaction, "transactionIndex", index, "transactions");
  const logPlace = { ...place, transactionIndex: index, transactionHash: transaction["hash"] };
  checkReceiptPlace(receipt, transaction, logPlace);
  expectField(receipt, "contractAddress", null, "receipts");
  if (receipt["status"] !== "0x1" && receipt["status"] !== "0x0")
    throw new Unproven("receipts", "malformed", "status is neither 0x0 nor 0x1");
  checkLogs(receipt, logPlace, { logs: at.logs });
}
