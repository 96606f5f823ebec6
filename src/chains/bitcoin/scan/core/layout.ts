/** Where things are in the memory that the core works on: the question, then tables by the length of a script, then the filter. */

/** First byte of the spent coins, and the one behind them. */
export const Q_SPENT = 0;
export const Q_SPENT_END = 4;
/** End of the block. */
export const Q_BLOCK = 8;
export const Q_BLOCK_END = 12;
/** Transactions of the block. */
export const Q_COUNT = 16;
/** `Transactions.parts`, as 32-bit integers; its offsets count from the block's first byte. */
export const Q_PARTS = 20;
/** Filled in: a 32-bit integer for each transaction, where its coins begin behind Q_SPENT. */
export const Q_SPENT_AT = 24;
/** Filled in, zeros before: a byte for each transaction, 1 where a script of it may touch what is watched. */
export const Q_MARKS = 28;
/** See HashFilter and HashKey. */
export const Q_FILTER_SHIFT = 32;
export const Q_KEY_START = 36;
export const Q_KEY_FACTOR = 40;
export const Q_KEY_OTHER_FACTOR = 44;
/** 1: a key is watched, in whatever script. */
export const Q_HAS_KEYS = 48;
/** 64-bit integers: the most that amounts may be together, and what a block may make. */
export const Q_AMOUNT_MAX = 56;
export const Q_SUBSIDY = 64;

/** By length of a script: where those with an address have their payload, and its length; 0: none is that long. */
export const PAYLOAD_AT = 72;
export const PAYLOAD_BYTES = 328;
/** By length: 1 where a script without an address is watched that is so long. At LONGER: where a longer one is. */
export const ODD = 584;
export const LONGER = 255;

export const FILTER = 1024;
