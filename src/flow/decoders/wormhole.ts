/** Wormhole's token bridge: a message with a sequence number, redeemed on the other side by that number. */
import { addressInBytes, createDecoder, part, type ReadEvent } from "./abi.ts";
import { placeOn, WORMHOLE } from "./networks.ts";

// wormhole-foundation/wormhole @640e184, ethereum/contracts: Implementation.sol, bridge/Bridge.sol.
const PUBLISHED =
  "event LogMessagePublished(address indexed sender, uint64 sequence, uint32 nonce, bytes payload, uint8 consistencyLevel)";
const REDEEMED =
  "event TransferRedeemed(uint16 indexed emitterChainId, bytes32 indexed emitterAddress, uint64 indexed sequence)";

const BRIDGE = "wormhole";
/** Payloads of the token bridge: a transfer, and one with a call behind it. */
const TRANSFERS: readonly bigint[] = [1n, 3n];
/** type 1, amount 32, token 32, its chain 2, recipient 32, chain 2. */
const AT = { amount: 1, token: 33, tokenChain: 65, to: 67, toChain: 99, end: 101 } as const;

const OF_CHAIN = new Map([...WORMHOLE].map(([number, chain]) => [chain, number]));

function keyOf(network: string, emitter: string, sequence: bigint): string {
  return `${BRIDGE}:${network}:${emitter.slice(2).toLowerCase().padStart(64, "0")}:${sequence}`;
}

const readPublished: ReadEvent = (args, { chain }) => {
  const payload = args["payload"] as string;
  const network = OF_CHAIN.get(chain);
  if (network === undefined || !TRANSFERS.includes(BigInt(part(payload, 0, AT.amount)))) return [];
  return [
    {
      said: "order",
      bridge: BRIDGE,
      key: keyOf(network, args["sender"] as string, args["sequence"] as bigint),
      amount: null,
      minOut: null,
      to: placeOn(
        WORMHOLE,
        BigInt(part(payload, AT.toChain, AT.end)),
        addressInBytes(part(payload, AT.to, AT.toChain)),
      ),
      // At most eight decimals, whatever the token has.
      amountShared: BigInt(part(payload, AT.amount, AT.token)),
    },
  ];
};

const readRedeemed: ReadEvent = (args) => [
  {
    said: "paid",
    bridge: BRIDGE,
    key: keyOf(String(args["emitterChainId"]), args["emitterAddress"] as string, args["sequence"] as bigint),
    recipient: null,
    amount: null,
  },
];

export const wormhole = createDecoder("Wormhole", { [PUBLISHED]: readPublished, [REDEEMED]: readRedeemed });
