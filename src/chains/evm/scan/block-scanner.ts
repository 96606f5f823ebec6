/**
 * A node's two answers about a block, as bytes -> proven, and the transactions that may touch a watched address. All other
 * transactions are only hashed, never read into objects. Whatever is unexpected is `null`: the reference path
 * (JSON.parse, `proof/prove-block.ts`, `decode-block.ts`) reads the same bytes and says what is wrong, if anything is.
 */
import { assert } from "../../../lib/assert.ts";
import type { AddressTable } from "../../../types/address-table.ts";
import type { ChainId, Header } from "../../../types/chain.ts";
import type { ChainProfile } from "../proof/profiles.ts";
import * as at from "./core/layout.ts";
import { type MakeCore, type ScannerCore, wasmCore } from "./scanner-core.ts";
import { writeTables } from "./tables.ts";

/** The body of one JSON-RPC answer, as it came. */
export interface AnswerBytes {
  /** The request's id, below 10^9. */
  readonly id: number;
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
}

export interface ScanQuestion {
  readonly header: Header;
  /** `eth_getBlockByHash`, with full transactions where they are read. */
  readonly block: AnswerBytes;
  /** `eth_getBlockReceipts`. */
  readonly receipts: AnswerBytes;
}

/** A transaction that has to be looked at, with its receipt: parsed JSON, proven, but for its sender and new contract. */
export interface MarkedTransaction {
  readonly index: number;
  readonly transaction: unknown;
  readonly receipt: unknown;
  /** A watched address may be in it. */
  readonly touched: boolean;
  /** It creates a contract, whose address the caller derives. */
  readonly creates: boolean;
  /** It carries EIP-7702 authorizations, whose authorities the caller recovers. */
  readonly authorizes: boolean;
}

/** A block whose hash, roots, blooms and repeated places are all as they must be. */
export interface ScannedBlock {
  readonly transactionCount: number;
  /** The fee recipient may be watched: what it earned depends on every transaction. */
  readonly recipientTouched: boolean;
  /** Parsed, when one of them may go to a watched address; else null. */
  readonly withdrawals: unknown;
  readonly marked: readonly MarkedTransaction[];
  /** Parses one transaction. Only until the next scan: the bytes are overwritten then. */
  transactionAt(index: number): unknown;
}

/** A transaction whose logs have to be looked at. What its receipt says beside them and its type is the node's word. */
export interface MarkedReceipt {
  readonly index: number;
  /** Parsed JSON. */
  readonly receipt: unknown;
}

export interface BlockScanner {
  /** Null: odd. Synchronous, and the scanner's memory is its own meanwhile. */
  scan(question: ScanQuestion): ScannedBlock | null;
  /**
   * The same of what logs tell alone, where `block` names its transactions by hash. Header, blooms, gas and the root of the
   * receipts are proven: every log, its order and its transaction's place. Which hash that transaction has is not.
   */
  scanLogs(question: ScanQuestion): readonly MarkedReceipt[] | null;
}

export interface BlockScannerOptions {
  readonly chain: ChainId;
  /** The chain's. */
  readonly profile: ChainProfile;
  /** Which addresses mark a transaction. */
  readonly watched: AddressTable;
  readonly makeCore?: MakeCore;
}

// Tables of a chain are about 12 KB: room for thirty chains, behind the cache of blooms.
const TABLES_BYTES = 384 * 1024;
/** The core reads up to 16 bytes at once, and zeros end its loops. */
const PADDING = 64;
// Larger answers are read by the reference path: everything has to stay below 2^31, and memory is never given back.
const INPUT_MAX_BYTES = 128 * 1024 * 1024;
const SPARE_BYTES = 256 * 1024;
const PAGE_BYTES = 65_536;

/** What the scanners on one memory share. */
interface Shared {
  readonly core: ScannerCore;
  readonly memory: WebAssembly.Memory;
  readonly question: number;
  readonly bloomCache: number;
  /** By chain: the nodes of one share them. */
  readonly tables: Map<ChainId, number>;
  nextTables: number;
  readonly tablesEnd: number;
}

const sharedByMemory = new WeakMap<MakeCore, WeakMap<WebAssembly.Memory, Shared>>();

/**
 * One core for each memory with a table of addresses: scans are synchronous, so chains take turns in its room. Lists that
 * differ in a few entries have one memory, and two cores would write over one another there.
 */
