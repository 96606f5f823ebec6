/**
 * LayerZero: tokens that travel by message (OFT), and Stargate's pools on top of it. An order may ride alone (taxi: its guid
 * is the key) or in a bus (its ticket is, until the bus drives and names its guid).
 */
import { solidityPackedKeccak256, zeroPadValue } from "ethers";
import type { BridgeStatement } from "../../types/bridge-event.ts";
import { addressInBytes, createDecoder, part, type ReadEvent } from "./abi.ts";
import { LAYERZERO, placeOn } from "./networks.ts";

// LayerZero-Labs/LayerZero-v2 @9c741e7: ILayerZeroEndpointV2, IOFT; stargate-protocol/stargate-v2 @938c95d: TokenMessaging.
const PACKET = "event PacketSent(bytes encodedPayload, bytes options, address sendLibrary)";
const DELIVERED = "event PacketDelivered((uint32 srcEid, bytes32 sender, uint64 nonce) origin, address receiver)";
const OFT_SENT =
  "event OFTSent(bytes32 indexed guid, uint32 dstEid, address indexed fromAddress, uint256 amountSentLD, uint256 amountReceivedLD)";
const OFT_RECEIVED =
  "event OFTReceived(bytes32 indexed guid, uint32 srcEid, address indexed toAddress, uint256 amountReceivedLD)";
const BUS_RODE = "event BusRode(uint32 dstEid, uint72 ticketId, uint80 fare, bytes passenger)";
const BUS_DRIVEN = "event BusDriven(uint32 dstEid, uint72 startTicketId, uint8 numPassengers, bytes32 guid)";

const GUID_NONE = `0x${"0".repeat(64)}`;
/** PacketV1Codec: version 1, nonce 8, source 4, sender 32, destination 4, receiver 32, guid 32, message. */
const AT = { version: 0, destination: 45, receiver: 49, guid: 81, message: 113 } as const;
const PACKET_VERSION = 1n;
/** OFTMsgCodec: recipient 32, amount 8; longer with a call behind it. */
const OFT_MESSAGE_BYTES = 40;
/** TaxiCodec: type 1, asset 2, recipient 32, amount 8. */
const TAXI = 1n;
const TAXI_MESSAGE_BYTES = 43;

const OF_CHAIN = new Map([...LAYERZERO].map(([number, chain]) => [chain, number]));

const layerzeroKey = (guid: string) => `layerzero:${guid.toLowerCase()}`;
const ticketKey = (network: bigint | string, ticket: bigint) => `stargate-bus:${network}:${ticket}`;

const readPacket: ReadEvent = (args) => {
  const packet = args["encodedPayload"] as string;
  if (BigInt(part(packet, AT.version, 1)) !== PACKET_VERSION) return [];
  const network = BigInt(part(packet, AT.destination, AT.receiver)).toString();
  const key = layerzeroKey(part(packet, AT.guid, AT.message));
  const message = `0x${packet.slice(2 + 2 * AT.message)}`;
  const order = { said: "order", key, amount: null, minOut: null } as const;
  if (isTaxi(message))
    return [
      {
        ...order,
        bridge: "stargate",
        to: placeOn(LAYERZERO, network, addressInBytes(part(message, 3, 35))),
        assetNumber: Number(BigInt(part(message, 1, 3))),
        amountShared: BigInt(part(message, 35, TAXI_MESSAGE_BYTES)),
      },
    ];
  if (bytesIn(message) < OFT_MESSAGE_BYTES) return [];
  return [
    {
      ...order,
      bridge: "layerzero",
      to: placeOn(LAYERZERO, network, addressInBytes(part(message, 0, 32))),
      amountShared: BigInt(part(message, 32, OFT_MESSAGE_BYTES)),
    },
  ];
};

/** The guid of what the endpoint handed over, by which the receiving contract must name it: `GUID.generate` of the same source. */
const readDelivered: ReadEvent = (args, { chain }) => {
  const network = OF_CHAIN.get(chain);
  if (network === undefined) return [];
  const { srcEid, sender, nonce } = args["origin"] as unknown as { srcEid: bigint; sender: string; nonce: bigint };
  const guid = solidityPackedKeccak256(
    ["uint64", "uint32", "bytes32", "uint32", "bytes32"],
    [nonce, srcEid, sender, network, zeroPadValue(args["receiver"] as string, 32)],
  );
  return [{ said: "vouched", key: layerzeroKey(guid) }];
};

/** A recipient on another EVM chain begins with zeros: no OFT message to one looks like a taxi. */
function isTaxi(message: string): boolean {
  return bytesIn(message) >= TAXI_MESSAGE_BYTES && BigInt(part(message, 0, 1)) === TAXI;
}

function bytesIn(hex: string): number {
  return (hex.length - 2) / 2;
}

const readSent: ReadEvent = (args) => {
  const guid = args["guid"] as string;
  return [
    {
      said: "orderAmount",
      bridge: "layerzero",
      key: guid === GUID_NONE ? null : layerzeroKey(guid),
      network: String(args["dstEid"]),
      amount: args["amountSentLD"] as bigint,
      minOut: args["amountReceivedLD"] as bigint,
    },
  ];
};

const readReceived: ReadEvent = (args) => [
  {
    said: "paid",
    bridge: "layerzero",
    key: layerzeroKey(args["guid"] as string),
    recipient: args["toAddress"] as string,
    amount: args["amountReceivedLD"] as bigint,
  },
];

/** BusCodec: asset 2, recipient 32, amount 8, and whether some coins of the other chain come along. */
const readRode: ReadEvent = (args): BridgeStatement[] => {
  const passenger = args["passenger"] as string;
  const network = args["dstEid"] as bigint;
  return [
    {
      said: "order",
      bridge: "stargate",
      key: ticketKey(network, args["ticketId"] as bigint),
      amount: null,
      minOut: null,
      to: placeOn(LAYERZERO, network, addressInBytes(part(passenger, 2, 34))),
      assetNumber: Number(BigInt(part(passenger, 0, 2))),
      amountShared: BigInt(part(passenger, 34, 42)),
    },
  ];
};

const readDriven: ReadEvent = (args) => {
  const [network, first] = [args["dstEid"] as bigint, args["startTicketId"] as bigint];
  const passengers = Number(args["numPassengers"]);
  return [
    {
      said: "tickets",
      bridge: "stargate",
      tickets: Array.from({ length: passengers }, (_, place) => ticketKey(network, first + BigInt(place))),
      key: layerzeroKey(args["guid"] as string),
    },
  ];
};

export const layerzero = createDecoder("LayerZero", { [PACKET]: readPacket, [DELIVERED]: readDelivered });
/** Any token may be an OFT: its words count where the endpoint sent or delivered a packet of the same guid in the transaction (BRG-0). */
export const oft = createDecoder("OFT", { [OFT_SENT]: readSent, [OFT_RECEIVED]: readReceived });
export const stargate = createDecoder("Stargate", {
  [BUS_RODE]: readRode,
  [BUS_DRIVEN]: readDriven,
  [OFT_SENT]: readSent,
  [OFT_RECEIVED]: readReceived,
});
