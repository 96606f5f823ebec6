/** One generated block on top of its parent: real transactions of other people, every commitment computed anew. */
import type { Population } from "./accounts.ts";
import {
  bloomOf,
  encodeHeader,
  encodeReceipt,
  encodeTransaction,
  encodeWithdrawal,
  signingHash,
} from "./encoding/block-parts.ts";
import { bytesOf, hexOf, quantityBytes, quantityOf } from "./encoding/hex.ts";
import { keccak256 } from "./encoding/keccak.ts";
import { encodeRlp, rlpListOf } from "./encoding/rlp.ts";
import { orderedTrieRoot } from "./encoding/trie.ts";
import type { Random } from "./random.ts";
import type { RpcBlock, RpcHeader, RpcReceipt, RpcTransaction, RpcWithdrawal } from "./rpc-shapes.ts";
import type { Template, Templates } from "./templates.ts";

export interface World {
  readonly random: Random;
  readonly templates: Templates;
  readonly population: Population;
  readonly drawRank: (random: Random) => number;
  /** Next nonce of each sender, by rank. */
  readonly nonces: Map<number, number>;
  readonly transactionsPerBlock: { readonly min: number; readonly max: number };
}

export interface Parent {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: number;
}

export interface BuiltBlock {
  readonly block: RpcBlock;
  readonly receipts: RpcReceipt[];
}

interface Entry {
  readonly transaction: RpcTransaction;
  readonly receipt: RpcReceipt;
}

const BLOCK_SECONDS = 12;
// Below every fee cap of the recorded transactions, so that no transaction pays less than the base fee.
const BASE_FEE_WEI = 10_000_000n;
const WITHDRAWALS = 16;
const BLOB_GAS = 131_072;
const EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";
const EMPTY_REQUESTS = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export function buildBlock(parent: Parent, world: World): BuiltBlock {
  const number = parent.number + 1;
  const { min, max } = world.transactionsPerBlock;
  const count = min + world.random.below(max - min + 1);
  const entries = Array.from({ length: count }, () => drawEntry(world));
  placeReceipts(entries);
  const encoded = entries.map(({ transaction }) => encodeTransaction(transaction));
  const receipts = entries.map(({ receipt }) => receipt);
  const withdrawals = drawWithdrawals(number, world);
  const header = headerOf({ parent, number, encoded, receipts, withdrawals, entries }, world);
  stamp(entries, header);
  const body = [
    encodeHeader(header),
    rlpListOf(encoded.map(wrapTyped)),
    encodeRlp([]),
    rlpListOf(withdrawals.map(encodeWithdrawal)),
  ];
  const block: RpcBlock = {
    ...header,
    size: quantityOf(rlpListOf(body).length),
    uncles: [],
    transactions: entries.map(({ transaction }) => transaction),
    withdrawals,
  };
  return { block, receipts };
}

function wrapTyped(transaction: Uint8Array): Uint8Array {
  return (transaction[0] ?? 0) < 0xc0 ? encodeRlp(transaction) : transaction;
}

/** A recorded transaction and receipt with every person replaced, a fresh nonce and a valid signature. */
function drawEntry(world: World): Entry {
  const { random, templates, population, nonces } = world;
  const template = templates.transactions[random.below(templates.transactions.length)];
  if (template === undefined) throw new Error("no recorded transactions to draw from");
  const ranks = template.people.map(() => world.drawRank(random));
  const senderRank = ranks[0] ?? 0;
  const nonce = nonces.get(senderRank) ?? 0;
  nonces.set(senderRank, nonce + 1);
  const replaced = replacePeople(template, { ranks, nonce, population });
  const { transaction, receipt } = replaced;
  transaction.nonce = quantityOf(nonce);
  transaction.gasPrice = effectiveGasPrice(transaction);
  receipt.effectiveGasPrice = transaction.gasPrice;
  sign(transaction, senderRank, population);
  transaction.hash = hexOf(keccak256(encodeTransaction(transaction)));
  receipt.transactionHash = transaction.hash;
  receipt.logsBloom = hexOf(bloomOf(receipt.logs));
  return replaced;
}

function replacePeople(
  template: Template,
  with_: { ranks: readonly number[]; nonce: number; population: Population },
): Entry {
  const { ranks, nonce, population } = with_;
  let { transaction, receipt } = template;
  const replace = (from: string, to: string) => {
    transaction = transaction.replaceAll(from, to);
    receipt = receipt.replaceAll(from, to);
  };
  template.people.forEach((person, index) => {
    replace(person, population.accountOf(ranks[index] ?? 0).address.slice(2));
  });
  if (template.created !== null) {
    const sender = population.accountOf(ranks[0] ?? 0).address;
    const created = keccak256(encodeRlp([bytesOf(sender), quantityBytes(quantityOf(nonce))])).subarray(12);
    replace(template.created, hexOf(created).slice(2));
  }
  return { transaction: JSON.parse(transaction) as RpcTransaction, receipt: JSON.parse(receipt) as RpcReceipt };
}

