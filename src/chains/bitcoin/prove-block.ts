/**
 * Holds a block's bytes against its hash: header, proof of work, merkle root, witness commitment, height.
 * What no hash covers (whose the spent coins were, what they were worth) is left to `scan-block.ts`.
 */
import type { Header } from "../../types/chain.ts";
import { AMOUNT_BYTES, ByteReader } from "./byte-reader.ts";
import { doubleHash, HASH_BYTES, merkleRoot, transactionHash, witnessHash } from "./double-hash.ts";
import { HEADER_BYTES, headerOf, MERKLE_ROOT_AT, proveWork } from "./header.ts";
import type { Network } from "./networks.ts";
import { ProofError } from "./proof-error.ts";
import { hasWitness, INPUTS, OUTPOINT_BYTES, OUTPUTS, type Transactions, WITNESS } from "./transactions.ts";

/** Throws ProofError unless all that a block hash covers is as it says. */
export function proveBlock(transactions: Transactions, header: Header, network: Network): void {
  proveHeader(transactions.bytes.subarray(0, HEADER_BYTES), header, network);
  proveTransactions(transactions);
  proveWitnesses(transactions, header.number, network);
  proveHeight(transactions, header.number, network);
}

function proveHeader(bytes: Uint8Array, header: Header, network: Network): void {
  const { hash, parentHash, timestamp } = headerOf(bytes);
  if (hash !== header.hash) throw new ProofError("header", `the block's hash is ${hash}`);
  if (parentHash !== header.parentHash) throw new ProofError("header", `its parent is ${parentHash}`);
  if (timestamp !== header.timestamp) throw new ProofError("header", `its time is ${timestamp}`);
  proveWork(bytes, network);
}

/**
 * The first transaction is known to be a coinbase, with 32 zero bytes at a fixed place: so no node of the merkle tree can
 * pose as a transaction of 64 bytes, nor one as two hashes, because the first leaf would have to pose with them.
 */
function proveTransactions(transactions: Transactions): void {
  const root = merkleRoot(leavesOf(transactions, transactionHash));
  if (root === null) throw new ProofError("merkle root", "transactions are repeated at the end");
  const named = transactions.bytes.subarray(MERKLE_ROOT_AT, MERKLE_ROOT_AT + HASH_BYTES);
  if (!isSame(root, named)) throw new ProofError("merkle root", "the transactions are not those of the header");
}

function leavesOf(transactions: Transactions, hashOf: (of: Transactions, index: number) => Uint8Array): Uint8Array {
  const leaves = new Uint8Array(transactions.count * HASH_BYTES);
  for (let index = 0; index < transactions.count; index += 1)
    leaves.set(hashOf(transactions, index), index * HASH_BYTES);
  return leaves;
}

function proveWitnesses(transactions: Transactions, height: number, network: Network): void {
  // Below the height an output may look like a commitment and is none: anybody could write one.
  const commitment = height < network.witnessFrom ? null : commitmentOf(transactions);
  if (commitment === null) {
    for (let index = 0; index < transactions.count; index += 1)
      if (hasWitness(transactions, index)) throw new ProofError("witness", "witnesses that nothing commits to");
    return;
  }
  const leaves = leavesOf(transactions, witnessHash);
  leaves.fill(0, 0, HASH_BYTES); // The coinbase holds the commitment and cannot be under it.
  // Neighbours that are equal would have equal transaction hashes too, which is refused before.
  const root = merkleRoot(leaves);
  const reserved = reservedValueOf(transactions);
  if (root === null || reserved === null || !isSame(doubleHash(Buffer.concat([root, reserved])), commitment))
    throw new ProofError("witness", "the witnesses are not those that the coinbase commits to");
}

const COMMITMENT_PREFIX = Buffer.from("6a24aa21a9ed", "hex");

/** The last output of the coinbase that looks like a commitment counts (BIP 141). */
function commitmentOf({ bytes, parts }: Transactions): Uint8Array | null {
  const reader = new ByteReader(bytes, "the coinbase", parts[OUTPUTS]);
  let commitment: Uint8Array | null = null;
  const outputs = reader.compactSize();
  for (let index = 0; index < outputs; index += 1) {
    const script = bytes.subarray(reader.passSized(AMOUNT_BYTES, 0), reader.at);
    const hashAt = COMMITMENT_PREFIX.length;
    if (script.length >= hashAt + HASH_BYTES && isSame(script.subarray(0, hashAt), COMMITMENT_PREFIX))
      commitment = script.subarray(hashAt, hashAt + HASH_BYTES);
  }
  return commitment;
}

/** The one witness item of the coinbase's one input, 32 bytes; null: it has not exactly that. */
function reservedValueOf(transactions: Transactions): Uint8Array | null {
  if (!hasWitness(transactions, 0)) return null;
  const { bytes, parts } = transactions;
  const at = parts[WITNESS] as number;
  const isOneItem = bytes[at] === 1 && bytes[at + 1] === HASH_BYTES;
  return isOneItem ? bytes.subarray(at + 2, at + 2 + HASH_BYTES) : null;
}

/** The coinbase's input script begins with the height, as a script pushes a number (BIP 34). */
export function proveHeight({ bytes, parts }: Transactions, height: number, network: Network): void {
  if (height < network.heightInCoinbaseFrom) return;
  const reader = new ByteReader(bytes, "the coinbase", parts[INPUTS]);
  reader.skip(1); // One input.
  const script = bytes.subarray(reader.passSized(OUTPOINT_BYTES, 0), reader.at);
  const pushed = pushOf(height);
  if (!isSame(script.subarray(0, pushed.length), pushed))
    throw new ProofError("height", `the coinbase is not that of height ${height}`);
}

function pushOf(height: number): Uint8Array {
  if (height <= 16) return Uint8Array.of(height === 0 ? 0 : 0x50 + height);
  const digits: number[] = [];
  for (let rest = height; rest > 0; rest = Math.floor(rest / 256)) digits.push(rest % 256);
  // The top bit is the sign.
  if ((digits.at(-1) as number) >= 0x80) digits.push(0);
  return Uint8Array.of(digits.length, ...digits);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
