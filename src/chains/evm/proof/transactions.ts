/**
 * A block's transactions -> their root, every transaction's hash recomputed on the way.
 * What the encoding leaves out but the node repeats (place in the block, fixed addresses) must say what we derive.
 */
import { expectCount, expectField, type Fields, addressOf, countOf, hashOf, isAbsent, writeFields } from "./fields.ts";
import { keccakHex } from "./keccak.ts";
import type { ChainProfile, TransactionType } from "./profiles.ts";
import { RlpWriter } from "./rlp.ts";
import { listPath, type ListPath, listRoot } from "./trie.ts";
import { inItem, Unproven } from "./unproven.ts";

/** The block that every part of an answer must name. */
export interface BlockPlace {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: number;
}

/** A transaction whose type the profile knows. */
export interface TypedTransaction {
  readonly fields: Fields;
  readonly typeByte: number;
  readonly type: TransactionType;
}

/** Raw bytes by transaction index, for types whose JSON lacks the content. */
export type RawTransactions = ReadonlyMap<number, string>;

/** Reads as another kind of movement where it does not belong: such a field must be absent or empty. */
export const FIELDS_OF_SOME_TYPES = [
  "accessList",
  "authorizationList",
  "blobVersionedHashes",
  "mint",
  "depositValue",
  "retryTo",
  "retryValue",
];

const writer = new RlpWriter();

export function typedTransaction(fields: Fields, profile: ChainProfile): TypedTransaction {
  const typeByte = countOf(fields, "type", "transactions");
  // Readers compare this text: 0x04 would hide a delegation from one that looks for 0x4.
  expectField(fields, "type", `0x${typeByte.toString(16)}`, "transactions");
  const type = profile.types[typeByte];
  if (type === undefined) {
    throw new Unproven(
      "transactions",
      "unsupported",
      `type 0x${typeByte.toString(16)} is not one that we can encode on ${profile.name}`,
    );
  }
  return { fields, typeByte, type };
}

/** Everything about a transaction that no root commits to, except `from` of signed types: its sender proves that. */
export function checkTransactionPlace(transaction: TypedTransaction, index: number, place: BlockPlace): void {
  const { fields } = transaction;
  hashOf(fields, "hash", "transactions");
  expectField(fields, "blockHash", place.hash, "transactions");
  expectCount(fields, "blockNumber", place.number, "transactions");
  expectCount(fields, "transactionIndex", index, "transactions");
  checkTransactionShape(transaction);
}

/** What no hash commits to, wherever the transaction is: no field may read as something that its type does not have. */
export function checkTransactionShape({ fields, type }: TypedTransaction): void {
  addressOf(fields, "from", "transactions");
  for (const [key, value] of Object.entries(type.fixed ?? {})) expectField(fields, key, value, "transactions");
  if (fields["data"] !== undefined && fields["data"] !== fields["input"])
    throw new Unproven("transactions", "mismatch", "data and input differ");
  for (const key of FIELDS_OF_SOME_TYPES) {
    const value = fields[key];
    if (isAbsent(value) || type.fields.some(([own]) => own === key)) continue;
    if (!Array.isArray(value) || value.length > 0)
      throw new Unproven("transactions", "mismatch", `${key} has no place in a ${type.name} transaction`);
  }
}

/** The hash of one transaction's content. */
export function transactionHash(transaction: TypedTransaction): string {
  writer.clear();
  writeTransaction(transaction, undefined);
  return keccakHex(writer.view());
}

/** The root of the list. Throws at the first transaction whose hash is not that of its content. */
export function transactionsRoot(transactions: readonly TypedTransaction[], raw: RawTransactions): string {
  return listRoot(transactions.length, writer, itemsOf(transactions, raw));
}

/** What shows that transaction `index` is under their root. Throws as `transactionsRoot`. */
export function transactionPath(
  index: number,
  transactions: readonly TypedTransaction[],
  raw: RawTransactions,
): ListPath {
  return listPath({ count: transactions.length, index }, writer, itemsOf(transactions, raw));
}

function itemsOf(transactions: readonly TypedTransaction[], raw: RawTransactions): (index: number) => void {
  return (index) => {
    const transaction = transactions[index];
    if (transaction === undefined) return;
    inItem("transaction", index, () => {
      writeTransaction(transaction, raw.get(index));
      if (keccakHex(writer.view()) !== transaction.fields["hash"]) throw wrongHash(transaction);
    });
  };
}

/** EIP-2718: the type byte, then the list; a legacy transaction is the list alone. */
function writeTransaction({ fields, typeByte, type }: TypedTransaction, raw: string | undefined): void {
  if (type.rawOnly === true) return writeRaw(typeByte, type, raw);
  writeFields(writer, fields, type.fields, "transactions");
  writer.endList(0);
  if (typeByte !== 0) writer.rawByte(typeByte);
}

function writeRaw(typeByte: number, type: TransactionType, raw: string | undefined): void {
  if (raw === undefined) {
    throw new Unproven(
      "transactions",
      "unsupported",
      `a ${type.name} transaction's content is not in the node's JSON, and its raw bytes were not given`,
    );
  }
  if (!writer.rawHex(raw) || writer.view()[0] !== typeByte)
    throw new Unproven("transactions", "malformed", `its raw bytes are not those of a ${type.name} transaction`);
}

function wrongHash({ fields, type }: TypedTransaction): Unproven {
  const reason = "hash does not match its content";
  const unsigned = type.signature !== "none" && isZero(fields["r"]) && isZero(fields["s"]);
  // A development node mines for senders whose key it does not have: nothing is wrong, and nothing can be recomputed.
  if (unsigned) return new Unproven("transactions", "unsigned", `${reason}, it carries no signature`);
  return new Unproven("transactions", "mismatch", reason);
}

function isZero(value: unknown): boolean {
  return typeof value === "string" && /^0x0+$/.test(value);
}
