/** Tornado Cash. A deposit names no depositor and no amount: both come from the value leg into the pool. */
import { createDecoder } from "./abi.ts";

// tornadocash/tornado-core @1ef6a26, contracts/Tornado.sol.
const DEPOSIT = "event Deposit(bytes32 indexed commitment, uint32 leafIndex, uint256 timestamp)";
const WITHDRAWAL = "event Withdrawal(address to, bytes32 nullifierHash, address indexed relayer, uint256 fee)";

const mixer = "tornado";

export const tornado = createDecoder("Tornado Cash", {
  [DEPOSIT]: (args) => [
    { said: "mixerDeposit", mixer, token: null, amount: null, fee: null, commitment: args["commitment"] as string },
  ],
  [WITHDRAWAL]: (args) => [
    {
      said: "mixerWithdrawal",
      mixer,
      recipient: args["to"] as string,
      token: null,
      amount: null,
      fee: args["fee"] as bigint,
    },
  ],
});
