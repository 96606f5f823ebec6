/**
 * A proof of the Bitcoin family held against what a bundle claims. Header -> block hash and its work; merkle branches ->
 * the transaction and the coinbase; parents -> whose the spent coins were and what they were worth.
 *
 * The tree's depth is that of the coinbase's branch: its first bytes are fixed, so no inner node can pose as one, and a
 * branch of another length proves an inner node posing as a transaction of 64 bytes, or the reverse.
 */
import { RefutedError } from "../../../lib/errors.ts";
import type { ClaimedTransfer, EvidenceClaims, EvidenceReader, ProofFindings } from "../../../types/evidence.ts";
import { addressOf } from "../address.ts";
import { type Coin, outpointsOf, outputsOf } from "../coins.ts";
import { displayHash, doubleHash, HASH_BYTES } from "../double-hash.ts";
import { headerOf, MERKLE_ROOT_AT, proveWork, type RawHeader } from "../header.ts";
import { type Network, networkOf } from "../networks.ts";
import { ProofError } from "../proof-error.ts";
import { proveHeight } from "../prove-block.ts";
import { parseTransaction } from "../read-transaction.ts";
import { hasWitness, isCoinbase, type Transactions } from "../transactions.ts";
import { workFloorOf } from "./work-floor.ts";
import { rootFrom } from "./merkle-branch.ts";
import { type BitcoinProof, type LeafProof, parseBitcoinProof } from "./proof-schema.ts";

/** Length of two hashes: a transaction of as many bytes could be an inner node. */
const NODE_BYTES = 2 * HASH_BYTES;

export const bitcoinEvidence: EvidenceReader = {
  read(given, claims) {
    const proof = parseBitcoinProof(given);
    const network = networkOf(claims.chain);
    if (network === null)
      throw new RefutedError(`${claims.chain} is no network of the Bitcoin family that is known here`);
    try {
      return readProof(proof, claims, network);
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      throw new RefutedError(error.message, { cause: error });
    }
  },
};

function readProof(proof: BitcoinProof, claims: EvidenceClaims, network: Network): ProofFindings {
  const header = provenHeader(proof, claims, network);
  const root = Buffer.from(proof.header, "hex").subarray(MERKLE_ROOT_AT, MERKLE_ROOT_AT + HASH_BYTES);
  const coinbase = provenLeaf(proof.coinbase, root, "coinbase");
  if (proof.coinbase.index !== 0 || !isCoinbase(coinbase, 0))
    throw new RefutedError("the block's first transaction is no coinbase");
  proveHeight(coinbase, claims.block.number, network);
  const transaction = provenLeaf(proof.transaction, root, "transaction");
  if (proof.transaction.branch.length !== proof.coinbase.branch.length)
    throw new RefutedError("the transaction is at another depth of the merkle tree than the coinbase: it is no leaf");
  if (isCoinbase(transaction, 0) !== (proof.transaction.index === 0))
    throw new RefutedError("a coinbase is the first transaction of its block, and no other one is");
  const txHash = displayHash(doubleHash(transaction.bytes));
  const coins = provenParents(transaction, { proof, claims });
  for (const claim of claims.transfers)
    checkClaim(claim, { txHash, index: proof.transaction.index, transaction, coins, network });
  return findingsOf({ claims, header, txHash, coins, network });
}

function provenHeader(proof: BitcoinProof, { block }: EvidenceClaims, network: Network): RawHeader {
  const bytes = Buffer.from(proof.header, "hex");
  const header = headerOf(bytes);
  if (header.hash !== block.hash)
    throw new RefutedError(`the header has the hash ${header.hash}, the bundle is about block ${block.hash}`);
  if (header.timestamp !== block.timestamp)
    throw new RefutedError(`the header's time is ${header.timestamp}, the bundle says ${block.timestamp}`);
  proveWork(bytes, network);
  if (header.work < workFloorOf(network.chainId, block.number))
    throw new RefutedError(
      `to make the header took about 2^${bitsOf(header.work)} hashes, less than any block of that height: it is made up`,
    );
  return header;
}

function bitsOf(work: bigint): number {
  return work.toString(2).length - 1;
}

function provenLeaf({ index, raw, branch }: LeafProof, root: Uint8Array, what: string): Transactions {
  const bytes = Buffer.from(raw, "hex");
  if (bytes.length === NODE_BYTES)
    throw new RefutedError(`the ${what} has ${NODE_BYTES} bytes, as an inner node of the tree has: it may be none`);
  const siblings = branch.map((hash) => Buffer.from(hash, "hex"));
  if (Buffer.compare(rootFrom(doubleHash(bytes), { index, siblings }), root) !== 0)
    throw new RefutedError(`the merkle branch of the ${what} does not lead to the header's root`);
  return bareTransaction(bytes, `the ${what}`);
}

/** Witnesses are under no hash that is shown here: with them the same content could be written in many ways. */
function bareTransaction(bytes: Uint8Array, what: string): Transactions {
  const transaction = parseTransaction(bytes);
  if (hasWitness(transaction, 0)) throw new RefutedError(`${what} is given with witnesses, which nothing here proves`);
  return transaction;
}

