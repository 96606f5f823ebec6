/** Where the parts of raw transactions are: one walk over the bytes, nothing copied or decoded. */
import { AMOUNT_BYTES, type ByteReader } from "./byte-reader.ts";

/** Offsets kept for each transaction. */
export const PARTS = 4;
/** Its first byte. */
export const START = 0;
/** The count of its inputs. */
export const INPUTS = 1;
/** The count of its outputs. */
export const OUTPUTS = 2;
/** First byte behind its outputs: its witness, or its lock time. */
export const WITNESS = 3;

export interface Transactions {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** PARTS offsets a transaction, and one more START: where the last one ends. */
  readonly parts: Uint32Array;
}

export const OUTPOINT_BYTES = 36;
export const SEQUENCE_BYTES = 4;
/** Outpoint, empty script, sequence. */
const INPUT_BYTES_MIN = 41;
/** Amount, empty script. */
const OUTPUT_BYTES_MIN = 9;
/** Version, one input, one output, lock time. */
export const TRANSACTION_BYTES_MIN = 4 + 1 + INPUT_BYTES_MIN + 1 + OUTPUT_BYTES_MIN + 4;

/** Reads `count` transactions from where the reader stands. Throws ProofError where the bytes are not that. */
export function readTransactions(reader: ByteReader, count: number): Transactions {
  const parts = new Uint32Array(count * PARTS + 1);
  for (let row = 0; row < count * PARTS; row += PARTS) readTransaction(reader, parts, row);
  parts[count * PARTS] = reader.at;
  return { bytes: reader.bytes, count, parts };
}

function readTransaction(reader: ByteReader, parts: Uint32Array, row: number): void {
  parts[row + START] = reader.at;
  reader.skip(4);
  // No transaction has no inputs: a zero here marks one with witnesses (BIP 144).
  const isMarked = reader.bytes[reader.at] === 0;
  if (isMarked) {
    reader.skip(1);
    if (reader.byte() !== 1) reader.fail("has a transaction of an unknown kind");
  }
  parts[row + INPUTS] = reader.at;
  const inputs = reader.count(INPUT_BYTES_MIN);
  if (inputs === 0) reader.fail("has a transaction without inputs");
  for (let index = 0; index < inputs; index += 1) {
    reader.passSized(OUTPOINT_BYTES, SEQUENCE_BYTES);
  }
  parts[row + OUTPUTS] = reader.at;
  const outputs = reader.count(OUTPUT_BYTES_MIN);
  if (outputs === 0) reader.fail("has a transaction without outputs");
  for (let index = 0; index < outputs; index += 1) {
    reader.passSized(AMOUNT_BYTES, 0);
  }
  parts[row + WITNESS] = reader.at;
  if (isMarked) skipWitness(reader, inputs);
  reader.skip(4);
}

function skipWitness(reader: ByteReader, inputs: number): void {
  let items = 0;
  for (let index = 0; index < inputs; index += 1) {
    const count = reader.count(1);
    for (let item = 0; item < count; item += 1) reader.passSized(0, 0);
    items += count;
  }
  // Two forms of one transaction would be two witness hashes of it.
  if (items === 0) reader.fail("has a transaction that is marked to have witnesses and has none");
}

/** True where the transaction's bytes hold witnesses. */
export function hasWitness({ parts }: Transactions, index: number): boolean {
  const row = index * PARTS;
  return parts[row + INPUTS] !== (parts[row + START] as number) + 4;
}

/** True of a transaction with one input that spends nothing. */
export function isCoinbase({ bytes, parts }: Transactions, index: number): boolean {
  const at = parts[index * PARTS + INPUTS] as number;
  if (bytes[at] !== 1) return false;
  for (let place = at + 1; place < at + 33; place += 1) if (bytes[place] !== 0) return false;
  for (let place = at + 33; place < at + 37; place += 1) if (bytes[place] !== 0xff) return false;
  return true;
}
