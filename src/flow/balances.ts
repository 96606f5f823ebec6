/**
 * What addresses hold inside of a block (ACC-1): the balance a node told for the end of the previous block, and what has
 * moved in this one since. Moves of all addresses are kept, since one may become a holder later in the block.
 */
import type { Address, AssetId } from "../types/chain.ts";
import type { Anchor } from "../types/flow-block.ts";

export interface Balances {
  /** At the end of the previous block; undefined: no node said. */
  anchorOf(asset: AssetId, address: Address): bigint | undefined;
  /** What came less what went in this block so far. */
  movedOf(asset: AssetId, address: Address): bigint;
  move(asset: AssetId, address: Address | null, by: bigint): void;
  /** Everybody for whom something moved. */
  moved(): IterableIterator<{ readonly asset: AssetId; readonly address: Address; readonly by: bigint }>;
}

export function createBalances(anchors: readonly Anchor[]): Balances {
  const anchored = new Map<AssetId, Map<Address, bigint>>();
  const movements = new Map<AssetId, Map<Address, bigint>>();
  for (const { asset, address, amount } of anchors) innerOf(anchored, asset).set(address, amount);
  return {
    anchorOf: (asset, address) => anchored.get(asset)?.get(address),
    movedOf: (asset, address) => movements.get(asset)?.get(address) ?? 0n,
    move(asset, address, by) {
      if (address === null) return;
      const inner = innerOf(movements, asset);
      inner.set(address, (inner.get(address) ?? 0n) + by);
    },
    *moved() {
      for (const [asset, inner] of movements) for (const [address, by] of inner) yield { asset, address, by };
    },
  };
}

function innerOf<V>(outer: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const inner = outer.get(key) ?? new Map<string, V>();
  outer.set(key, inner);
  return inner;
}
