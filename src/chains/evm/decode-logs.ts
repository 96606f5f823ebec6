/**
 * One log -> the movements it tells. A log is written by a contract, so its content is the contract's word: shapes that
 * fit no event are skipped, never an error. Topic and data being hex at all is the node's part, and checked.
 */
import type { Address, ChainId, Transfer, TransferCategory } from "../../types/chain.ts";
import { type Checksum, addressOf, bytesOf, hashOf } from "./answer-fields.ts";
import { type Fields, MalformedAnswerError, listOf } from "../answer-fields.ts";
import { keccakHex } from "./proof/keccak.ts";

/** An event's first topic: the hash of its name and types. */
const topicOf = (event: string): string => keccakHex(Buffer.from(event, "latin1"));

// ERC-20 and ERC-721 share the name and types; the number of indexed fields tells them apart (EIP-20, EIP-721).
const TRANSFER = topicOf("Transfer(address,address,uint256)");
// EIP-1155.
const TRANSFER_SINGLE = topicOf("TransferSingle(address,address,address,uint256,uint256)");
const TRANSFER_BATCH = topicOf("TransferBatch(address,address,address,uint256[],uint256[])");
// EIP-20 and EIP-721; ApprovalForAll also EIP-1155.
const APPROVAL = topicOf("Approval(address,address,uint256)");
const APPROVAL_FOR_ALL = topicOf("ApprovalForAll(address,address,bool)");
// Permit2 (Uniswap/permit2, IAllowanceTransfer): allowances of any token, kept in one contract.
const PERMIT2_APPROVAL = topicOf("Approval(address,address,address,uint160,uint48)");
const PERMIT2_PERMIT = topicOf("Permit(address,address,address,uint160,uint48,uint48)");
// WETH9.
const DEPOSIT = topicOf("Deposit(address,uint256)");
const WITHDRAWAL = topicOf("Withdrawal(address,uint256)");

/** The last word of a log's data that can hold a party: `to` of a TransferSingle without indexed fields is the third. */
export const PARTY_WORDS_MAX = 3;

export interface LogPlace {
  readonly chain: ChainId;
  readonly txHash: string;
  readonly txIndex: number;
  /** Index among all logs of the transaction. */
  readonly logIndex: number;
  /** For error texts. */
  readonly what: string;
  readonly checksum: Checksum;
}

interface Log {
  readonly contract: Address;
  readonly topics: readonly string[];
  /** Data without `0x`. */
  readonly data: string;
}

type Decoder = (log: Log, place: LogPlace) => readonly Transfer[];

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  [TRANSFER, decodeTransfer],
  [TRANSFER_SINGLE, decodeTransferSingle],
  [TRANSFER_BATCH, decodeTransferBatch],
  [APPROVAL, decodeApproval],
  [APPROVAL_FOR_ALL, decodeApprovalForAll],
  [PERMIT2_APPROVAL, decodePermit2],
  [PERMIT2_PERMIT, decodePermit2],
  [DEPOSIT, (log, place) => decodeWrap(log, place, "in")],
  [WITHDRAWAL, (log, place) => decodeWrap(log, place, "out")],
]);

/** Topics of the events that are read here: any other log moves nothing. */
export const READ_EVENTS: readonly string[] = [...DECODERS.keys()];

export function decodeLog(fields: Fields, place: LogPlace): readonly Transfer[] {
  // Also those of other events: a topic that is no topic may have been a Transfer's.
  const topics: string[] = [];
  for (const topic of listOf(fields["topics"], `${place.what}: topics`))
    topics.push(hashOf(topic, `${place.what}: topic`));
  if (topics.length > 4) throw new MalformedAnswerError(`${place.what}: more than four topics`);
  const data = bytesOf(fields["data"], `${place.what}: data`);
  const decoder = topics[0] === undefined ? undefined : DECODERS.get(topics[0]);
  if (decoder === undefined) return [];
  return decoder(
    { contract: addressOf(fields["address"], `${place.what}: address`, place.checksum), topics, data: data.slice(2) },
    place,
  );
}

const WORD = 64;

function wordAt(data: string, index: number): string | null {
  const word = data.slice(index * WORD, (index + 1) * WORD);
  return word.length === WORD ? word : null;
}

/** The low 20 bytes, as every ABI decoder reads them: dirty upper bytes do not hide an address. */
function addressIn(word: string, place: LogPlace): Address {
  return place.checksum(`0x${word.slice(-40).toLowerCase()}`);
}

function amountIn(word: string): bigint {
  return BigInt(`0x${word}`);
}

interface Move {
  readonly category: TransferCategory;
  readonly from: Address;
  readonly to: Address;
  readonly assetId: string;
  readonly amount: bigint;
  /** Place in a batch. */
  readonly nth?: number;
}

function moved({ nth, ...move }: Move, { txHash, txIndex, logIndex }: LogPlace): Transfer {
  return { ...move, txHash, txIndex, key: nth === undefined ? `log:${logIndex}` : `log:${logIndex}-${nth}` };
}

/** All fields of the event in order, indexed ones first: old tokens index fewer of them than the standard says. */
function wordsOf(log: Log, count: number): string[] | null {
  const words = log.topics.slice(1).map((topic) => topic.slice(2));
  for (let index = 0; words.length < count; index += 1) {
    const word = wordAt(log.data, index);
    if (word === null) return null;
    words.push(word);
  }
  return words.length === count ? words : null;
}