/** By place of the input: the coins that claimed inputs spend, as far as their parents are given. */
function provenParents(
  transaction: Transactions,
  { proof, claims }: { proof: BitcoinProof; claims: EvidenceClaims },
): ReadonlyMap<number, Coin> {
  const parents = new Map(
    proof.parents.map((raw) => {
      const bytes = Buffer.from(raw, "hex");
      return [displayHash(doubleHash(bytes)), outputsOf(bareTransaction(bytes, "a parent"), 0)] as const;
    }),
  );
  const outpoints = outpointsOf(transaction, 0);
  const wanted = claimedInputs(claims).flatMap((at) => outpoints[at] ?? []);
  const order = [...new Set(wanted.map(({ txid }) => txid))].filter((txid) => parents.has(txid));
  if (order.length !== proof.parents.length || order.join() !== [...parents.keys()].join())
    throw new RefutedError("the parent transactions are not those of the claimed inputs, each once and in their order");
  return new Map(
    claimedInputs(claims).flatMap((at) => {
      const outpoint = outpoints[at];
      const coin = outpoint === undefined ? undefined : parents.get(outpoint.txid)?.[outpoint.index];
      return coin === undefined ? [] : [[at, coin] as const];
    }),
  );
}

const INPUT_KEY = /^vin:(0|[1-9]\d{0,9})$/;
const OUTPUT_KEY = /^vout:(0|[1-9]\d{0,9})$/;

/** Places of the claimed inputs, ascending. */
export function claimedInputs({ transfers }: EvidenceClaims): number[] {
  const places = transfers.flatMap(({ key }) => INPUT_KEY.exec(key)?.[1] ?? []);
  return [...new Set(places.map(Number))].toSorted((a, b) => a - b);
}

interface Proven {
  readonly txHash: string;
  readonly index: number;
  readonly transaction: Transactions;
  readonly coins: ReadonlyMap<number, Coin>;
  readonly network: Network;
}

function checkClaim(claim: ClaimedTransfer, proven: Proven): void {
  const { network, txHash, index } = proven;
  const shown = shownBy(claim, proven);
  const told = { txHash, txIndex: index, assetId: `${network.chainId}/slip44:${network.slip44}`, ...shown };
  for (const [field, value] of Object.entries(told))
    if (claim[field as keyof ClaimedTransfer] !== value)
      throw new RefutedError(
        `${claim.key}: the proof says ${field} ${value}, the bundle ${claim[field as keyof ClaimedTransfer]}`,
      );
}

/** What the bytes say of an input or output; of an input without its parent, only that there is one. */
function shownBy(claim: ClaimedTransfer, { transaction, coins, network }: Proven): Partial<ClaimedTransfer> {
  const output = OUTPUT_KEY.exec(claim.key)?.[1];
  if (output !== undefined) {
    const coin = outputsOf(transaction, 0)[Number(output)];
    if (coin === undefined) throw new RefutedError(`the transaction has no output ${output}`);
    return { category: "output", from: null, to: addressOf(coin.script, network), amount: coin.amount.toString() };
  }
  const input = INPUT_KEY.exec(claim.key)?.[1];
  if (input === undefined) throw new RefutedError(`${claim.key} is no input and no output`);
  if (isCoinbase(transaction, 0) || Number(input) >= outpointsOf(transaction, 0).length)
    throw new RefutedError(`the transaction spends nothing with an input ${input}`);
  const coin = coins.get(Number(input));
  if (coin === undefined) return { category: "input", to: null };
  return { category: "input", from: addressOf(coin.script, network), to: null, amount: coin.amount.toString() };
}

function findingsOf(of: {
  claims: EvidenceClaims;
  header: RawHeader;
  txHash: string;
  coins: ReadonlyMap<number, Coin>;
  network: Network;
}): ProofFindings {
  const { claims, header, txHash, coins, network } = of;
  const { block, transfers } = claims;
  const isTold = ({ key }: ClaimedTransfer) => INPUT_KEY.test(key) && !coins.has(Number(key.slice("vin:".length)));
  const hasHeight = block.number >= network.heightInCoinbaseFrom;
  const at = new Date(block.timestamp * 1_000).toISOString();
  return {
    proven: [
      `The header in this file is that of the block with the hash ${block.hash}, made at ${at} by its miner's word.`,
      `Its proof of work is real: to find such a header takes about 2^${bitsOf(header.work)} hashes.`,
      ...(hasHeight ? [`It is a block of height ${block.number}: its coinbase says so.`] : []),
      `Transaction ${txHash} is in that block (merkle branch, at the depth of the coinbase's).`,
      ...transfers.filter((transfer) => !isTold(transfer)).map(sentenceOf),
    ],
    trusted: [
      ...(hasHeight ? [] : [`That the block's height is ${block.number} is told: so old a coinbase does not say it.`]),
      "The transaction's signatures are not in this file: the miner of the block, and every node that took it, checked them.",
      ...transfers
        .filter(isTold)
        .map(
          (transfer) =>
            `${sentenceOf(transfer)} Whose this coin was and what it was worth is the node's word: the transaction that made it is not in this bundle.`,
        ),
    ],
  };
}

function sentenceOf({ key, from, to, amount, assetId }: ClaimedTransfer): string {
  return from === null
    ? `${key}: ${amount} base units of ${assetId} to ${to}.`
    : `${key}: ${amount} base units of ${assetId} from ${from}.`;
}
