/**
 * Coins of watched scripts by outpoint, so that a pending transaction can be told whose coins it spends.
 *
 * What stands at an outpoint never changes, because its transaction's id covers it. So a coin that is kept too long is
 * never wrong, whatever branch the chain takes; only one that is missing would be missed.
 */
import type { Coin } from "../coins.ts";
import { filterWordsFor, HashFilter } from "../hash-filter.ts";
import { type OutpointKey, printOf } from "../outpoints.ts";
import { sourceOf } from "../payload-set.ts";
import type { ScriptTable } from "../script-table.ts";

// Some 150 bytes each. Whoever watches more than this sees the rest of what they spend in the block.
const COINS_MAX = 1_000_000;
// Coins that pending transactions made: the oldest are forgotten first, most of them long in a block or dropped.
const PENDING_MAX = 50_000;

export interface CoinSet {
  get(key: OutpointKey): Coin | null;
  /** False: certainly no coin of the chain whose outpoint has this print. */
  mayHold(print: number): boolean;
  /** A coin of the chain. */
  add(key: OutpointKey, coin: Coin): void;
  /** A coin that does not exist yet. */
  addPending(key: OutpointKey, coin: Coin): void;
  forget(key: OutpointKey): void;
  size(): number;
  /** True once a coin of the chain found no room. */
  overflowed(): boolean;
}

export function createCoinSet({ coinsMax = COINS_MAX, pendingMax = PENDING_MAX } = {}): CoinSet {
  const coins = new Map<OutpointKey, Coin>();
  const pending = new Map<OutpointKey, Coin>();
  const scripts = new Map<string, Uint8Array>();
  const filter = new HashFilter(new Int32Array(filterWordsFor(coinsMax)));
  let overflowed = false;

  /** A copy, shared by all coins of a script: the bytes of a coin are part of a block's. */
  function ownedBy({ script, amount }: Coin): Coin {
    const text = Buffer.from(script.buffer, script.byteOffset, script.byteLength).toString("latin1");
    let shared = scripts.get(text);
    if (shared === undefined) {
      shared = Uint8Array.from(script);
      scripts.set(text, shared);
    }
    return { script: shared, amount };
  }

  return {
    get: (key) => coins.get(key) ?? pending.get(key) ?? null,
    add(key, coin) {
      if (coins.has(key)) return;
      if (coins.size >= coinsMax) {
        overflowed = true;
        return;
      }
      coins.set(key, ownedBy(coin));
      filter.add(printOf(key));
    },
    mayHold: (print) => filter.mayHold(print),
    addPending(key, coin) {
      if (coins.has(key) || pending.has(key)) return;
      pending.set(key, ownedBy(coin));
      for (const oldest of pending.keys()) {
        if (pending.size <= pendingMax) break;
        pending.delete(oldest);
      }
    },
    forget: (key) => void coins.delete(key),
    size: () => coins.size,
    overflowed: () => overflowed,
  };
}

/** Those of a transaction's outputs that touch what is watched, with their index. */
export function* watchedAmong(outputs: readonly Coin[], watched: ScriptTable): Generator<[number, Coin]> {
  for (const [index, coin] of outputs.entries())
    if (watched.touches(sourceOf(coin.script), 0, coin.script.length)) yield [index, coin];
}
