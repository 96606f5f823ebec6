/** The consensus bytes of a header, transaction, receipt and withdrawal, from a node's JSON. */
import type { RpcHeader, RpcLog, RpcReceipt, RpcTransaction, RpcWithdrawal } from "../rpc-shapes.ts";
import { bytesOf, quantityBytes } from "./hex.ts";
import { keccak256 } from "./keccak.ts";
import { encodeRlp, type RlpItem } from "./rlp.ts";

const NOTHING = new Uint8Array(0);
const BLOOM_BYTES = 256;

export function encodeHeader(header: RpcHeader): Uint8Array {
  const fields: RlpItem[] = [
    bytesOf(header.parentHash),
    bytesOf(header.sha3Uncles),
    bytesOf(header.miner),
    bytesOf(header.stateRoot),
    bytesOf(header.transactionsRoot),
    bytesOf(header.receiptsRoot),
    bytesOf(header.logsBloom),
    quantityBytes(header.difficulty),
    quantityBytes(header.number),
    quantityBytes(header.gasLimit),
    quantityBytes(header.gasUsed),
    quantityBytes(header.timestamp),
    bytesOf(header.extraData),
    bytesOf(header.mixHash),
    bytesOf(header.nonce),
  ];
  // Each fork appended its own: London, Shanghai, Cancun (three), Prague.
  if (header.baseFeePerGas !== undefined) fields.push(quantityBytes(header.baseFeePerGas));
  if (header.withdrawalsRoot !== undefined) fields.push(bytesOf(header.withdrawalsRoot));
  if (header.blobGasUsed !== undefined) fields.push(quantityBytes(header.blobGasUsed));
  if (header.excessBlobGas !== undefined) fields.push(quantityBytes(header.excessBlobGas));
  if (header.parentBeaconBlockRoot !== undefined) fields.push(bytesOf(header.parentBeaconBlockRoot));
  if (header.requestsHash !== undefined) fields.push(bytesOf(header.requestsHash));
  return encodeRlp(fields);
}

export function encodeTransaction(transaction: RpcTransaction): Uint8Array {
  const isLegacy = transaction.type === "0x0";
  const signature = [
    quantityBytes(isLegacy ? transaction.v : (transaction.yParity ?? transaction.v)),
    quantityBytes(transaction.r),
    quantityBytes(transaction.s),
  ];
  return enveloped(transaction.type, [...unsignedFields(transaction), ...signature]);
}

/** What the sender signed. */
export function signingHash(transaction: RpcTransaction): Uint8Array {
  const fields = unsignedFields(transaction);
  // EIP-155: a legacy signature with v of 35 or more also covers the chain id.
  if (transaction.type === "0x0" && Number(transaction.v) >= 35)
    fields.push(quantityBytes(`0x${Math.floor((Number(transaction.v) - 35) / 2).toString(16)}`), NOTHING, NOTHING);
  return keccak256(enveloped(transaction.type, fields));
}

function enveloped(type: string, fields: readonly RlpItem[]): Uint8Array {
  const payload = encodeRlp(fields);
  return type === "0x0" ? payload : Buffer.concat([Uint8Array.of(Number(type)), payload]);
}

function unsignedFields(transaction: RpcTransaction): RlpItem[] {
  const kind = Number(transaction.type);
  const hasFeeMarket = kind >= 2;
  const fields: RlpItem[] = [];
  if (kind > 0) fields.push(quantityBytes(present(transaction.chainId)));
  fields.push(quantityBytes(transaction.nonce));
  if (hasFeeMarket) {
    fields.push(quantityBytes(present(transaction.maxPriorityFeePerGas)));
    fields.push(quantityBytes(present(transaction.maxFeePerGas)));
  } else fields.push(quantityBytes(transaction.gasPrice));
  fields.push(
    quantityBytes(transaction.gas),
    transaction.to === null ? NOTHING : bytesOf(transaction.to),
    quantityBytes(transaction.value),
    bytesOf(transaction.input),
  );
  if (kind > 0)
    fields.push(
      (transaction.accessList ?? []).map(({ address, storageKeys }) => [bytesOf(address), storageKeys.map(bytesOf)]),
    );
  if (kind === 3)
    fields.push(
      quantityBytes(present(transaction.maxFeePerBlobGas)),
      (transaction.blobVersionedHashes ?? []).map(bytesOf),
    );
  if (kind === 4) fields.push((transaction.authorizationList ?? []).map(authorizationFields));
  return fields;
}

function authorizationFields(
  authorization: NonNullable<RpcTransaction["authorizationList"]>[number],
): readonly RlpItem[] {
  const { chainId, address, nonce, yParity, r, s } = authorization;
  return [
    quantityBytes(chainId),
    bytesOf(address),
    quantityBytes(nonce),
    quantityBytes(yParity),
    quantityBytes(r),
    quantityBytes(s),
  ];
}

function present(value: string | undefined): string {
  if (value === undefined) throw new Error("a transaction lacks a field its type needs");
  return value;
}

export function encodeReceipt(receipt: RpcReceipt): Uint8Array {
  const outcome = receipt.status === undefined ? bytesOf(present(receipt.root)) : quantityBytes(receipt.status);
  const logs = receipt.logs.map(({ address, topics, data }) => [bytesOf(address), topics.map(bytesOf), bytesOf(data)]);
  return enveloped(receipt.type, [outcome, quantityBytes(receipt.cumulativeGasUsed), bytesOf(receipt.logsBloom), logs]);
}

export function encodeWithdrawal(withdrawal: RpcWithdrawal): Uint8Array {
  return encodeRlp([
    quantityBytes(withdrawal.index),
    quantityBytes(withdrawal.validatorIndex),
    bytesOf(withdrawal.address),
    quantityBytes(withdrawal.amount),
  ]);
}

export function bloomOf(logs: readonly RpcLog[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { address, topics } of logs)
    for (const part of [address, ...topics]) setBits(bloom, keccak256(bytesOf(part)));
  return bloom;
}

/** Three bits of 2,048, each named by the low 11 bits of a byte pair of the hash. */
function setBits(bloom: Uint8Array, hash: Uint8Array): void {
  for (const at of [0, 2, 4]) {
    const bit = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047;
    const byte = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[byte] = (bloom[byte] ?? 0) | (1 << (bit & 7));
  }
}
