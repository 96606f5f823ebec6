/** How little work a block of a chain may have and still be one that its miners made. */
import type { ChainId } from "../../../types/chain.ts";
import { NETWORKS } from "../networks.ts";

/**
 * Least work of one block from a height on, the highest first. Bitcoin: half of what block 300,025 (2014) and block 702,861
 * (2021) took, in test/fixtures/bitcoin; the difficulty was never lower since. Whoever makes up a block of such a height has
 * to spend as much; of a lower height, the height itself gives it away.
 */
const FLOORS: ReadonlyMap<ChainId, readonly (readonly [from: number, work: bigint])[]> = new Map([
  [
    NETWORKS.mainnet.chainId,
    [
      [700_000, 2n ** 75n],
      [300_000, 2n ** 63n],
    ],
  ],
]);

/** 0: nothing is known of that chain, or of that height. */
export function workFloorOf(chain: ChainId, height: number): bigint {
  return FLOORS.get(chain)?.find(([from]) => height >= from)?.[1] ?? 0n;
}
