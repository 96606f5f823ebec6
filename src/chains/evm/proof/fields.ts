/**
 * A node's JSON -> RLP, field by field, by tables. Whatever is missing, of another type, or not lower-case hex of the
 * right length is `malformed`: readers after us compare these texts as they stand.
 */
import type { RlpWriter } from "./rlp.ts";
import { type ProofCheck, Unproven } from "./unproven.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** How one field of the JSON is encoded. */
export type FieldKind =
  | "quantity"
  /** An integer that may be missing: encoded as zero. */
  | "quantityOrNone"
  | "data"
  | "hash"
  | "address"
  /** `null` creates a contract: encoded as the empty string. */
  | "addressOrNone"
  | "bloom"
  | "nonce8"
  /** A boolean that may be missing: false. */
  | "flag"
  /** The y parity of a typed transaction's signature, which nodes name `yParity`, `v`, or both. */
  | "parity"
  /** The fee cap of an Arbitrum transaction, which nodes name `maxFeePerGas` or `gasPrice`. */
  | "feeCap"
  | "hashes"
  | "accessList"
  | "authorizations";

export type FieldTable = readonly (readonly [key: string, kind: FieldKind])[];

const FIXED_BYTES: Partial<Record<FieldKind, number>> = {
  hash: 32,
  address: 20,
  addressOrNone: 20,
  bloom: 256,
  nonce8: 8,
};

/** One entry of a type 4 transaction's authorizationList. EIP-7702. */
export const AUTHORIZATION: FieldTable = [
  ["chainId", "quantity"],
  ["address", "address"],
  ["nonce", "quantity"],
  ["yParity", "quantity"],
  ["r", "quantity"],
  ["s", "quantity"],
];

/** What an EIP-7702 authority signs. */
export const AUTHORIZATION_PAYLOAD: FieldTable = AUTHORIZATION.slice(0, 3);

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

export function fieldsOf(value: unknown, what: string, check: ProofCheck): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Unproven(check, "malformed", `${what} is not an object`);
  return value as Fields;
}

export function listOf(value: unknown, what: string, check: ProofCheck): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unproven(check, "malformed", `${what} is not a list`);
  return value;
}

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;
const QUANTITY = /^0x[0-9a-f]{1,64}$/;

export function hashOf(fields: Fields, key: string, check: ProofCheck): string {
  const value = fields[key];
  if (typeof value !== "string" || !HASH.test(value)) throw malformed(fields, key, "a 32-byte hash", check);
  return value;
}

export function addressOf(fields: Fields, key: string, check: ProofCheck): string {
  const value = fields[key];
  if (typeof value !== "string" || !ADDRESS.test(value)) throw malformed(fields, key, "a lower-case address", check);
  return value;
}

export function quantityOf(fields: Fields, key: string, check: ProofCheck): bigint {
  const value = fields[key];
  if (typeof value !== "string" || !QUANTITY.test(value)) throw malformed(fields, key, "a hex quantity", check);
  return BigInt(value);
}

/** A quantity that counts something: heights, indexes, gas. */
export function countOf(fields: Fields, key: string, check: ProofCheck): number {
  const value = fields[key];
  // 13 digits stay below 2^53; the regular expression admits leading zeros.
  if (typeof value !== "string" || value.length > 15 || !QUANTITY.test(value))
    throw malformed(fields, key, "a hex quantity below 2^52", check);
  return Number(value);
}

/** The field must say what we derived: a text, or null. */
export function expectField(fields: Fields, key: string, derived: unknown, check: ProofCheck): void {
  const value = fields[key];
  if (value === derived) return;
  if (value === undefined) throw new Unproven(check, "malformed", `${key} is missing`);
  throw new Unproven(check, "mismatch", `${key} is ${shown(value)}, derived ${shown(derived)}`);
}

/** As `expectField`, for an integer: leading zeros say the same. */
export function expectCount(fields: Fields, key: string, expected: number, check: ProofCheck): void {
  // Every log repeats four of these: most answers are settled by comparing texts.
  if (fields[key] === countText(expected)) return;
  const value = countOf(fields, key, check);
  if (value !== expected) throw new Unproven(check, "mismatch", `${key} is ${value}, derived ${expected}`);
}

/** The last number of many, as one block's logs ask for it: block number, timestamp, index. */
const countTexts: { number: number; text: string }[] = Array.from({ length: 64 }, () => ({ number: 0, text: "0x0" }));

function countText(number: number): string {
  const slot = countTexts[number % countTexts.length];
  if (slot === undefined) return "";
  if (slot.number !== number) {
    slot.number = number;
    slot.text = `0x${number.toString(16)}`;
  }
  return slot.text;
}

