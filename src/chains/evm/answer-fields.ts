/** Fields of a node's answer, checked where they enter. What does not fit throws, and the block is asked for again. */
import type { Address } from "../../types/chain.ts";
import { MalformedAnswerError } from "../answer-fields.ts";

export type Checksum = (lower: string) => Address;

const HASH = /^0x[0-9a-f]{64}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const QUANTITY = /^0x[0-9a-fA-F]{1,64}$/;

export function hashOf(value: unknown, what: string): string {
  if (typeof value !== "string" || !HASH.test(value)) throw new MalformedAnswerError(`${what} is not a 32-byte hash`);
  return value;
}

export function quantityOf(value: unknown, what: string): bigint {
  if (typeof value !== "string" || !QUANTITY.test(value))
    throw new MalformedAnswerError(`${what} is not a hex quantity`);
  return BigInt(value);
}

export function numberOf(value: unknown, what: string): number {
  const number = Number(quantityOf(value, what));
  if (!Number.isSafeInteger(number)) throw new MalformedAnswerError(`${what} is out of range`);
  return number;
}

export function addressOf(value: unknown, what: string, checksum: Checksum): Address {
  if (typeof value !== "string" || !ADDRESS.test(value)) throw new MalformedAnswerError(`${what} is not an address`);
  return checksum(value.toLowerCase());
}

/** `0x` and an even number of hex digits. A search for a wrong sign, not a pattern of right ones: those use up the stack on megabytes. */
export function bytesOf(value: unknown, what: string): string {
  const isHex =
    typeof value === "string" &&
    value.startsWith("0x") &&
    value.length % 2 === 0 &&
    !/[^0-9a-fA-F]/.test(value.slice(2));
  if (!isHex) throw new MalformedAnswerError(`${what} is not hex`);
  return value;
}
