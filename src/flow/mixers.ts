/** What went into mixers (MIX). Nothing is followed out of them: an analyst who links a withdrawal adds an origin. */
import type { AssetId } from "../types/chain.ts";
import type { BlockWork } from "./work.ts";

/** MIX-1 */
export function bookMixer(work: BlockWork, of: { pool: string; asset: AssetId; tainted: bigint }): void {
  const { ledger, chain, at } = work;
  const key = `${chain}|${of.pool}|${of.asset}`;
  const before = ledger.rows.mixers.get(key);
  ledger.rows.mixers.set(key, {
    chain,
    pool: of.pool,
    asset: of.asset,
    deposits: (before?.deposits ?? 0) + 1,
    tainted: (before?.tainted ?? 0n) + of.tainted,
    firstAt: before?.firstAt ?? at,
    lastAt: at,
  });
}

/** MIX-3: how much of what lies in a pool is ours, in basis points; a pool that gave out all it had says nothing: 0. */
export function saturationBps(pool: {
  readonly ours: number;
  readonly deposits: number;
  readonly withdrawals: number;
}): number {
  const unspent = pool.deposits - pool.withdrawals;
  return unspent <= 0 ? 0 : Math.floor((10_000 * pool.ours) / unspent);
}
