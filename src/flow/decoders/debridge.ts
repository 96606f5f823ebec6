/** deBridge DLN: an order with an id, fulfilled on the other side under the same id. */
import type { Result } from "ethers";
import { addressInBytes, createDecoder, type ReadEvent } from "./abi.ts";
import { DEBRIDGE, placeOn } from "./networks.ts";

// debridge-finance/dln-contracts @d54e94f: DlnSource.sol, DlnDestination.sol, DlnOrderLib.sol.
const TERMS =
  "(uint64 makerOrderNonce, bytes makerSrc, uint256 giveChainId, bytes giveTokenAddress, uint256 giveAmount, uint256 takeChainId, bytes takeTokenAddress, uint256 takeAmount, bytes receiverDst, bytes givePatchAuthoritySrc, bytes orderAuthorityAddressDst, bytes allowedTakerDst, bytes allowedCancelBeneficiarySrc, bytes externalCall) order";
const CREATED = `event CreatedOrder(${TERMS}, bytes32 orderId, bytes affiliateFee, uint256 nativeFixFee, uint256 percentFee, uint32 referralCode, bytes metadata)`;
const FULFILLED = `event FulfilledOrder(${TERMS}, bytes32 orderId, address sender, address unlockAuthority)`;

const BRIDGE = "debridge";

function termsOf(args: Result): Result {
  return args["order"] as Result;
}

const readCreated: ReadEvent = (args) => {
  const order = termsOf(args);
  return [
    {
      said: "order",
      bridge: BRIDGE,
      key: `${BRIDGE}:${args["orderId"] as string}`,
      amount: order["giveAmount"] as bigint,
      minOut: order["takeAmount"] as bigint,
      to: placeOn(DEBRIDGE, order["takeChainId"] as bigint, addressInBytes(order["receiverDst"] as string)),
    },
  ];
};

const readFulfilled: ReadEvent = (args) => [
  {
    said: "paid",
    bridge: BRIDGE,
    key: `${BRIDGE}:${args["orderId"] as string}`,
    recipient: addressInBytes(termsOf(args)["receiverDst"] as string),
    amount: termsOf(args)["takeAmount"] as bigint,
  },
];

export const debridge = createDecoder("deBridge", { [CREATED]: readCreated, [FULFILLED]: readFulfilled });
