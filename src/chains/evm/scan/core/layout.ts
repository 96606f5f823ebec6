/**
 * Where things stand in the core's memory. `scan/tables.ts` and `scan/block-scanner.ts` write and read it from outside.
 * All integers are 32 bits, at multiples of four.
 */

// The question: integers at the parameters' position.
export const Q_HASH: i32 = 0; // 66 characters and their quotes
export const Q_PARENT_HASH: i32 = 1;
export const Q_NUMBER: i32 = 2;
export const Q_NUMBER_LENGTH: i32 = 3;
export const Q_TIMESTAMP: i32 = 4;
export const Q_TIMESTAMP_LENGTH: i32 = 5;
export const Q_BLOCK: i32 = 6;
export const Q_BLOCK_END: i32 = 7;
export const Q_BLOCK_ID: i32 = 8;
export const Q_RECEIPTS: i32 = 9;
export const Q_RECEIPTS_END: i32 = 10;
export const Q_RECEIPTS_ID: i32 = 11;
export const Q_ROOM: i32 = 12;
export const Q_ROOM_END: i32 = 13;
export const Q_WRITING_END: i32 = 14;
export const Q_TABLES: i32 = 15;
export const Q_WORDS: i32 = 16;
export const Q_FINGERPRINTS: i32 = 17;
export const Q_SLOTS: i32 = 18;
export const Q_SEED_LOW: i32 = 19;
export const Q_SEED_HIGH: i32 = 20;
/** Not zero: the block names its transactions by hash, and only what logs tell is read; see `scan.ts`. */
export const Q_LOGS_ONLY: i32 = 21;
// The answer, behind it.
export const A_TRANSACTIONS: i32 = 22;
export const A_COUNT: i32 = 23;
export const A_RECEIPTS: i32 = 24;
/** Not zero: the fee recipient may be watched. */
export const A_RECIPIENT_TOUCHED: i32 = 25;
/** Where the list of withdrawals stands, when one of them may touch a watched address; else 0. */
export const A_WITHDRAWALS: i32 = 26;
export const A_WITHDRAWALS_END: i32 = 27;
export const QUESTION_INTS: i32 = 28;

// The tables of a chain: integers at their position.
export const T_ENVELOPE_KEYS: i32 = 0;
export const T_BLOCK_KEYS: i32 = 1;
export const T_TRANSACTION_KEYS: i32 = 2;
export const T_RECEIPT_KEYS: i32 = 3;
export const T_LOG_KEYS: i32 = 4;
export const T_WITHDRAWAL_KEYS: i32 = 5;
export const T_ACCESS_KEYS: i32 = 6;
export const T_AUTHORIZATION_KEYS: i32 = 7;
export const T_HEADER_FIELDS: i32 = 8;
export const T_TYPES: i32 = 9;
/** A number of topics, then 32 bytes each: the events that some decoder reads. */
export const T_EVENTS: i32 = 10;
/** 1: OP chains, whose withdrawals root is of another kind. */
export const T_STORAGE_WITHDRAWALS: i32 = 11;
export const T_WITHDRAWAL_FIELDS: i32 = 12;
export const T_AUTHORIZATION_FIELDS: i32 = 13;
export const T_BLOOM_CACHE: i32 = 14;
/** How many words at the front of a log's data some decoder may read an address from. */
export const T_ADDRESS_WORDS: i32 = 15;
export const TABLES_INTS: i32 = 16;

// Header fields: how many are always there, how many there are in all, then pairs of slot and kind.
// Types: how many, then entries of TYPE_INTS.
export const TYPE_BYTE: i32 = 0;
export const TYPE_FLAGS: i32 = 1;
export const TYPE_FIELD_COUNT: i32 = 2;
/** Position of: a number of slots that must be absent, null or an empty list, then the slots. */
export const TYPE_FOREIGN: i32 = 3;
/** Position of: a number of fixed values, then slot, position and length of each. */
export const TYPE_FIXED: i32 = 4;
/** Pairs of slot and kind, in the order of the encoding. */
export const TYPE_FIELDS: i32 = 5;
export const TYPE_FIELDS_MAX: i32 = 18;
export const TYPE_INTS: i32 = 41; // TYPE_FIELDS + 2 * TYPE_FIELDS_MAX
export const FLAG_DEPOSIT_RECEIPT: i32 = 1;
/** Not part of the encoding, which would have checked them; decoders read them all the same. */
export const FLAG_LOOSE_INPUT: i32 = 2;
export const FLAG_LOOSE_VALUE: i32 = 4;

// Kinds of fields; see FieldKind in proof/fields.ts.
export const K_QUANTITY: i32 = 0;
export const K_QUANTITY_OR_NONE: i32 = 1;
export const K_DATA: i32 = 2;
export const K_HASH: i32 = 3;
export const K_ADDRESS: i32 = 4;
export const K_ADDRESS_OR_NONE: i32 = 5;
export const K_BLOOM: i32 = 6;
export const K_NONCE8: i32 = 7;
export const K_FLAG: i32 = 8;
export const K_PARITY: i32 = 9;
export const K_FEE_CAP: i32 = 10;
export const K_HASHES: i32 = 11;
export const K_ACCESS_LIST: i32 = 12;
export const K_AUTHORIZATIONS: i32 = 13;