function sharedOn(watched: AddressTable, makeCore: MakeCore): Shared {
  let byMemory = sharedByMemory.get(makeCore);
  if (byMemory === undefined) {
    byMemory = new WeakMap();
    sharedByMemory.set(makeCore, byMemory);
  }
  let shared = byMemory.get(watched.memory);
  if (shared === undefined) {
    shared = createShared(watched, makeCore);
    byMemory.set(watched.memory, shared);
  }
  return shared;
}

function createShared({ memory, freeFrom }: AddressTable, makeCore: MakeCore): Shared {
  const question = freeFrom;
  const bloomCache = question + 4 * at.QUESTION_INTS;
  const nextTables = bloomCache + at.BLOOM_CACHE_BYTES;
  const tablesEnd = nextTables + TABLES_BYTES;
  growTo(memory, tablesEnd);
  new Uint8Array(memory.buffer, bloomCache, at.BLOOM_CACHE_BYTES).fill(0);
  return { core: makeCore(memory), memory, question, bloomCache, tables: new Map(), nextTables, tablesEnd };
}

function tablesOf(chain: ChainId, profile: ChainProfile, shared: Shared): number {
  const known = shared.tables.get(chain);
  if (known !== undefined) return known;
  const { tables, end } = writeTables(shared.memory, shared.nextTables, { profile, bloomCache: shared.bloomCache });
  assert(end <= shared.tablesEnd, "the tables of all chains fit their part of the memory");
  shared.nextTables = end;
  shared.tables.set(chain, tables);
  return tables;
}

function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}

export function createBlockScanner({
  chain,
  profile,
  watched,
  makeCore = wasmCore,
}: BlockScannerOptions): BlockScanner {
  const shared = sharedOn(watched, makeCore);
  const { memory, question } = shared;
  const tables = tablesOf(chain, profile, shared);
  // A chain of which nothing is watched is proven all the same; nothing in it marks a transaction.
  const seed = watched.seedOf(chain);

  /** Null: odd. */
  function find({ header, block, receipts }: ScanQuestion, { logsOnly }: { logsOnly: boolean }): Found | null {
    const inputBytes = block.byteLength + receipts.byteLength;
    if (inputBytes > INPUT_MAX_BYTES) return null;
    const plan = planOf(shared.tablesEnd, { header, block, receipts });
    growTo(memory, plan.end);
    const bytes = new Uint8Array(memory.buffer);
    const ints = new Int32Array(memory.buffer, question, at.QUESTION_INTS);
    for (const [index, value] of plan.values) ints[index] = value;
    ints[at.Q_TABLES] = tables;
    ints[at.Q_WORDS] = watched.wordsAt;
    ints[at.Q_FINGERPRINTS] = watched.fingerprintsAt;
    ints[at.Q_SLOTS] = seed === null ? 0 : watched.slots;
    ints[at.Q_SEED_LOW] = seed?.low ?? 0;
    ints[at.Q_SEED_HIGH] = seed?.high ?? 0;
    ints[at.Q_LOGS_ONLY] = logsOnly ? 1 : 0;
    for (const { position, chunks } of plan.inputs) writeInput(bytes, position, chunks);
    return shared.core.scan(question) ? foundIn(memory.buffer, question) : null;
  }

  return {
    scan(asked) {
      const found = find(asked, { logsOnly: false });
      return found === null ? null : readBlock(found);
    },
    scanLogs(asked) {
      const found = find(asked, { logsOnly: true });
      return found === null ? null : readLogs(found);
    },
  };
}

interface Plan {
  readonly end: number;
  readonly values: readonly (readonly [index: number, value: number])[];
  readonly inputs: readonly { readonly position: number; readonly chunks: readonly Uint8Array[] }[];
}

