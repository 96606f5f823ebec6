/** A chain's profile -> the tables that the core reads: which keys its objects have, and how each part is encoded. */
import { assert } from "../../../lib/assert.ts";
import { PARTY_WORDS_MAX, READ_EVENTS } from "../decode-logs.ts";
import { AUTHORIZATION, type FieldKind, type FieldTable } from "../proof/fields.ts";
import { ALWAYS, SINCE_A_FORK } from "../proof/header.ts";
import type { ChainProfile, TransactionType } from "../proof/profiles.ts";
import { FIELDS_OF_SOME_TYPES } from "../proof/transactions.ts";
import { WITHDRAWAL } from "../proof/withdrawals.ts";
import * as at from "./core/layout.ts";
import { TableWriter } from "./table-writer.ts";

/** Keys of one kind of object, in the order of their slots. */
type Keys = readonly string[];

/** Kinds that name their own fields in place of the table's. */
const UNNAMED: readonly FieldKind[] = ["parity", "feeCap"];

const ENVELOPE_KEYS = keysOf({ id: at.E_ID, result: at.E_RESULT, error: at.E_ERROR });

const BLOCK_KEYS = keysOf(
  {
    hash: at.B_HASH,
    number: at.B_NUMBER,
    parentHash: at.B_PARENT_HASH,
    timestamp: at.B_TIMESTAMP,
    transactions: at.B_TRANSACTIONS,
    transactionsRoot: at.B_TRANSACTIONS_ROOT,
    receiptsRoot: at.B_RECEIPTS_ROOT,
    logsBloom: at.B_LOGS_BLOOM,
    gasUsed: at.B_GAS_USED,
    withdrawals: at.B_WITHDRAWALS,
    withdrawalsRoot: at.B_WITHDRAWALS_ROOT,
    miner: at.B_MINER,
  },
  [...ALWAYS, ...SINCE_A_FORK],
);

const RECEIPT_KEYS = keysOf({
  transactionHash: at.R_TRANSACTION_HASH,
  transactionIndex: at.R_INDEX,
  blockHash: at.R_BLOCK_HASH,
  blockNumber: at.R_BLOCK_NUMBER,
  from: at.R_FROM,
  to: at.R_TO,
  type: at.R_TYPE,
  contractAddress: at.R_CONTRACT,
  cumulativeGasUsed: at.R_CUMULATIVE_GAS,
  gasUsed: at.R_GAS_USED,
  logs: at.R_LOGS,
  logsBloom: at.R_LOGS_BLOOM,
  status: at.R_STATUS,
  root: at.R_ROOT,
  depositNonce: at.R_DEPOSIT_NONCE,
  depositReceiptVersion: at.R_DEPOSIT_VERSION,
});

const LOG_KEYS = keysOf({
  address: at.L_ADDRESS,
  topics: at.L_TOPICS,
  data: at.L_DATA,
  blockHash: at.L_BLOCK_HASH,
  blockNumber: at.L_BLOCK_NUMBER,
  transactionHash: at.L_TRANSACTION_HASH,
  transactionIndex: at.L_TRANSACTION_INDEX,
  logIndex: at.L_INDEX,
  removed: at.L_REMOVED,
  blockTimestamp: at.L_BLOCK_TIMESTAMP,
});

const WITHDRAWAL_KEYS = keysOf({
  index: at.W_INDEX,
  address: at.W_ADDRESS,
  amount: at.W_AMOUNT,
  validatorIndex: at.W_VALIDATOR_INDEX,
});

const ACCESS_KEYS = keysOf({ address: at.C_ADDRESS, storageKeys: at.C_STORAGE_KEYS });

const AUTHORIZATION_KEYS = keysOf({
  chainId: at.H_CHAIN_ID,
  address: at.H_ADDRESS,
  nonce: at.H_NONCE,
  yParity: at.H_Y_PARITY,
  r: at.H_R,
  s: at.H_S,
});

const TRANSACTION_SLOTS = {
  hash: at.X_HASH,
  blockHash: at.X_BLOCK_HASH,
  blockNumber: at.X_BLOCK_NUMBER,
  transactionIndex: at.X_INDEX,
  type: at.X_TYPE,
  from: at.X_FROM,
  to: at.X_TO,
  input: at.X_INPUT,
  data: at.X_DATA,
  v: at.X_V,
  yParity: at.X_Y_PARITY,
  gasPrice: at.X_GAS_PRICE,
  maxFeePerGas: at.X_MAX_FEE,
  maxPriorityFeePerGas: at.X_MAX_PRIORITY_FEE,
  value: at.X_VALUE,
  authorizationList: at.X_AUTHORIZATIONS,
};

const KINDS: Readonly<Record<FieldKind, number>> = {
  quantity: at.K_QUANTITY,
  quantityOrNone: at.K_QUANTITY_OR_NONE,
  data: at.K_DATA,
  hash: at.K_HASH,
  address: at.K_ADDRESS,
  addressOrNone: at.K_ADDRESS_OR_NONE,
  bloom: at.K_BLOOM,
  nonce8: at.K_NONCE8,
  flag: at.K_FLAG,
  parity: at.K_PARITY,
  feeCap: at.K_FEE_CAP,
  hashes: at.K_HASHES,
  accessList: at.K_ACCESS_LIST,
  authorizations: at.K_AUTHORIZATIONS,
};

