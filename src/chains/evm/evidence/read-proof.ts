/**
 * An EVM proof held against what a bundle claims. Header -> block hash; trie nodes -> transaction, receipt or withdrawal;
 * these bytes -> the transfers, by the decoders that read blocks. What no root covers is told as trusted, never as proven.
 */
import { RefutedError } from "../../../lib/errors.ts";
import type { Transfer } from "../../../types/chain.ts";
import type { ClaimedTransfer, EvidenceClaims, EvidenceReader, ProofFindings } from "../../../types/evidence.ts";
import { MalformedAnswerError } from "../../answer-fields.ts";
import { createChecksum } from "../checksum.ts";
import { type DecodeContext, decodeOneTransaction, decodeWithdrawals } from "../decode-block.ts";
import type { TracedTransaction } from "../decode-traces.ts";
import { profileOf } from "../proof/profiles.ts";
import { readRlp } from "../proof/rlp-reader.ts";
import { provenItem } from "../proof/trie-proof.ts";
import { Unproven } from "../proof/unproven.ts";
import { WITHDRAWAL } from "../proof/withdrawals.ts";
import { bytesOfHex, type EvmProof, type ListedItem, parseEvmProof } from "./proof-schema.ts";
import { fieldsFrom, type Json } from "./raw-fields.ts";
import { headerFrom, type RawTransaction, receiptFrom, transactionFrom } from "./raw-parts.ts";

/** SLIP-44 numbers of chains whose coin is not called by Ethereum's. Of a chain that is not here any number is taken. */
const COINS: Readonly<Record<string, number>> = { 1: 60, 10: 60, 56: 714, 137: 966, 8453: 60, 42161: 60 };

const checksum = createChecksum();

export const evmEvidence: EvidenceReader = {
  read(given, claims) {
    try {
      return readProof(parseEvmProof(given), claims);
    } catch (error) {
      // What decoders and proofs say of a node's answer, they say here of a forger's.
      if (!(error instanceof MalformedAnswerError || error instanceof Unproven)) throw error;
      throw new RefutedError(error.message, { cause: error });
    }
  },
};

function readProof(proof: EvmProof, claims: EvidenceClaims): ProofFindings {
  const header = provenHeader(proof, claims);
  if (isOfBlock(claims.transfers[0])) return readBlockPart(proof, header, claims);
  if (proof.withdrawal !== null) throw new RefutedError("the proof holds a withdrawal that nothing is claimed of");
  return readTransaction(proof, header, claims);
}

/** Withdrawals and rewards belong to a block, not to a transaction. */
function isOfBlock(transfer: ClaimedTransfer | undefined): boolean {
  return transfer?.category === "withdrawal" || transfer?.category === "reward";
}

function provenHeader({ header: raw }: EvmProof, { block }: EvidenceClaims): Json {
  const header = headerFrom(bytesOfHex(raw));
  if (header.hash !== block.hash)
    throw new RefutedError(`the header has the hash ${header.hash}, the bundle is about block ${block.hash}`);
  for (const [key, claimed] of [
    ["number", block.number],
    ["timestamp", block.timestamp],
  ] as const)
    if (BigInt(header[key] as string) !== BigInt(claimed))
      throw new RefutedError(`the header's ${key} is ${BigInt(header[key] as string)}, the bundle says ${claimed}`);
  return header;
}

/** Throws RefutedError where the text is no chain of this family. */
function chainNumberOf(chain: string): number {
  const [, digits] = /^eip155:([1-9]\d{0,14})$/.exec(chain) ?? [];
  if (digits === undefined) throw new RefutedError(`${chain} is no chain id`);
  return Number(digits);
}

/** Item of a list under one of the header's roots. */
function itemUnder(root: unknown, { index, raw, nodes }: ListedItem, what: string): Uint8Array {
  if (typeof root !== "string") throw new RefutedError(`the header has no root of ${what}s`);
  const item = provenItem({ root, index, nodes: nodes.map(bytesOfHex) });
  const claimed = bytesOfHex(raw);
  if (Buffer.compare(item, claimed) !== 0) throw new RefutedError(`the ${what} is not the one under the header's root`);
  return claimed;
}

function readTransaction(proof: EvmProof, header: Json, claims: EvidenceClaims): ProofFindings {
  const { chain, block, transfers } = claims;
  if (proof.transaction === null || proof.receipt === null)
    throw new RefutedError("the proof has no transaction or no receipt");
  if (proof.transaction.index !== proof.receipt.index)
    throw new RefutedError("the receipt is that of another transaction");
  const raw = itemUnder(header["transactionsRoot"], proof.transaction, "transaction");
  const transaction = transactionFrom(raw, profileOf(chainNumberOf(chain)));
  const rawReceipt = itemUnder(header["receiptsRoot"], proof.receipt, "receipt");
  const receipt = receiptFrom(rawReceipt, transaction, block.hash);
  const { index } = proof.transaction;
  const told = decodeOneTransaction(
    {
      transaction: transaction.fields,
      receipt,
      index,
      header: { ...block, parentHash: header["parentHash"] as string },
      trace: traceOf(transaction, proof.calls),
    },
    contextOf(claims),
  );
  for (const claim of transfers) if (proof.calls !== null || !isFromTrace(claim)) checkClaim(claim, told);
  return transactionFindings({ transaction, receipt, index, claims, calls: proof.calls });
}

