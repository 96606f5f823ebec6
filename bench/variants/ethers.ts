/** ethers' provider: the block with its transactions, and its logs. It matches nothing. */
import { JsonRpcProvider } from "ethers";
import type { OpenVariantWith } from "./variant.ts";

export const openEthers: OpenVariantWith = ({ httpUrl }) => {
  // No network detection, no cache, no 10 ms wait for a batch: ethers at its cheapest.
  const provider = new JsonRpcProvider(httpUrl, 1, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 });
  return {
    async read({ number }) {
      await Promise.all([provider.getBlock(number, true), provider.getLogs({ fromBlock: number, toBlock: number })]);
      return 0;
    },
    close() {
      provider.destroy();
      return Promise.resolve();
    },
  };
};