/** The named slots first, then the other fields of a table, each once. */
function keysOf(slots: Readonly<Record<string, number>>, table: FieldTable = []): Keys {
  const keys = Object.keys(slots);
  keys.forEach((key, place) => assert(slots[key] === place, `slot ${place} is ${key}'s`));
  for (const [key, kind] of table) if (!keys.includes(key) && !UNNAMED.includes(kind)) keys.push(key);
  return keys;
}

/** Writes the tables of a chain at `from`; returns their position and the first byte behind everything. */
export function writeTables(
  memory: WebAssembly.Memory,
  from: number,
  { profile, bloomCache }: { profile: ChainProfile; bloomCache: number },
): { tables: number; end: number } {
  const writer = new TableWriter(memory, from);
  const types = Object.entries(profile.types).filter(([, type]) => type.rawOnly !== true);
  const transactionKeys = keysOf(TRANSACTION_SLOTS, [
    ...types.flatMap(([, type]) => type.fields),
    ...FIELDS_OF_SOME_TYPES.map((key) => [key, "data"] as const),
  ]);
  assert(BLOCK_KEYS.length <= at.B_SLOTS && transactionKeys.length <= at.X_SLOTS, "every key has a slot");
  const header = [...ALWAYS, ...SINCE_A_FORK];
  const values = new Map([
    [at.T_ENVELOPE_KEYS, writer.keys(ENVELOPE_KEYS)],
    [at.T_BLOCK_KEYS, writer.keys(BLOCK_KEYS)],
    [at.T_TRANSACTION_KEYS, writer.keys(transactionKeys)],
    [at.T_RECEIPT_KEYS, writer.keys(RECEIPT_KEYS)],
    [at.T_LOG_KEYS, writer.keys(LOG_KEYS)],
    [at.T_WITHDRAWAL_KEYS, writer.keys(WITHDRAWAL_KEYS)],
    [at.T_ACCESS_KEYS, writer.keys(ACCESS_KEYS)],
    [at.T_AUTHORIZATION_KEYS, writer.keys(AUTHORIZATION_KEYS)],
    [at.T_HEADER_FIELDS, writer.ints([ALWAYS.length, header.length, ...pairsOf(header, BLOCK_KEYS)])],
    [at.T_WITHDRAWAL_FIELDS, writer.ints(pairsOf(WITHDRAWAL, WITHDRAWAL_KEYS))],
    [at.T_AUTHORIZATION_FIELDS, writer.ints(pairsOf(AUTHORIZATION, AUTHORIZATION_KEYS))],
    [at.T_TYPES, writeTypes(writer, types, transactionKeys)],
    [at.T_EVENTS, writeEvents(writer)],
    [at.T_ADDRESS_WORDS, PARTY_WORDS_MAX],
    [at.T_STORAGE_WITHDRAWALS, profile.withdrawals === "storage" ? 1 : 0],
    [at.T_BLOOM_CACHE, bloomCache],
  ]);
  const tables = writer.ints(Array.from({ length: at.TABLES_INTS }, (_, index) => defined(values.get(index))));
  return { tables, end: writer.end };
}

function defined<T>(value: T | undefined): T {
  assert(value !== undefined, "every table of the core is written");
  return value;
}

function slotOf(keys: Keys, key: string): number {
  const slot = keys.indexOf(key);
  assert(slot !== -1, `${key} has a slot`);
  return slot;
}

/** Slot and kind of each field, in the order of the encoding. */
function pairsOf(table: FieldTable, keys: Keys): number[] {
  return table.flatMap(([key, kind]) => [UNNAMED.includes(kind) ? 0 : slotOf(keys, key), KINDS[kind]]);
}

function writeTypes(writer: TableWriter, types: readonly [string, TransactionType][], keys: Keys): number {
  const entries = types.flatMap(([typeByte, type]) => typeEntry(writer, Number(typeByte), type, keys));
  return writer.ints([types.length, ...entries]);
}

/** TYPE_INTS integers; what they point to is written before. */
function typeEntry(writer: TableWriter, typeByte: number, type: TransactionType, keys: Keys): number[] {
  const own = type.fields.map(([key]) => key);
  const foreign = FIELDS_OF_SOME_TYPES.filter((key) => !own.includes(key)).map((key) => slotOf(keys, key));
  const fixed = Object.entries(type.fixed ?? {}).flatMap(([key, value]) => {
    const text = JSON.stringify(value);
    return [slotOf(keys, key), writer.text(text), text.length];
  });
  const pairs = pairsOf(type.fields, keys);
  assert(pairs.length <= 2 * at.TYPE_FIELDS_MAX, `a ${type.name} transaction's fields fit their entry`);
  const entry = Array.from({ length: at.TYPE_INTS }, () => 0);
  entry[at.TYPE_BYTE] = typeByte;
  entry[at.TYPE_FLAGS] =
    (type.depositReceipt === true ? at.FLAG_DEPOSIT_RECEIPT : 0) |
    (own.includes("input") ? 0 : at.FLAG_LOOSE_INPUT) |
    (own.includes("value") ? 0 : at.FLAG_LOOSE_VALUE);
  entry[at.TYPE_FIELD_COUNT] = type.fields.length;
  entry[at.TYPE_FOREIGN] = writer.ints([foreign.length, ...foreign]);
  entry[at.TYPE_FIXED] = writer.ints([fixed.length / 3, ...fixed]);
  pairs.forEach((value, index) => (entry[at.TYPE_FIELDS + index] = value));
  return entry;
}

function writeEvents(writer: TableWriter): number {
  const position = writer.ints([READ_EVENTS.length]);
  for (const topic of READ_EVENTS) writer.bytes(Buffer.from(topic.slice(2), "hex"));
  return position;
}
