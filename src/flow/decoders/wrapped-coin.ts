/** Coins wrapped as tokens (WETH9 and its kin), which log no transfer for it (CNV-4). */
import { createDecoder } from "./abi.ts";

// WETH9, 0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2 on Ethereum.
const WRAPPED = "event Deposit(address indexed dst, uint256 wad)";
const UNWRAPPED = "event Withdrawal(address indexed src, uint256 wad)";

export const wrappedCoin = createDecoder("Wrapped coin", {
  [WRAPPED]: (args) => [{ said: "wrapped", holder: args["dst"] as string, amount: args["wad"] as bigint }],
  [UNWRAPPED]: (args) => [{ said: "unwrapped", holder: args["src"] as string, amount: args["wad"] as bigint }],
});