/** Where the inputs, the core's room and its writer go. */
function planOf(from: number, { header, block, receipts }: ScanQuestion): Plan {
  let next = from;
  const inputs: { position: number; chunks: readonly Uint8Array[] }[] = [];
  const place = (chunks: readonly Uint8Array[], length: number) => {
    const position = next;
    inputs.push({ position, chunks });
    next = (next + length + PADDING + 3) & ~3;
    return position;
  };
  const text = (value: string) => {
    const bytes = Buffer.from(`"${value}"`, "latin1");
    return place([bytes], bytes.length);
  };
  const numberText = `0x${header.number.toString(16)}`;
  const timestampText = `0x${header.timestamp.toString(16)}`;
  const blockAt = place(block.chunks, block.byteLength);
  const receiptsAt = place(receipts.chunks, receipts.byteLength);
  const values: [number, number][] = [
    [at.Q_HASH, text(header.hash)],
    [at.Q_PARENT_HASH, text(header.parentHash)],
    [at.Q_NUMBER, text(numberText)],
    [at.Q_NUMBER_LENGTH, numberText.length + 2],
    [at.Q_TIMESTAMP, text(timestampText)],
    [at.Q_TIMESTAMP_LENGTH, timestampText.length + 2],
    [at.Q_BLOCK, blockAt],
    [at.Q_BLOCK_END, blockAt + block.byteLength],
    [at.Q_BLOCK_ID, block.id],
    [at.Q_RECEIPTS, receiptsAt],
    [at.Q_RECEIPTS_END, receiptsAt + receipts.byteLength],
    [at.Q_RECEIPTS_ID, receipts.id],
  ];
  // What the core keeps of a part, and what it writes of it, is smaller than the part's text.
  const inputBytes = block.byteLength + receipts.byteLength;
  const roomEnd = next + inputBytes + SPARE_BYTES;
  const end = ((roomEnd + Math.max(block.byteLength, receipts.byteLength) + SPARE_BYTES) & ~15) + PADDING;
  values.push([at.Q_ROOM, next], [at.Q_ROOM_END, roomEnd & ~3], [at.Q_WRITING_END, end - PADDING]);
  return { end, values, inputs };
}

function writeInput(bytes: Uint8Array, position: number, chunks: readonly Uint8Array[]): void {
  let next = position;
  for (const chunk of chunks) {
    bytes.set(chunk, next);
    next += chunk.length;
  }
  bytes.fill(0, next, next + PADDING);
}

/** What the core found, still as positions. */
interface Found {
  readonly transactionCount: number;
  readonly value: (index: number) => number;
  readonly parse: (start: number, end: number) => unknown;
  readonly flagsAt: (index: number) => number;
  readonly transactionAt: (index: number) => unknown;
  readonly receiptAt: (index: number) => unknown;
}

function foundIn(buffer: ArrayBuffer, question: number): Found {
  const ints = new Int32Array(buffer);
  const intAt = (position: number): number => ints[position >> 2] ?? 0;
  const value = (index: number): number => intAt(question + 4 * index);
  const parse = (start: number, end: number): unknown =>
    JSON.parse(Buffer.from(buffer, start, end - start).toString("latin1"));
  const transaction = (index: number) => value(at.A_TRANSACTIONS) + 4 * at.X_INTS * index;
  return {
    transactionCount: value(at.A_COUNT),
    value,
    parse,
    flagsAt: (index) => intAt(transaction(index) + 4 * at.X_FLAGS),
    transactionAt(index) {
      const position = transaction(index);
      return parse(intAt(position + 4 * at.X_START), intAt(position + 4 * at.X_END));
    },
    receiptAt(index) {
      const receipt = intAt(value(at.A_RECEIPTS) + 4 * index);
      return parse(intAt(receipt + 4 * at.R_START), intAt(receipt + 4 * at.R_END));
    },
  };
}

/** The places of the transactions that have to be looked at. */
function markedIn({ transactionCount, flagsAt }: Found): number[] {
  const marked: number[] = [];
  for (let index = 0; index < transactionCount; index += 1) if (flagsAt(index) !== 0) marked.push(index);
  return marked;
}

function readBlock(found: Found): ScannedBlock {
  const { transactionCount, value, parse, flagsAt, transactionAt, receiptAt } = found;
  const withdrawalsAt = value(at.A_WITHDRAWALS);
  return {
    transactionCount,
    recipientTouched: value(at.A_RECIPIENT_TOUCHED) !== 0,
    withdrawals: withdrawalsAt === 0 ? null : parse(withdrawalsAt, value(at.A_WITHDRAWALS_END)),
    marked: markedIn(found).map((index) => ({
      index,
      transaction: transactionAt(index),
      receipt: receiptAt(index),
      touched: (flagsAt(index) & at.TOUCHED) !== 0,
      creates: (flagsAt(index) & at.X_CREATES) !== 0,
      authorizes: (flagsAt(index) & at.X_AUTHORIZES) !== 0,
    })),
    transactionAt,
  };
}

function readLogs(found: Found): readonly MarkedReceipt[] {
  return markedIn(found).map((index) => ({ index, receipt: found.receiptAt(index) }));
}
