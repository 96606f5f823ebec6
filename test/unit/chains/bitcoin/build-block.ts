/** Small regtest blocks with valid hashes, made without the code under test. */
import { createHash } from "node:crypto";
import { type Network, NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { fixtureBlock, type WholeBlock } from "./fixtures.ts";

export interface MadeCoin {
  readonly script: Buffer;
  readonly amount: bigint;
}

export interface MadeTransaction {
  /** What it spends; empty: a coinbase. */
  readonly spends: readonly MadeCoin[];
  readonly pays: readonly MadeCoin[];
  readonly hasWitness?: boolean;
  /** Script of the first input. */
  readonly inputScript?: Buffer;
}

export interface BlockChanges {
  readonly height?: number;
  readonly network?: Network;
  /** Of the coinbase; the subsidy without it. */
  readonly claims?: bigint;
  /** What the coinbase has as its witness, in hex with its count; `00...00` committed to without it. */
  readonly coinbaseWitness?: string | null;
  readonly commitments?: readonly Buffer[];
  readonly inputScript?: Buffer;
  readonly bits?: number;
}

export function sha256d(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(createHash("sha256").update(bytes).digest()).digest();
}

export function sizeOf(value: number): Buffer {
  if (value < 0xfd) return Buffer.of(value);
  if (value <= 0xffff) return Buffer.of(0xfd, value % 256, value >> 8);
  const bytes = Buffer.alloc(5, 0xfe);
  bytes.writeUInt32LE(value, 1);
  return bytes;
}

export function coinBytes({ script, amount }: MadeCoin): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(amount);
  return Buffer.concat([bytes, sizeOf(script.length), script]);
}

const SPENT_OUTPOINT = Buffer.concat([Buffer.alloc(32, 0x11), Buffer.alloc(4)]);
const NO_OUTPOINT = Buffer.concat([Buffer.alloc(32), Buffer.alloc(4, 0xff)]);
const WITNESS = Buffer.from("0102abcd", "hex");

/** Raw bytes, with or without its witnesses. */
export function transactionBytes(of: MadeTransaction, withWitness = of.hasWitness === true): Buffer {
  const inputs = of.spends.length === 0 ? [NO_OUTPOINT] : of.spends.map(() => SPENT_OUTPOINT);
  const witness = of.spends.length === 0 ? (coinbaseWitnesses.get(of) ?? WITNESS) : WITNESS;
  return Buffer.concat([
    Buffer.of(2, 0, 0, 0),
    ...(withWitness ? [Buffer.of(0, 1)] : []),
    sizeOf(inputs.length),
    ...inputs.map((outpoint, index) => {
      const script = index === 0 ? (of.inputScript ?? Buffer.alloc(0)) : Buffer.alloc(0);
      return Buffer.concat([outpoint, sizeOf(script.length), script, Buffer.alloc(4, 0xff)]);
    }),
    sizeOf(of.pays.length),
    ...of.pays.map(coinBytes),
    ...(withWitness ? inputs.map(() => witness) : []),
    Buffer.alloc(4),
  ]);
}

const coinbaseWitnesses = new WeakMap<MadeTransaction, Buffer>();

export function merkleRootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  const pairs = Array.from({ length: Math.ceil(leaves.length / 2) }, (_, pair) => {
    const left = leaves[pair * 2] as Buffer;
    return sha256d(Buffer.concat([left, leaves[pair * 2 + 1] ?? left]));
  });
  return merkleRootOf(pairs);
}

export function commitmentTo(transactions: readonly MadeTransaction[], reserved = Buffer.alloc(32)): Buffer {
  const leaves = [Buffer.alloc(32), ...transactions.map((one) => sha256d(transactionBytes(one)))];
  const hash = sha256d(Buffer.concat([merkleRootOf(leaves), reserved]));
  return Buffer.concat([Buffer.from("6a24aa21a9ed", "hex"), hash]);
}

/** The height as a script pushes it (BIP 34). */
export function heightScript(height: number): Buffer {
  if (height <= 16) return Buffer.of(height === 0 ? 0 : 0x50 + height, 0);
  let hex = height.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  const digits = [...Buffer.from(hex, "hex")].toReversed();
  if ((digits.at(-1) as number) >= 0x80) digits.push(0);
  return Buffer.of(digits.length, ...digits);
}

/** A block of a coinbase and these transactions, and the coins they spend. */
export function makeBlock(transactions: readonly MadeTransaction[], changes: BlockChanges = {}): WholeBlock {
  const height = changes.height ?? 100;
  const hasWitness = transactions.some((one) => one.hasWitness === true);
  const commitments = changes.commitments ?? (hasWitness ? [commitmentTo(transactions)] : []);
  const coinbase: MadeTransaction = {
    spends: [],
    pays: [
      { script: Buffer.of(0x51), amount: changes.claims ?? 5_000_000_000n },
      ...commitments.map((script) => ({ script, amount: 0n })),
    ],
    hasWitness: changes.coinbaseWitness === undefined ? commitments.length > 0 : changes.coinbaseWitness !== null,
    inputScript: changes.inputScript ?? heightScript(height),
  };
  coinbaseWitnesses.set(coinbase, Buffer.from(changes.coinbaseWitness ?? `0120${"00".repeat(32)}`, "hex"));
  const all = [coinbase, ...transactions];
  return blockOf(
    { ...changes, height },
    all.map((one) => transactionBytes(one)),
    {
      leaves: all.map((one) => sha256d(transactionBytes(one, false))),
      spent: spentBytes(all),
    },
  );
}

export function spentBytes(transactions: readonly MadeTransaction[]): Buffer {
  const lists = transactions.map(({ spends }) => Buffer.concat([sizeOf(spends.length), ...spends.map(coinBytes)]));
  return Buffer.concat([sizeOf(transactions.length), ...lists]);
}

/** Raw transactions under a header that is mined for them. */
export function blockOf(
  { height = 100, network = NETWORKS.regtest, bits = 0x207f_ffff }: BlockChanges,
  transactions: readonly Buffer[],
  { leaves, spent }: { leaves: readonly Buffer[]; spent: Buffer },
): WholeBlock {
  const header = Buffer.alloc(80);
  header.writeUInt32LE(4, 0);
  merkleRootOf(leaves).copy(header, 36);
  header.writeUInt32LE(1_700_000_000, 68);
  header.writeUInt32LE(bits, 72);
  // The easiest target: every other nonce will do.
  while ((sha256d(header)[31] as number) >= 0x7f) header.writeUInt32LE(header.readUInt32LE(76) + 1, 76);
  const block = Buffer.concat([header, sizeOf(transactions.length), ...transactions]);
  return { ...fixtureBlock({ name: `made at ${height}`, network, block, spent }, height), spent };
}
