/** Blocks taken apart and put together again, to change them. */
import type { MadeCoin } from "./build-block.ts";
import { parseBlock } from "../../../../src/chains/bitcoin/read-block.ts";

/** The raw transactions of a block, one by one. */
export function transactionsOf(block: Buffer): Buffer[] {
  const { parts, count } = parseBlock(block);
  return Array.from({ length: count }, (_, index) => block.subarray(parts[index * 4], parts[index * 4 + 4]));
}

/** The same without their witnesses. */
export function strippedTransactionsOf(block: Buffer): Buffer[] {
  const { parts, count } = parseBlock(block);
  return Array.from({ length: count }, (_, index) => {
    const [start, inputs, , witness, end] = [...parts.subarray(index * 4, index * 4 + 5)] as Parts;
    return Buffer.concat([
      block.subarray(start, start + 4),
      block.subarray(inputs, witness),
      block.subarray(end - 4, end),
    ]);
  });
}

type Parts = [start: number, inputs: number, outputs: number, witness: number, end: number];

/** The block as nodes without BIP 144 see it. */
export function withoutWitnesses(block: Buffer): Buffer {
  const first = parseBlock(block).parts[0] as number;
  return Buffer.concat([block.subarray(0, first), ...strippedTransactionsOf(block)]);
}

/** Reads spent coins, independently of the code under test; null: they are malformed. */
export function coinsOf(spent: Buffer): MadeCoin[][] | null {
  let at = 0;
  const size = (): number => {
    const first = spent.readUInt8(at);
    at += first < 0xfd ? 1 : first === 0xfd ? 3 : 5;
    return first < 0xfd ? first : first === 0xfd ? spent.readUInt16LE(at - 2) : spent.readUInt32LE(at - 4);
  };
  const coin = (): MadeCoin => {
    const amount = spent.readBigInt64LE(at);
    at += 8;
    const length = size();
    at += length;
    return { amount, script: spent.subarray(at - length, at) };
  };
  try {
    const all = Array.from({ length: size() }, () => Array.from({ length: size() }, coin));
    return at === spent.length ? all : null;
  } catch {
    return null;
  }
}