/** A flag of whatever asked about an address that turned out to be watched. */
export const TOUCHED: i32 = 1;

// Slots: the keys of each kind of object, by their number.
export const E_ID: i32 = 0;
export const E_RESULT: i32 = 1;
export const E_ERROR: i32 = 2;

export const B_HASH: i32 = 0;
export const B_NUMBER: i32 = 1;
export const B_PARENT_HASH: i32 = 2;
export const B_TIMESTAMP: i32 = 3;
export const B_TRANSACTIONS: i32 = 4;
export const B_TRANSACTIONS_ROOT: i32 = 5;
export const B_RECEIPTS_ROOT: i32 = 6;
export const B_LOGS_BLOOM: i32 = 7;
export const B_GAS_USED: i32 = 8;
export const B_WITHDRAWALS: i32 = 9;
export const B_WITHDRAWALS_ROOT: i32 = 10;
export const B_MINER: i32 = 11;
// The other header fields stand behind these.
export const B_SLOTS: i32 = 32;

export const X_HASH: i32 = 0;
export const X_BLOCK_HASH: i32 = 1;
export const X_BLOCK_NUMBER: i32 = 2;
export const X_INDEX: i32 = 3;
export const X_TYPE: i32 = 4;
export const X_FROM: i32 = 5;
export const X_TO: i32 = 6;
export const X_INPUT: i32 = 7;
export const X_DATA: i32 = 8;
export const X_V: i32 = 9;
export const X_Y_PARITY: i32 = 10;
export const X_GAS_PRICE: i32 = 11;
export const X_MAX_FEE: i32 = 12;
export const X_MAX_PRIORITY_FEE: i32 = 13;
export const X_VALUE: i32 = 14;
export const X_AUTHORIZATIONS: i32 = 15;
// The fields of other types stand behind these.
export const X_SLOTS: i32 = 40;
// A transaction: its slots, then these integers, then its hash.
export const X_START: i32 = 80;
export const X_END: i32 = 81;
export const X_TYPE_ENTRY: i32 = 82;
export const X_FLAGS: i32 = 83;
export const X_HASH_BYTES: i32 = 84;
export const X_INTS: i32 = 92;
export const X_CREATES: i32 = 2;
export const X_AUTHORIZES: i32 = 4;

export const R_TRANSACTION_HASH: i32 = 0;
export const R_INDEX: i32 = 1;
export const R_BLOCK_HASH: i32 = 2;
export const R_BLOCK_NUMBER: i32 = 3;
export const R_FROM: i32 = 4;
export const R_TO: i32 = 5;
export const R_TYPE: i32 = 6;
export const R_CONTRACT: i32 = 7;
export const R_CUMULATIVE_GAS: i32 = 8;
export const R_GAS_USED: i32 = 9;
export const R_LOGS: i32 = 10;
export const R_LOGS_BLOOM: i32 = 11;
export const R_STATUS: i32 = 12;
export const R_ROOT: i32 = 13;
export const R_DEPOSIT_NONCE: i32 = 14;
export const R_DEPOSIT_VERSION: i32 = 15;
export const R_SLOTS: i32 = 16;
// A receipt: its slots, then these integers, then its bloom.
export const R_START: i32 = 32;
export const R_END: i32 = 33;
export const R_LOGS_AT: i32 = 34;
export const R_LOG_COUNT: i32 = 35;
export const R_BLOOM: i32 = 36;
export const R_INTS: i32 = 100;

export const L_ADDRESS: i32 = 0;
export const L_TOPICS: i32 = 1;
export const L_DATA: i32 = 2;
export const L_BLOCK_HASH: i32 = 3;
export const L_BLOCK_NUMBER: i32 = 4;
export const L_TRANSACTION_HASH: i32 = 5;
export const L_TRANSACTION_INDEX: i32 = 6;
export const L_INDEX: i32 = 7;
export const L_REMOVED: i32 = 8;
export const L_BLOCK_TIMESTAMP: i32 = 9;
export const L_SLOTS: i32 = 10;
// A log as it is kept: these integers, then its address, then room for four topics.
export const G_DATA: i32 = 0;
export const G_DATA_END: i32 = 1;
export const G_TOPIC_COUNT: i32 = 2;
export const G_ADDRESS: i32 = 3;
export const G_TOPICS: i32 = 8;
export const G_INTS: i32 = 40;
export const TOPICS_MAX: i32 = 4;

export const W_INDEX: i32 = 0;
export const W_ADDRESS: i32 = 1;
export const W_AMOUNT: i32 = 2;
export const W_VALIDATOR_INDEX: i32 = 3;
export const W_SLOTS: i32 = 4;

export const C_ADDRESS: i32 = 0;
export const C_STORAGE_KEYS: i32 = 1;
export const C_SLOTS: i32 = 2;

export const H_CHAIN_ID: i32 = 0;
export const H_ADDRESS: i32 = 1;
export const H_NONCE: i32 = 2;
export const H_Y_PARITY: i32 = 3;
export const H_R: i32 = 4;
export const H_S: i32 = 5;
export const H_SLOTS: i32 = 6;

/** The bits of the log blooms' items; see `bloom.ts`. 8,192 entries of 48 bytes. */
export const BLOOM_CACHE_BYTES: i32 = 393216;
