/** Which coin, as texts: short ones for tables in memory, readable ones for what is stored. */
import { ByteReader } from "./byte-reader.ts";
import type { Outpoint } from "./coins.ts";
import { HASH_BYTES } from "./double-hash.ts";
import { INPUTS, PARTS, SEQUENCE_BYTES, type Transactions } from "./transactions.ts";

const OUTPOINT_BYTES = HASH_BYTES + 4;

/** The 36 bytes of an outpoint as a transaction has them, one character each. */
export type OutpointKey = string;

export function keyOf({ txid, index }: Outpoint): OutpointKey {
  const bytes = Buffer.alloc(OUTPOINT_BYTES);
  bytes.set(Buffer.from(txid, "hex").toReversed());
  bytes.writeUInt32LE(index, HASH_BYTES);
  return bytes.toString("latin1");
}

/** The outpoint that begins here. */
export function keyAt(bytes: Uint8Array, at: number): OutpointKey {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, OUTPOINT_BYTES).toString("latin1");
}

/** Where the outpoint of each input of a transaction begins, in order. */
export function* outpointsIn({ bytes, parts }: Transactions, index: number): Generator<number> {
  const reader = new ByteReader(bytes, "an input", parts[index * PARTS + INPUTS]);
  for (let left = reader.compactSize(); left > 0; left -= 1) {
    const { at } = reader;
    reader.passSized(OUTPOINT_BYTES, SEQUENCE_BYTES);
    yield at;
  }
}

/** Keys of the coins that a transaction spends, in the order of its inputs. */
export function keysOf(transactions: Transactions, index: number): OutpointKey[] {
  return [...outpointsIn(transactions, index)].map((at) => keyAt(transactions.bytes, at));
}

/** 32 bits of a key, of the transaction's hash and the index alike. */
export function printOf(key: OutpointKey): number {
  const word = (at: number) =>
    key.charCodeAt(at) |
    (key.charCodeAt(at + 1) << 8) |
    (key.charCodeAt(at + 2) << 16) |
    (key.charCodeAt(at + 3) << 24);
  return word(0) ^ word(HASH_BYTES);
}

/** The same of the outpoint that begins here. */
export function printAt(view: DataView, at: number): number {
  return view.getInt32(at, true) ^ view.getInt32(at + HASH_BYTES, true);
}

/** A coin as the slot of whoever spends it: `<txid>:<index>`. */
export function slotOf({ txid, index }: Outpoint): string {
  return `${txid}:${index}`;
}

export function outpointOf(slot: string): Outpoint {
  const [txid = "", index = ""] = slot.split(":");
  return { txid, index: Number(index) };
}
