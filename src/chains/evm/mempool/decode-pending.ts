/**
 * A transaction of the mempool -> what it would move, as far as that stands in the transaction itself. The keys are those
 * of the included transaction where those can be known; what a token is asked to do has a key of its own.
 */
import { CALLDATA_KEY, type PendingTransaction, type Transfer } from "../../../types/chain.ts";
import { addressOf, bytesOf, hashOf, numberOf, quantityOf } from "../answer-fields.ts";
import { type Fields, fieldsOf } from "../../answer-fields.ts";
import type { DecodeContext } from "../decode-block.ts";
import { decodeDelegations } from "../decode-delegations.ts";
import { createdAddress } from "../proof/sender.ts";

// A recovery each; a transaction of 128 kB holds a thousand, and nobody pays for one that is never mined.
const DELEGATIONS_MAX = 16;

export function decodePending(answer: unknown, context: DecodeContext): PendingTransaction {
  const transaction = fieldsOf(answer, "pending transaction");
  const hash = hashOf(transaction["hash"], "pending transaction: hash");
  const what = `pending transaction ${hash}`;
  const from = addressOf(transaction["from"], `${what}: from`, context.checksum);
  const nonce = numberOf(transaction["nonce"], `${what}: nonce`);
  const isCreation = transaction["to"] === null || transaction["to"] === undefined;
  const to = isCreation
    ? context.checksum(createdAddress(from.toLowerCase(), nonce))
    : addressOf(transaction["to"], `${what}: to`, context.checksum);
  const value = quantityOf(transaction["value"], `${what}: value`);
  const input = bytesOf(transaction["input"], `${what}: input`);
  const place = { txHash: hash, txIndex: -1 };
  const native = { ...place, from, to, assetId: context.nativeAssetId };
  const transfers: Transfer[] = decodeDelegations(
    { ...place, transaction: firstDelegations(transaction), what },
    context,
  );
  // As in a block: a call without value is no transfer.
  if (value > 0n || (input === "0x" && !isCreation))
    transfers.push({ ...native, key: "native", category: "native", amount: value });
  if (isCreation) transfers.push({ ...native, key: "creation", category: "creation", amount: 0n });
  else transfers.push(...decodeCalldata(input, { ...place, from, token: to }, context));
  return { hash, slots: [slotOf({ sender: from, nonce })], transfers };
}

function firstDelegations(transaction: Fields): Fields {
  const list = transaction["authorizationList"];
  return Array.isArray(list) ? { ...transaction, authorizationList: list.slice(0, DELEGATIONS_MAX) } : transaction;
}

/** Sender and nonce as one text: of all transactions with them a chain takes one. */
export function slotOf({ sender, nonce }: { sender: string; nonce: number }): string {
  return `${sender}/${nonce}`;
}

export function readSlot([slot]: readonly string[]): { sender: string; nonce: number } {
  const [sender = "", nonce = ""] = (slot ?? "").split("/");
  return { sender, nonce: Number(nonce) };
}

// EIP-20. Selectors are the first four bytes of the signature's hash.
const TRANSFER = "a9059cbb"; // transfer(address,uint256)
const TRANSFER_FROM = "23b872dd"; // transferFrom(address,address,uint256)
const APPROVE = "095ea7b3"; // approve(address,uint256)

interface Call {
  readonly txHash: string;
  readonly txIndex: number;
  readonly from: string;
  readonly token: string;
}

/** What the call asks a token for. Whatever does not read as one of the three asks for nothing we know. */
function decodeCalldata(
  input: string,
  { from, token, ...place }: Call,
  { chain, checksum }: DecodeContext,
): Transfer[] {
  const selector = input.slice(2, 10).toLowerCase();
  const word = (index: number) => input.slice(10 + 64 * index, 74 + 64 * index).toLowerCase();
  const asked = { ...place, key: CALLDATA_KEY, assetId: `${chain}/erc20:${token}` };
  const addresses = addressWords(selector).map((index) => addressIn(word(index)));
  const amount = word(addresses.length);
  if (addresses.length === 0 || amount.length < 64 || addresses.includes(null)) return [];
  const [first, second] = addresses.map((address) => checksum(address as string));
  const rest = { ...asked, amount: BigInt(`0x${amount}`) };
  if (first === undefined) return [];
  if (selector === APPROVE) return [{ ...rest, category: "approval", from, to: first }];
  return [{ ...rest, category: "erc20", from: second === undefined ? from : first, to: second ?? first }];
}

function addressWords(selector: string): number[] {
  if (selector === TRANSFER || selector === APPROVE) return [0];
  return selector === TRANSFER_FROM ? [0, 1] : [];
}

/** Null: too short, or more than an address, which a token's code refuses. */
function addressIn(word: string): string | null {
  return /^0{24}[0-9a-f]{40}$/.test(word) ? `0x${word.slice(24)}` : null;
}
