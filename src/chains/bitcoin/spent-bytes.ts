/** Spent coins in the layout of `/rest/spenttxouts/<hash>.bin`, so that every way to learn them ends in the same bytes. */
import type { Coin } from "./coins.ts";

const AMOUNT_BYTES = 8;

/** `coins`: those that each transaction of a block spends, in the order of its inputs; none for the coinbase. */
export function writeSpent(coins: readonly (readonly Coin[])[]): Uint8Array {
  const bytes = Buffer.alloc(sizeOf(coins));
  let at = writeCompactSize(bytes, 0, coins.length);
  for (const ofTransaction of coins) {
    at = writeCompactSize(bytes, at, ofTransaction.length);
    for (const { amount, script } of ofTransaction) {
      at = bytes.writeBigInt64LE(amount, at);
      at = writeCompactSize(bytes, at, script.length);
      bytes.set(script, at);
      at += script.length;
    }
  }
  return bytes;
}

function sizeOf(coins: readonly (readonly Coin[])[]): number {
  let size: number = compactSizeBytes(coins.length);
  for (const ofTransaction of coins) {
    size += compactSizeBytes(ofTransaction.length);
    for (const { script } of ofTransaction) size += AMOUNT_BYTES + compactSizeBytes(script.length) + script.length;
  }
  return size;
}

/** A block cannot hold what needs nine bytes. */
function compactSizeBytes(value: number): 1 | 3 | 5 {
  if (value < 0xfd) return 1;
  return value <= 0xffff ? 3 : 5;
}

function writeCompactSize(bytes: Buffer, at: number, value: number): number {
  const size = compactSizeBytes(value);
  if (size === 1) return bytes.writeUInt8(value, at);
  const behind = bytes.writeUInt8(size === 3 ? 0xfd : 0xfe, at);
  return size === 3 ? bytes.writeUInt16LE(value, behind) : bytes.writeUInt32LE(value, behind);
}
