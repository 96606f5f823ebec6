/** A raw block and the parents of what it spends -> the proof of one of its transactions. */
import { RefutedError } from "../../../lib/errors.ts";
import type { EvidenceClaims, FoundEvidence } from "../../../types/evidence.ts";
import { outpointsOf } from "../coins.ts";
import { displayHash, HASH_BYTES, transactionHash, withoutWitness } from "../double-hash.ts";
import { HEADER_BYTES, headerOf } from "../header.ts";
import type { Network } from "../networks.ts";
import { ProofError } from "../proof-error.ts";
import { proveBlock } from "../prove-block.ts";
import { parseBlock } from "../read-block.ts";
import { parseTransaction } from "../read-transaction.ts";
import type { Transactions } from "../transactions.ts";
import { branchOf } from "./merkle-branch.ts";
import type { LeafProof } from "./proof-schema.ts";
import { bitcoinEvidence, claimedInputs } from "./read-proof.ts";

export interface MakeProofOptions {
  readonly block: Uint8Array;
  /** The raw transaction of an id, or why it cannot be had, in words. */
  readonly parentOf: (txid: string) => Promise<Uint8Array | string>;
  readonly network: Network;
}

/** Throws ProofError where the bytes are not the block of that hash. What is made was read back before it is given. */
export async function makeBitcoinProof(
  { block, parentOf, network }: MakeProofOptions,
  claims: EvidenceClaims,
): Promise<FoundEvidence> {
  const transactions = parseBlock(block);
  const header = { ...headerOf(block.subarray(0, HEADER_BYTES)), number: claims.block.number };
  if (header.hash !== claims.block.hash) throw new ProofError("header", `the block's hash is ${header.hash}`);
  proveBlock(transactions, header, network);
  const leaves = leavesOf(transactions);
  const txHash = claims.transfers[0]?.txHash ?? "";
  const index = placeOf(leaves, txHash);
  if (index === null)
    return {
      proof: null,
      lacks: [`Nothing of the chain is proven: ${txHash} is not in the block that this node gives.`],
    };
  const { parents, lacks } = await findParents({ transactions, index, leaves, claims }, parentOf);
  const proof = {
    family: "bitcoin",
    header: hexOf(block.subarray(0, HEADER_BYTES)),
    transaction: leafOf(transactions, leaves, index),
    coinbase: leafOf(transactions, leaves, 0),
    parents,
  };
  try {
    bitcoinEvidence.read(proof, claims);
    return { proof, lacks };
  } catch (error) {
    if (!(error instanceof RefutedError)) throw error;
    const why = `the alert does not follow from the block that this node gives (${error.message})`;
    return { proof: null, lacks: [`Nothing of the chain is proven: ${why}.`] };
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function leavesOf(transactions: Transactions): Uint8Array {
  return Buffer.concat(Array.from({ length: transactions.count }, (_, index) => transactionHash(transactions, index)));
}

function placeOf(leaves: Uint8Array, txid: string): number | null {
  for (let at = 0; at < leaves.length; at += HASH_BYTES) if (displayHash(leaves, at) === txid) return at / HASH_BYTES;
  return null;
}

function leafOf(transactions: Transactions, leaves: Uint8Array, index: number): LeafProof {
  const branch = branchOf(leaves, index).siblings.map(hexOf);
  return { index, raw: hexOf(withoutWitness(transactions, index)), branch };
}

async function findParents(
  of: { transactions: Transactions; index: number; leaves: Uint8Array; claims: EvidenceClaims },
  parentOf: MakeProofOptions["parentOf"],
): Promise<{ parents: string[]; lacks: string[] }> {
  const { transactions, index, leaves, claims } = of;
  const outpoints = outpointsOf(transactions, index);
  const txids = new Set(claimedInputs(claims).flatMap((at) => outpoints[at]?.txid ?? []));
  const parents: string[] = [];
  const lacks: string[] = [];
  for (const txid of txids) {
    // What a transaction of the same block made is at hand.
    const inside = placeOf(leaves, txid);
    const found = inside === null ? await parentOf(txid) : withoutWitness(transactions, inside);
    if (typeof found === "string")
      lacks.push(`Transaction ${txid}, which made a coin that is spent here, is missing: ${found}.`);
    else parents.push(hexOf(withoutWitness(parseTransaction(found), 0)));
  }
  return { parents, lacks };
}
