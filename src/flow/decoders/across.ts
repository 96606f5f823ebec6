/** Across: an order on the spoke pool of one chain, filled by a relayer on another. Key: chain of the order, its number. */
import type { BridgeStatement } from "../../types/bridge-event.ts";
import { addressInWord, createDecoder, type ReadEvent } from "./abi.ts";

// across-protocol/contracts @8ab0730, contracts/interfaces/V3SpokePoolInterface.sol: before 2025 with addresses, then with words.
const ORDER_LEGACY =
  "event V3FundsDeposited(address inputToken, address outputToken, uint256 inputAmount, uint256 outputAmount, uint256 indexed destinationChainId, uint32 indexed depositId, uint32 quoteTimestamp, uint32 fillDeadline, uint32 exclusivityDeadline, address indexed depositor, address recipient, address exclusiveRelayer, bytes message)";
const ORDER =
  "event FundsDeposited(bytes32 inputToken, bytes32 outputToken, uint256 inputAmount, uint256 outputAmount, uint256 indexed destinationChainId, uint256 indexed depositId, uint32 quoteTimestamp, uint32 fillDeadline, uint32 exclusivityDeadline, bytes32 indexed depositor, bytes32 recipient, bytes32 exclusiveRelayer, bytes message)";
const PAID_LEGACY =
  "event FilledV3Relay(address inputToken, address outputToken, uint256 inputAmount, uint256 outputAmount, uint256 repaymentChainId, uint256 indexed originChainId, uint32 indexed depositId, uint32 fillDeadline, uint32 exclusivityDeadline, address exclusiveRelayer, address indexed relayer, address depositor, address recipient, bytes message, (address updatedRecipient, bytes updatedMessage, uint256 updatedOutputAmount, uint8 fillType) relayExecutionInfo)";
const PAID =
  "event FilledRelay(bytes32 inputToken, bytes32 outputToken, uint256 inputAmount, uint256 outputAmount, uint256 repaymentChainId, uint256 indexed originChainId, uint256 indexed depositId, uint32 fillDeadline, uint32 exclusivityDeadline, bytes32 exclusiveRelayer, bytes32 indexed relayer, bytes32 depositor, bytes32 recipient, bytes32 messageHash, (bytes32 updatedRecipient, bytes32 updatedMessageHash, uint256 updatedOutputAmount, uint8 fillType) relayExecutionInfo)";

const BRIDGE = "across";

function keyOf(origin: string | bigint, deposit: bigint): string {
  return `${BRIDGE}:${origin}:${deposit}`;
}

/** Words hold addresses of other families too: those are told as they are. */
function recipientOf(text: string): string {
  return text.length === 66 ? (addressInWord(text) ?? text) : text;
}

const readOrder: ReadEvent = (args, { chain }) => [
  {
    said: "order",
    bridge: BRIDGE,
    key: keyOf(chain.slice("eip155:".length), args["depositId"] as bigint),
    amount: args["inputAmount"] as bigint,
    minOut: args["outputAmount"] as bigint,
    to: {
      network: String(args["destinationChainId"]),
      // Across numbers chains as they number themselves.
      chain: `eip155:${String(args["destinationChainId"])}`,
      address: recipientOf(args["recipient"] as string),
    },
  },
];

/** What was paid in the end: depositor and relayer may agree on another recipient and a smaller amount. */
const readPaid: ReadEvent = (args): BridgeStatement[] => {
  const { updatedRecipient, updatedOutputAmount } = args["relayExecutionInfo"] as {
    updatedRecipient: string;
    updatedOutputAmount: bigint;
  };
  return [
    {
      said: "paid",
      bridge: BRIDGE,
      key: keyOf(args["originChainId"] as bigint, args["depositId"] as bigint),
      recipient: recipientOf(updatedRecipient),
      amount: updatedOutputAmount,
    },
  ];
};

export const across = createDecoder("Across", {
  [ORDER_LEGACY]: readOrder,
  [ORDER]: readOrder,
  [PAID_LEGACY]: readPaid,
  [PAID]: readPaid,
});