function malformed(fields: Fields, key: string, what: string, check: ProofCheck): Unproven {
  const problem = fields[key] === undefined ? "is missing" : `is not ${what}`;
  return new Unproven(check, "malformed", `${key} ${problem}`);
}

/** A value of the node in a reason: short, and never an object of its own making. */
function shown(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "string" ? value.slice(0, 70) : `a ${typeof value}`;
}

/** Writes the fields of `table` as the items of a list that the caller closes: the last one first. */
export function writeFields(writer: RlpWriter, fields: Fields, table: FieldTable, check: ProofCheck): void {
  for (let at = table.length - 1; at >= 0; at -= 1) {
    const rule = table[at];
    if (rule !== undefined) writeField(writer, fields, rule[0], rule[1], check);
  }
}

function writeField(writer: RlpWriter, fields: Fields, key: string, kind: FieldKind, check: ProofCheck): void {
  const value = fields[key];
  switch (kind) {
    case "quantity":
      return writeQuantity(writer, fields, key, check);
    case "quantityOrNone":
      return isAbsent(value) ? writer.emptyString() : writeQuantity(writer, fields, key, check);
    case "addressOrNone":
      return value === null ? writer.emptyString() : writeBytes(writer, fields, key, kind, check);
    case "data":
    case "hash":
    case "address":
    case "bloom":
    case "nonce8":
      return writeBytes(writer, fields, key, kind, check);
    case "flag":
      if (!isAbsent(value) && typeof value !== "boolean") throw malformed(fields, key, "a boolean", check);
      return writer.uint(value === true ? 1 : 0);
    case "parity":
      return writer.uint(parityOf(fields, check));
    case "feeCap":
      return writeQuantity(writer, fields, isAbsent(fields["maxFeePerGas"]) ? "gasPrice" : "maxFeePerGas", check);
    case "hashes":
      return writeHashes(writer, value, key, check);
    case "accessList":
      return writeAccessList(writer, value, key, check);
    case "authorizations":
      return writeAuthorizations(writer, value, key, check);
  }
}

function writeQuantity(writer: RlpWriter, fields: Fields, key: string, check: ProofCheck): void {
  const value = fields[key];
  if (typeof value !== "string" || !writer.quantityHex(value)) throw malformed(fields, key, "a hex quantity", check);
}

function writeBytes(writer: RlpWriter, fields: Fields, key: string, kind: FieldKind, check: ProofCheck): void {
  const value = fields[key];
  const mark = writer.size;
  const size = FIXED_BYTES[kind];
  if (typeof value !== "string" || (size !== undefined && value.length !== 2 + 2 * size) || !writer.rawHex(value))
    throw malformed(fields, key, size === undefined ? "hex data" : `${size} bytes of hex`, check);
  writer.endString(mark);
}

/** 0 or 1. When a node gives both names they must agree. */
export function parityOf(fields: Fields, check: ProofCheck): number {
  const { yParity, v } = fields;
  const parity = countOf(fields, isAbsent(yParity) ? "v" : "yParity", check);
  if (parity > 1) throw new Unproven(check, "malformed", "yParity is neither 0 nor 1");
  if (!isAbsent(yParity) && !isAbsent(v)) expectCount(fields, "v", parity, check);
  return parity;
}

/** A list of 32-byte hashes: log topics, blob hashes, storage keys. */
export function writeHashes(writer: RlpWriter, value: unknown, key: string, check: ProofCheck): void {
  const hashes = listOf(value, key, check);
  const end = writer.size;
  for (let at = hashes.length - 1; at >= 0; at -= 1) {
    const hash = hashes[at];
    const mark = writer.size;
    if (typeof hash !== "string" || hash.length !== 66 || !writer.rawHex(hash))
      throw new Unproven(check, "malformed", `${key}[${at}] is not a 32-byte hash`);
    writer.endString(mark);
  }
  writer.endList(end);
}

function writeAccessList(writer: RlpWriter, value: unknown, key: string, check: ProofCheck): void {
  const entries = listOf(value, key, check);
  const end = writer.size;
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const entry = fieldsOf(entries[at], `${key}[${at}]`, check);
    const mark = writer.size;
    writeHashes(writer, entry["storageKeys"], `${key}[${at}].storageKeys`, check);
    writeBytes(writer, entry, "address", "address", check);
    writer.endList(mark);
  }
  writer.endList(end);
}

function writeAuthorizations(writer: RlpWriter, value: unknown, key: string, check: ProofCheck): void {
  const entries = listOf(value, key, check);
  const end = writer.size;
  for (let at = entries.length - 1; at >= 0; at -= 1) {
    const mark = writer.size;
    writeFields(writer, fieldsOf(entries[at], `${key}[${at}]`, check), AUTHORIZATION, check);
    writer.endList(mark);
  }
  writer.endList(end);
}
