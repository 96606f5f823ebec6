/** The coins that a touched transaction spends and makes, copied out of the raw bytes. */
import { AMOUNT_BYTES, ByteReader } from "./byte-reader.ts";
import { displayHash, HASH_BYTES } from "./double-hash.ts";
import { INPUTS, OUTPUTS, PARTS, SEQUENCE_BYTES, type Transactions } from "./transactions.ts";

/** Who may spend it, and what it is worth in base units. */
export interface Coin {
  readonly script: Uint8Array;
  readonly amount: bigint;
}

/** Which coin: an output of a transaction. */
export interface Outpoint {
  /** Display order. */
  readonly txid: string;
  readonly index: number;
}

/** A count and that many coins, from bytes that were walked before. */
export function readCoins(bytes: Uint8Array, at: number): Coin[] {
  const reader = new ByteReader(bytes, "a coin", at);
  return Array.from({ length: reader.compactSize() }, () => {
    // Within the network's range: the walk before saw to it.
    const amount = BigInt(reader.amountAhead(Number.MAX_SAFE_INTEGER));
    const script = reader.passSized(AMOUNT_BYTES, 0);
    return { amount, script: bytes.subarray(script, reader.at) };
  });
}

export function outputsOf({ bytes, parts }: Transactions, transaction: number): Coin[] {
  return readCoins(bytes, parts[transaction * PARTS + OUTPUTS] as number);
}

/** The coins that a transaction spends, in the order of its inputs. */
export function outpointsOf({ bytes, parts }: Transactions, transaction: number): Outpoint[] {
  const reader = new ByteReader(bytes, "an input", parts[transaction * PARTS + INPUTS]);
  return Array.from({ length: reader.compactSize() }, () => {
    const txid = displayHash(bytes, reader.at);
    reader.skip(HASH_BYTES);
    const index = reader.uint32();
    reader.passSized(0, SEQUENCE_BYTES);
    return { txid, index };
  });
}