function contextOf({ chain, transfers }: EvidenceClaims): DecodeContext {
  const coin = COINS[chain.slice("eip155:".length)];
  const claimed = transfers.find(({ assetId }) => assetId.startsWith(`${chain}/slip44:`))?.assetId;
  const nativeAssetId = coin === undefined && claimed !== undefined ? claimed : `${chain}/slip44:${coin ?? 60}`;
  return { chain, nativeAssetId, checksum };
}

/** The outermost frame is the transaction itself, which is proven. */
function traceOf({ fields }: RawTransaction, calls: EvmProof["calls"]): TracedTransaction | null {
  if (calls === null) return null;
  const to = fields["to"] as string | null;
  return {
    top: {
      from: checksum(fields.from),
      to: to === null ? null : checksum(to),
      amount: BigInt(fields["value"] as string),
    },
    inner: calls.map(({ kind, from, to: recipient, amount }) => ({
      kind,
      from,
      to: recipient,
      amount: BigInt(amount),
    })),
  };
}

/** No root covers what contract calls moved. */
export function isFromTrace({ key, category }: ClaimedTransfer): boolean {
  return category === "internal" || key.startsWith("creation:");
}

function checkClaim(claim: ClaimedTransfer, told: readonly Transfer[]): void {
  const found = told.find(({ key }) => key === claim.key);
  if (found === undefined) throw new RefutedError(`${claim.key} does not follow from the transaction and its receipt`);
  for (const field of ["category", "txHash", "txIndex", "from", "to", "assetId"] as const)
    if (found[field] !== claim[field])
      throw new RefutedError(`${claim.key}: the proof says ${field} ${found[field]}, the bundle ${claim[field]}`);
  if (found.amount.toString() !== claim.amount)
    throw new RefutedError(`${claim.key}: the proof says ${found.amount} base units, the bundle ${claim.amount}`);
}

function transactionFindings(of: {
  transaction: RawTransaction;
  receipt: Json;
  index: number;
  claims: EvidenceClaims;
  calls: EvmProof["calls"];
}): ProofFindings {
  const { transaction, receipt, index, claims, calls } = of;
  const { fields, type, namesChain } = transaction;
  const signer = type.signature === "none" ? "made by the chain itself for" : "signed by";
  const logs = (receipt["logs"] as unknown[]).length;
  const outcome = receipt["status"] === "0x1" ? "It succeeded" : receipt["status"] === "0x0" ? "It failed" : "It ended";
  const traced = claims.transfers.filter(isFromTrace);
  return {
    proven: [
      headerSentence(claims),
      `Transaction ${fields.hash} is number ${index} of that block, ${signer} ${checksum(fields.from)} (Merkle-Patricia proof against transactionsRoot).`,
      `${outcome} and wrote ${logs} ${logs === 1 ? "log" : "logs"} (its receipt, Merkle-Patricia proof against receiptsRoot).`,
      ...claims.transfers.filter((transfer) => !isFromTrace(transfer)).map(transferSentence),
    ],
    trusted: [
      ...(namesChain ? [] : [`Nothing in the transaction names a chain: that it is of ${claims.chain} is told.`]),
      ...traced.map((transfer) => `${transferSentence(transfer)} ${CALLS_ARE_TOLD[calls === null ? "gone" : "told"]}`),
    ],
  };
}

const CALLS_ARE_TOLD = {
  told: "This happened inside a contract call: the node's trace tells it, and no hash covers traces.",
  gone: "This happened inside a contract call: the node's trace told it when the alert was made, no hash covers traces, and the trace is not in this bundle.",
} as const;

function headerSentence({ block }: EvidenceClaims): string {
  const at = new Date(block.timestamp * 1_000);
  // A header may hold any number.
  const time = Number.isNaN(at.getTime()) ? `second ${block.timestamp}` : at.toISOString();
  return `The header in this file is that of block ${block.number} with the hash ${block.hash}, made at ${time} by its own word.`;
}

function transferSentence({ key, category, from, to, amount, assetId }: ClaimedTransfer): string {
  return `${key} (${category}): ${from ?? "-"} to ${to ?? "-"}, ${amount} base units of ${assetId}.`;
}

/** A withdrawal, which has a root, or the reward, which follows from every transaction of the block. */
function readBlockPart(proof: EvmProof, header: Json, claims: EvidenceClaims): ProofFindings {
  if (proof.transaction !== null || proof.receipt !== null || proof.calls !== null)
    throw new RefutedError("the proof holds a transaction that nothing is claimed of");
  const [claim] = claims.transfers;
  if (claims.transfers.length !== 1 || claim === undefined)
    throw new RefutedError("a withdrawal or reward is the only transfer of its alert");
  if (claim.category === "reward") {
    if (proof.withdrawal !== null) throw new RefutedError("the proof holds a withdrawal that nothing is claimed of");
    return {
      proven: [headerSentence(claims)],
      trusted: [
        `${transferSentence(claim)} This is the sum of what all transactions of the block paid: it was worked out from the whole block, which is not in this bundle.`,
      ],
    };
  }
  if (proof.withdrawal === null) throw new RefutedError("the proof has no withdrawal");
  const raw = itemUnder(header["withdrawalsRoot"], proof.withdrawal, "withdrawal");
  const fields = fieldsFrom(readRlp(raw), WITHDRAWAL, "the withdrawal");
  checkClaim(claim, decodeWithdrawals([fields], contextOf(claims)));
  return {
    proven: [
      headerSentence(claims),
      `Withdrawal ${claim.txHash} is number ${proof.withdrawal.index} of that block's list (Merkle-Patricia proof against withdrawalsRoot).`,
      transferSentence(claim),
    ],
    trusted: [],
  };
}
