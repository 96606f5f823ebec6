/** THORChain: an order is a memo beside a payment to a vault; what is paid names the transaction of the order. */
import { ZeroAddress } from "ethers";
import type { BridgeStatement, LogPlace } from "../../types/bridge-event.ts";
import { createDecoder, type ReadEvent } from "./abi.ts";
import { type Memo, parseMemo } from "./memo.ts";
import { placeOn, THORCHAIN } from "./networks.ts";

// Routers v3 to v5, as deployed and read in columbia/SmartInv; the memo is grammar of the THORChain developer documentation.
const DEPOSIT = "event Deposit(address indexed to, address indexed asset, uint256 amount, string memo)";
const OUT = "event TransferOut(address indexed vault, address indexed to, address asset, uint256 amount, string memo)";
const OUT_AND_CALL =
  "event TransferOutAndCall(address indexed vault, address target, uint256 amount, address finalAsset, address to, uint256 amountOutMin, string memo)";

const BRIDGE = "thorchain";
/** What the router calls the native coin. */
export const NATIVE = ZeroAddress;

/** Transaction ids in memos are upper-case hex without 0x. */
export function thorchainKey(tx: string): string {
  return `${BRIDGE}:${tx.replace(/^0x/, "").toLowerCase()}`;
}

/** The order that a memo makes of a payment; null: it is none. */
export function orderOf(
  memo: Memo,
  { tx, amount, vault }: Pick<LogPlace, "tx"> & { amount: bigint; vault: string },
): BridgeStatement | null {
  if (memo.type !== "swap") return null;
  return {
    said: "order",
    bridge: BRIDGE,
    key: thorchainKey(tx),
    amount,
    minOut: null,
    to: placeOn(THORCHAIN, memo.chain, memo.destination),
    vault,
  };
}

const readDeposit: ReadEvent = (args, { tx }) => {
  const order = orderOf(parseMemo(args["memo"] as string), {
    tx,
    amount: args["amount"] as bigint,
    vault: args["to"] as string,
  });
  return order === null ? [] : [order];
};

const readOut: ReadEvent = (args) => {
  const memo = parseMemo(args["memo"] as string);
  if (memo.type !== "out" && memo.type !== "refund") return [];
  return [
    {
      said: memo.type === "out" ? "paid" : "refunded",
      bridge: BRIDGE,
      key: thorchainKey(memo.txid),
      recipient: args["to"] as string,
      amount: args["amount"] as bigint,
    },
  ];
};

/** The amount goes through an aggregator: what arrives is another asset, told by the value leg. */
const readOutAndCall: ReadEvent = (args, place) =>
  readOut(args, place).map((paid) =>
    paid.said === "paid" || paid.said === "refunded" ? { ...paid, amount: null } : paid,
  );

export const thorchain = createDecoder("THORChain", {
  [DEPOSIT]: readDeposit,
  [OUT]: readOut,
  [OUT_AND_CALL]: readOutAndCall,
});
