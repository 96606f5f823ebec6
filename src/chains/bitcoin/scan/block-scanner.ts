/**
 * Marks the transactions of a block that may touch what is watched, in WebAssembly: `core/scan.asc.ts` says how. The memory of
 * the core holds the tables of a sieve, and room into which a block and the coins it spends are laid.
 */
import { readFileSync } from "node:fs";
import type { HashKey } from "../byte-hash.ts";
import type { Transactions } from "../transactions.ts";
import * as at from "./core/layout.ts";

export interface BlockScannerOptions {
  /** Words of the HashFilter. */
  readonly filterWords: number;
  readonly key: HashKey;
}

export interface ScanQuestion {
  readonly transactions: Transactions;
  /** As `/rest/spenttxouts` gives them. */
  readonly spent: Uint8Array;
  /** No amount and no sum of amounts is above this. */
  readonly amountMax: number;
  /** What the coinbase may take beside the fees. */
  readonly subsidy: number;
}

/** By place in the block; overwritten by the next scan. */
export interface ScannedBlock {
  /** 1: a script of the transaction may touch. 0: none does. */
  readonly marks: Uint8Array;
  /** Where its coins begin in the spent coins: their count. */
  readonly spentAt: Int32Array;
}

const compiled = new WebAssembly.Module(readFileSync(new URL("scanner.wasm", import.meta.url)));

const PAGE_BYTES = 65_536;
/** Twice the largest block: what it spends and the tables of its transactions are smaller. Larger ones are walked over in TypeScript. */
const ROOM_BYTES = 8 * 1024 * 1024;
const TABLE_LENGTHS = 256;

export class BlockScanner {
  /** For a HashFilter to fill. */
  readonly filterWords: Int32Array;
  /** By length, for the sieve to fill: where scripts with an address have their payload, and its length (0: none is so long). */
  readonly payloadAt: Uint8Array;
  readonly payloadBytes: Uint8Array;
  /** By length, up to LONGER, which stands for all above: 1 where a script without an address is watched. */
  readonly odd: Uint8Array;
  private readonly memory: WebAssembly.Memory;
  private readonly core: () => number;
  private readonly question: DataView;

  constructor({ filterWords, key }: BlockScannerOptions) {
    const pages = Math.ceil((at.FILTER + filterWords * 4 + ROOM_BYTES) / PAGE_BYTES);
    // Never grown: what nobody writes to takes no memory.
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.filterWords = new Int32Array(buffer, at.FILTER, filterWords);
    this.payloadAt = new Uint8Array(buffer, at.PAYLOAD_AT, TABLE_LENGTHS);
    this.payloadBytes = new Uint8Array(buffer, at.PAYLOAD_BYTES, TABLE_LENGTHS);
    this.odd = new Uint8Array(buffer, at.ODD, TABLE_LENGTHS);
    this.question = new DataView(buffer, 0, at.PAYLOAD_AT);
    this.ask({
      [at.Q_KEY_START]: key.start,
      [at.Q_KEY_FACTOR]: key.factor,
      [at.Q_KEY_OTHER_FACTOR]: key.otherFactor,
      // A hash chooses one of the pairs of words by its highest bits.
      [at.Q_FILTER_SHIFT]: 33 - Math.log2(filterWords),
    });
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.memory } });
    this.core = exports["scan"] as () => number;
  }

  /** From now on a key is watched, in whatever script. */
  lookForKeys(): void {
    this.ask({ [at.Q_HAS_KEYS]: 1 });
  }

  /** Null: odd, and `walk-block.ts` has the last word; or more than there is room for. */
  scan({ transactions, spent, amountMax, subsidy }: ScanQuestion): ScannedBlock | null {
    const { bytes, parts, count } = transactions;
    const partsAt = at.FILTER + this.filterWords.byteLength;
    const spentAtAt = partsAt + parts.byteLength;
    const marksAt = spentAtAt + count * 4;
    const blockAt = marksAt + count;
    const coinsAt = blockAt + bytes.length;
    const end = coinsAt + spent.length;
    const { buffer } = this.memory;
    if (end > buffer.byteLength) return null;
    new Uint32Array(buffer, partsAt, parts.length).set(parts);
    const marks = new Uint8Array(buffer, marksAt, count).fill(0);
    const all = new Uint8Array(buffer);
    all.set(bytes, blockAt);
    all.set(spent, coinsAt);
    this.ask({
      [at.Q_SPENT]: coinsAt,
      [at.Q_SPENT_END]: end,
      [at.Q_BLOCK]: blockAt,
      [at.Q_BLOCK_END]: coinsAt,
      [at.Q_COUNT]: count,
      [at.Q_PARTS]: partsAt,
      [at.Q_SPENT_AT]: spentAtAt,
      [at.Q_MARKS]: marksAt,
    });
    this.question.setBigUint64(at.Q_AMOUNT_MAX, BigInt(amountMax), true);
    this.question.setBigUint64(at.Q_SUBSIDY, BigInt(subsidy), true);
    return this.core() === 0 ? null : { marks, spentAt: new Int32Array(buffer, spentAtAt, count) };
  }

  private ask(fields: Readonly<Record<number, number>>): void {
    for (const [place, value] of Object.entries(fields)) this.question.setInt32(Number(place), value, true);
  }
}