function decodeTransfer(log: Log, place: LogPlace): Transfer[] {
  const [from, to, last] = wordsOf(log, 3) ?? [];
  if (from === undefined || to === undefined || last === undefined) return [];
  const parties = { from: addressIn(from, place), to: addressIn(to, place) };
  if (log.topics.length === 4) {
    const assetId = `${place.chain}/erc721:${log.contract}/${amountIn(last)}`;
    return [moved({ category: "erc721", ...parties, assetId, amount: 1n }, place)];
  }
  return [
    moved(
      { category: "erc20", ...parties, assetId: `${place.chain}/erc20:${log.contract}`, amount: amountIn(last) },
      place,
    ),
  ];
}

function erc1155Asset(log: Log, place: LogPlace, tokenId: string): string {
  return `${place.chain}/erc1155:${log.contract}/${amountIn(tokenId)}`;
}

function decodeTransferSingle(log: Log, place: LogPlace): Transfer[] {
  const [, from, to, tokenId, value] = wordsOf(log, 5) ?? [];
  if (from === undefined || to === undefined || tokenId === undefined || value === undefined) return [];
  const assetId = erc1155Asset(log, place, tokenId);
  return [
    moved(
      { category: "erc1155", from: addressIn(from, place), to: addressIn(to, place), assetId, amount: amountIn(value) },
      place,
    ),
  ];
}

function decodeTransferBatch(log: Log, place: LogPlace): Transfer[] {
  const [, , from, to] = log.topics;
  if (from === undefined || to === undefined) return [];
  const ids = arrayAt(log.data, 0);
  const values = arrayAt(log.data, 1);
  if (ids === null || values === null || ids.length !== values.length) return [];
  const parties = { from: addressIn(from, place), to: addressIn(to, place) };
  return ids.map((tokenId, nth) =>
    moved(
      {
        category: "erc1155",
        ...parties,
        assetId: erc1155Asset(log, place, tokenId),
        amount: amountIn(values[nth] ?? "0"),
        nth,
      },
      place,
    ),
  );
}

/** A uint256[] whose offset stands in word `head`; null when it does not lie inside the data. */
function arrayAt(data: string, head: number): string[] | null {
  const offset = wordAt(data, head);
  if (offset === null) return null;
  const start = Number(amountIn(offset)) * 2;
  if (!Number.isSafeInteger(start) || start > data.length) return null;
  const tail = data.slice(start);
  const lengthWord = wordAt(tail, 0);
  if (lengthWord === null) return null;
  const length = Number(amountIn(lengthWord));
  if (!Number.isSafeInteger(length) || (length + 1) * WORD > tail.length) return null;
  return Array.from({ length }, (_, index) => tail.slice((index + 1) * WORD, (index + 2) * WORD));
}

function decodeApproval(log: Log, place: LogPlace): Transfer[] {
  const [owner, spender, last] = wordsOf(log, 3) ?? [];
  if (owner === undefined || spender === undefined || last === undefined) return [];
  const parties = { from: addressIn(owner, place), to: addressIn(spender, place) };
  if (log.topics.length === 4) {
    const assetId = `${place.chain}/erc721:${log.contract}/${amountIn(last)}`;
    return [moved({ category: "approval", ...parties, assetId, amount: 1n }, place)];
  }
  return [
    moved(
      { category: "approval", ...parties, assetId: `${place.chain}/erc20:${log.contract}`, amount: amountIn(last) },
      place,
    ),
  ];
}

/** Of a whole collection: amount 1 when given, 0 when revoked. */
function decodeApprovalForAll(log: Log, place: LogPlace): Transfer[] {
  const [owner, operator, approved] = wordsOf(log, 3) ?? [];
  if (owner === undefined || operator === undefined || approved === undefined) return [];
  const assetId = `${place.chain}/erc721:${log.contract}`;
  const amount = amountIn(approved) === 0n ? 0n : 1n;
  return [
    moved(
      { category: "approval", from: addressIn(owner, place), to: addressIn(operator, place), assetId, amount },
      place,
    ),
  ];
}

function decodePermit2(log: Log, place: LogPlace): Transfer[] {
  const [owner, token, spender] = log.topics.slice(1);
  const amount = wordAt(log.data, 0);
  if (owner === undefined || token === undefined || spender === undefined || amount === null) return [];
  const assetId = `${place.chain}/erc20:${addressIn(token, place)}`;
  return [
    moved(
      {
        category: "approval",
        from: addressIn(owner, place),
        to: addressIn(spender, place),
        assetId,
        amount: amountIn(amount),
      },
      place,
    ),
  ];
}

/** Wrapped coin out of or back into its contract; the coin's own leg is a native or internal movement. */
function decodeWrap(log: Log, place: LogPlace, direction: "in" | "out"): Transfer[] {
  const [, account] = log.topics;
  const amount = wordAt(log.data, 0);
  // WETH9 indexes the account and nothing else; staking contracts use the same signature with other fields indexed.
  if (account === undefined || amount === null || log.topics.length !== 2 || log.data.length !== WORD) return [];
  const holder = addressIn(account, place);
  const parties = direction === "in" ? { from: log.contract, to: holder } : { from: holder, to: log.contract };
  return [
    moved(
      { category: "wrap", ...parties, assetId: `${place.chain}/erc20:${log.contract}`, amount: amountIn(amount) },
      place,
    ),
  ];
}
