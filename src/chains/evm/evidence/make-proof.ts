/** A node's answers about one block -> the proof of one of its transactions, or of a withdrawal. */
import { RefutedError } from "../../../lib/errors.ts";
import type { EvidenceClaims, FoundEvidence } from "../../../types/evidence.ts";
import { ProofMismatchError } from "../../node-errors.ts";
import type { ValueFrame } from "../decode-traces.ts";
import { type Fields, fieldsOf, listOf } from "../proof/fields.ts";
import { rawHeader } from "../proof/header.ts";
import type { ChainProfile } from "../proof/profiles.ts";
import { type BlockAnswers, proveBlock } from "../proof/prove-block.ts";
import { checkLogs, receiptPath } from "../proof/receipts.ts";
import { endsInStateSync } from "../proof/state-sync.ts";
import type { ListPath } from "../proof/trie.ts";
import { provenItem } from "../proof/trie-proof.ts";
import { transactionPath, typedTransaction } from "../proof/transactions.ts";
import { withdrawalPath } from "../proof/withdrawals.ts";
import type { EvmProof, ListedItem } from "./proof-schema.ts";
import { hexOf } from "./raw-fields.ts";
import { evmEvidence } from "./read-proof.ts";

export interface MakeProofOptions {
  readonly answers: BlockAnswers;
  readonly profile: ChainProfile;
  /** Frames of the transaction that moved value; null: not asked for, or not told. */
  readonly calls: readonly ValueFrame[] | null;
}

/** Throws ProofMismatchError where the content does not match its hash. What is made was read back before it is given. */
export function makeEvmProof({ answers, profile, calls }: MakeProofOptions, claims: EvidenceClaims): FoundEvidence {
  const proof = proveBlock(answers, { profile, senders: "creations" });
  if (!proof.proven && proof.kind === "unsupported")
    return nothing(`the block cannot be recomputed on this chain (${proof.reason})`);
  if (!proof.proven)
    throw new ProofMismatchError(`content does not match the block's hash (${proof.check}: ${proof.reason})`, {
      details: { check: proof.check, reason: proof.reason, asked: `block ${claims.block.hash}` },
    });
  try {
    const parts = partsOf(answers, profile, claims);
    if (calls === null) return readBack({ ...parts, calls }, claims);
    try {
      return readBack({ ...parts, calls: calls.map(callOf) }, claims);
    } catch (error) {
      if (!(error instanceof RefutedError)) throw error;
      const lack = `The trace of the transaction is not in this bundle: what the node tells now is not what the alert tells (${error.message}).`;
      return { ...readBack({ ...parts, calls: null }, claims), lacks: [lack] };
    }
  } catch (error) {
    if (!(error instanceof RefutedError)) throw error;
    return nothing(`the alert does not follow from the block that this node gives (${error.message})`);
  }
}

function readBack(proof: EvmProof, claims: EvidenceClaims): FoundEvidence {
  evmEvidence.read(proof, claims);
  return { proof, lacks: [] };
}

function nothing(why: string): FoundEvidence {
  return { proof: null, lacks: [`Nothing of the chain is proven: ${why}.`] };
}

function callOf({ kind, from, to, amount }: ValueFrame): NonNullable<EvmProof["calls"]>[number] {
  return { kind, from, to, amount: amount.toString() };
}

function partsOf(
  { block: answer, receipts, raw, header }: BlockAnswers,
  profile: ChainProfile,
  { transfers }: EvidenceClaims,
): Omit<EvmProof, "calls"> {
  const block = fieldsOf(answer, "block", "header");
  const none = {
    family: "evm",
    header: hexOf(rawHeader(block)),
    transaction: null,
    receipt: null,
    withdrawal: null,
  } as const;
  const [claim] = transfers;
  if (claim === undefined || claim.category === "reward") return none;
  if (claim.category === "withdrawal") return { ...none, withdrawal: withdrawalIn(block, claim.txHash) };
  const all = listOf(block["transactions"], "transactions", "transactions") as readonly Fields[];
  const count = endsInStateSync(all, profile, header) ? all.length - 1 : all.length;
  const transactions = all.slice(0, count).map((fields) => typedTransaction(fields, profile));
  const index = transactions.findIndex(({ fields }) => fields["hash"] === claim.txHash);
  if (index === -1) throw new RefutedError(`${claim.txHash} is under no root of block ${header.hash}`);
  const checked = (receipts as readonly Fields[]).slice(0, count);
  const blooms = bloomsOf(
    checked,
    transactions.map(({ fields }) => fields["hash"]),
    header,
  );
  return {
    ...none,
    transaction: listed(index, transactionPath(index, transactions, raw ?? new Map())),
    receipt: listed(index, receiptPath(index, { receipts: checked, transactions, blooms })),
  };
}

function bloomsOf(
  receipts: readonly Fields[],
  hashes: readonly unknown[],
  place: BlockAnswers["header"],
): Uint8Array[] {
  const totals = { logs: 0 };
  return receipts.map((receipt, transactionIndex) =>
    checkLogs(receipt, { ...place, transactionIndex, transactionHash: hashes[transactionIndex] }, totals),
  );
}

function withdrawalIn(block: Fields, txHash: string): ListedItem {
  const withdrawals = listOf(block["withdrawals"], "withdrawals", "withdrawals");
  const place = withdrawals.findIndex((one) => `withdrawal-${Number((one as Fields)["index"])}` === txHash);
  if (place === -1) throw new RefutedError(`${txHash} is not in this block`);
  return listed(place, withdrawalPath(place, withdrawals));
}

function listed(index: number, { root, nodes }: ListPath): ListedItem {
  return { index, raw: hexOf(provenItem({ root, index, nodes })), nodes: nodes.map(hexOf) };
}
