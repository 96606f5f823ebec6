/**
 * Chainflip's vault swaps. No key on chain: the payment is recognised by recipient, asset and amount (BRG-6). Swaps through a
 * deposit channel are plain transfers to one-time addresses, which no log tells.
 */
import { addressInBytes, createDecoder, type ReadEvent } from "./abi.ts";
import { BITCOIN, CHAINFLIP, placeOn } from "./networks.ts";

// chainflip-io/chainflip-eth-contracts @80fc71e, interfaces/IVault.sol. How a Bitcoin recipient is written (text or script) is
// still to be seen in a recorded transaction: text is read, a script is passed on as it is.
const SWAP_NATIVE =
  "event SwapNative(uint32 dstChain, bytes dstAddress, uint32 dstToken, uint256 amount, address indexed sender, bytes cfParameters)";
const SWAP_TOKEN =
  "event SwapToken(uint32 dstChain, bytes dstAddress, uint32 dstToken, address srcToken, uint256 amount, address indexed sender, bytes cfParameters)";

const readSwap: ReadEvent = (args) => {
  const place = placeOn(CHAINFLIP, args["dstChain"] as bigint, args["dstAddress"] as string);
  const address = place.chain === BITCOIN ? textIn(place.address ?? "0x") : addressInBytes(place.address ?? "0x");
  return [
    {
      said: "order",
      bridge: "chainflip",
      key: null,
      amount: args["amount"] as bigint,
      minOut: null,
      to: { ...place, address },
      link: "heuristic",
    },
  ];
};

/** Bytes that are the text of an address; others as they are. */
function textIn(bytes: string): string {
  const text = Buffer.from(bytes.slice(2), "hex").toString("latin1");
  return /^[A-Za-z0-9]{14,100}$/.test(text) ? text : bytes;
}

export const chainflip = createDecoder("Chainflip", { [SWAP_NATIVE]: readSwap, [SWAP_TOKEN]: readSwap });
