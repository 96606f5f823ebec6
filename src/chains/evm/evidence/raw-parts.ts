/** The bytes that a block's roots cover -> what a node's JSON would say of them. Nothing is believed but the bytes. */
import { RefutedError } from "../../../lib/errors.ts";
import { ALWAYS, SINCE_A_FORK } from "../proof/header.ts";
import { keccakHex } from "../proof/keccak.ts";
import type { ChainProfile } from "../proof/profiles.ts";
import { creationNonce, DEPOSIT, LOG } from "../proof/receipts.ts";
import { readRlp } from "../proof/rlp-reader.ts";
import { createdAddress, senderOf } from "../proof/sender.ts";
import type { TypedTransaction } from "../proof/transactions.ts";
import { bytesFrom, fieldsFrom, hexOf, type Json, listFrom } from "./raw-fields.ts";

/** Hash and fields. Throws RefutedError where the bytes are no header that we know. */
export function headerFrom(raw: Uint8Array): Json & { hash: string } {
  const items = listFrom(readRlp(raw), "the header");
  const table = [...ALWAYS, ...SINCE_A_FORK.slice(0, Math.max(items.length - ALWAYS.length, 0))];
  return { ...fieldsFrom(items, table, "the header"), hash: keccakHex(raw) };
}

export interface RawTransaction extends TypedTransaction {
  /** As a node's JSON says it, `hash` and `from` worked out. */
  readonly fields: Json & { hash: string; from: string };
  /** The chain is named in what was signed: on another chain it would be another transaction. */
  readonly namesChain: boolean;
}

const LIST = 0xc0;

/** Throws RefutedError, or Unproven, where the bytes are no transaction of that chain. */
export function transactionFrom(raw: Uint8Array, profile: ChainProfile): RawTransaction {
  const first = raw[0] ?? 0;
  // EIP-2718: a type below 0x80, or the list of a legacy transaction.
  const typeByte = first >= LIST ? 0 : first;
  const type = profile.types[typeByte];
  if (type === undefined || type.rawOnly === true || (typeByte === 0 && first < LIST))
    throw new RefutedError(`the transaction is of type 0x${typeByte.toString(16)}, which cannot be read on this chain`);
  const what = `the ${type.name} transaction`;
  const decoded = fieldsFrom(readRlp(typeByte === 0 ? raw : raw.subarray(1)), type.fields, what);
  const bare = { input: "0x", ...type.fixed, ...decoded, type: `0x${typeByte.toString(16)}` };
  const chainId = decoded["chainId"];
  if (chainId !== undefined && BigInt(chainId as string) !== BigInt(profile.chainId))
    throw new RefutedError(`${what} is signed for chain ${BigInt(chainId as string)}, not for ${profile.chainId}`);
  const from = senderOf({ fields: bare, typeByte, type }, profile.chainId);
  return {
    fields: { ...bare, hash: keccakHex(raw), from },
    typeByte,
    type,
    namesChain: chainId !== undefined || (type.signature === "legacy" && BigInt(decoded["v"] as string) >= 35n),
  };
}

/** Of that transaction, which is in the block of that hash. Throws RefutedError or Unproven. */
export function receiptFrom(raw: Uint8Array, transaction: RawTransaction, blockHash: string): Json {
  const { typeByte, type, fields } = transaction;
  if (typeByte !== 0 && raw[0] !== typeByte)
    throw new RefutedError("the receipt is of another type than its transaction");
  const items = listFrom(readRlp(typeByte === 0 ? raw : raw.subarray(1)), "the receipt");
  const [outcome, , , logs, ...deposit] = items;
  if (items.length < 4 || (deposit.length > 0 && type.depositReceipt !== true))
    throw new RefutedError(`the receipt has ${items.length} fields`);
  const receipt: Json = {
    ...outcomeFrom(bytesFrom(outcome, "the receipt's status")),
    ...fieldsFrom(
      items.slice(1, 3),
      [
        ["cumulativeGasUsed", "quantity"],
        ["logsBloom", "bloom"],
      ],
      "the receipt",
    ),
    logs: listFrom(logs, "the receipt's logs").map((log, at) => fieldsFrom(log, LOG, `log ${at}`)),
    ...(deposit.length === 0 ? {} : fieldsFrom(deposit, DEPOSIT, "the receipt")),
    transactionHash: fields.hash,
    blockHash,
  };
  return { ...receipt, contractAddress: contractOf(receipt, transaction) };
}

/** EIP-658: a status since Byzantium, the state root before. */
function outcomeFrom(bytes: Uint8Array): Json {
  if (bytes.length === 32) return { root: hexOf(bytes) };
  if (bytes.length === 0) return { status: "0x0" };
  if (bytes.length === 1 && bytes[0] === 1) return { status: "0x1" };
  throw new RefutedError("the receipt's status is neither 0 nor 1");
}

function contractOf(receipt: Json, { fields, type }: RawTransaction): string | null {
  if (fields["to"] !== null || receipt["status"] === "0x0") return null;
  const nonce = creationNonce(receipt, fields, type.creationNonce);
  if (nonce === null) throw new RefutedError("no root commits to the address of the contract that it created");
  return createdAddress(fields.from, nonce);
}