function effectiveGasPrice(transaction: RpcTransaction): string {
  if (transaction.maxFeePerGas === undefined) return transaction.gasPrice;
  const wanted = BASE_FEE_WEI + BigInt(transaction.maxPriorityFeePerGas ?? "0x0");
  const cap = BigInt(transaction.maxFeePerGas);
  return quantityOf(wanted < cap ? wanted : cap);
}

function sign(transaction: RpcTransaction, rank: number, population: Population): void {
  const { r, s, yParity } = population.sign(rank, signingHash(transaction));
  transaction.r = r;
  transaction.s = s;
  if (transaction.type === "0x0") {
    const base = Number(transaction.v) >= 35 ? 37 : 27; // Chain id 1 after EIP-155, none before.
    transaction.v = quantityOf(base + yParity);
    return;
  }
  transaction.v = quantityOf(yParity);
  transaction.yParity = transaction.v;
}

/** Positions and running gas, which need the whole block. */
function placeReceipts(entries: readonly Entry[]): void {
  let gasUsed = 0;
  let logIndex = 0;
  entries.forEach(({ transaction, receipt }, index) => {
    gasUsed += Number(receipt.gasUsed);
    const place = quantityOf(index);
    transaction.transactionIndex = place;
    receipt.transactionIndex = place;
    receipt.cumulativeGasUsed = quantityOf(gasUsed);
    for (const log of receipt.logs) {
      log.transactionIndex = place;
      log.transactionHash = transaction.hash;
      log.logIndex = quantityOf(logIndex);
      logIndex += 1;
    }
  });
}

function drawWithdrawals(number: number, world: World): RpcWithdrawal[] {
  return Array.from({ length: WITHDRAWALS }, (_, index) => ({
    index: quantityOf(number * WITHDRAWALS + index),
    validatorIndex: quantityOf(world.random.below(1_000_000)),
    address: world.population.accountOf(world.drawRank(world.random)).address,
    amount: quantityOf(15_000_000 + world.random.below(5_000_000)),
  }));
}

interface HeaderParts {
  readonly parent: Parent;
  readonly number: number;
  readonly encoded: readonly Uint8Array[];
  readonly receipts: readonly RpcReceipt[];
  readonly withdrawals: readonly RpcWithdrawal[];
  readonly entries: readonly Entry[];
}

function headerOf(parts: HeaderParts, { random, templates }: World): RpcHeader {
  const { parent, number, encoded, receipts, withdrawals, entries } = parts;
  const builder = templates.headers[number % templates.headers.length];
  const gasUsed = Number(receipts.at(-1)?.cumulativeGasUsed ?? 0);
  const blobs = entries.reduce((sum, { transaction }) => sum + (transaction.blobVersionedHashes?.length ?? 0), 0);
  const header: RpcHeader = {
    hash: "",
    parentHash: parent.hash,
    sha3Uncles: EMPTY_UNCLES,
    miner: builder?.miner ?? `0x${"0".repeat(40)}`,
    stateRoot: hexOf(random.bytes(32)),
    transactionsRoot: hexOf(orderedTrieRoot(encoded)),
    receiptsRoot: hexOf(orderedTrieRoot(receipts.map(encodeReceipt))),
    logsBloom: hexOf(bloomOf(receipts.flatMap((receipt) => receipt.logs))),
    difficulty: "0x0",
    number: quantityOf(number),
    gasLimit: quantityOf(Math.max(45_000_000, gasUsed)),
    gasUsed: quantityOf(gasUsed),
    timestamp: quantityOf(parent.timestamp + BLOCK_SECONDS),
    extraData: builder?.extraData ?? "0x",
    mixHash: hexOf(random.bytes(32)),
    nonce: "0x0000000000000000",
    baseFeePerGas: quantityOf(BASE_FEE_WEI),
    withdrawalsRoot: hexOf(orderedTrieRoot(withdrawals.map(encodeWithdrawal))),
    blobGasUsed: quantityOf(blobs * BLOB_GAS),
    excessBlobGas: "0x0",
    parentBeaconBlockRoot: hexOf(random.bytes(32)),
    requestsHash: EMPTY_REQUESTS,
  };
  return { ...header, hash: hexOf(keccak256(encodeHeader(header))) };
}

function stamp(entries: readonly Entry[], header: RpcHeader): void {
  const block = { blockHash: header.hash, blockNumber: header.number };
  for (const { transaction, receipt } of entries) {
    Object.assign(transaction, block);
    Object.assign(receipt, block);
    for (const log of receipt.logs) Object.assign(log, block, { blockTimestamp: header.timestamp });
  }
}
