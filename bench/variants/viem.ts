/** viem's public client: the block with its transactions, and its logs. It matches nothing. */
import { createPublicClient, http } from "viem";
import type { OpenVariantWith } from "./variant.ts";

export const openViem: OpenVariantWith = ({ httpUrl }) => {
  const client = createPublicClient({ transport: http(httpUrl, { retryCount: 0 }), cacheTime: 0 });
  return {
    async read({ number }) {
      const blockNumber = BigInt(number);
      await Promise.all([
        client.getBlock({ blockNumber, includeTransactions: true }),
        client.getLogs({ fromBlock: blockNumber, toBlock: blockNumber }),
      ]);
      return 0;
    },
    close: () => Promise.resolve(),
  };
};
