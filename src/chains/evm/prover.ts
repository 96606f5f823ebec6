/**
 * Proves each block before it is believed. A block whose content does not match its hash is asked for again and never
 * scanned: the node is broken or lies. What this chain does not let anybody recompute is agreed, not proven, and every
 * alert from it says so.
 */
import type { Header } from "../../types/chain.ts";
import type { ChainConfig } from "../../types/config.ts";
import type { Log } from "../../types/log.ts";
import { ProofMismatchError } from "../node-errors.ts";
import { profileOf } from "./proof/profiles.ts";
import { proveBlock, proveHeader, rawTransactionsNeeded } from "./proof/prove-block.ts";
import { Unproven } from "./proof/unproven.ts";
import { excerptOf } from "../excerpt.ts";
import { fieldsOf, listOf } from "../answer-fields.ts";
import { isMethodMissing, type RpcCaller } from "./rpc-client.ts";

export interface ProverOptions {
  readonly rpc: RpcCaller;
  readonly chain: Pick<ChainConfig, "id" | "proofs">;
  readonly node: string;
  readonly log: Log;
}

export interface Prover {
  /**
   * Throws ProofMismatchError when a header told by number is not the one its hash names: an old header under a new number
   * would pass for another branch. What cannot be recomputed is left to the proof of its block.
   */
  checkHeader(answer: unknown, header: Header): void;
  /** True: proven. False: this chain or block cannot be recomputed. Throws ProofMismatchError where it should match and does not. */
  prove(answers: { header: Header; block: unknown; receipts: unknown }, signal: AbortSignal): Promise<boolean>;
}

export function createProver({ rpc, chain, node, log }: ProverOptions): Prover {
  const profile = profileOf(Number(chain.id.slice("eip155:".length)));
  // One line per kind of reason, not one per block.
  const told = new Set<string>();

  function tellOnce(check: string, facts: object, message: string): void {
    if (told.has(check)) return;
    told.add(check);
    log.error({ ...facts, check }, message);
  }

  return {
    checkHeader(answer, header) {
      const isEncoded = profile.known && header.number >= (profile.encodedSince ?? 0);
      if (!isEncoded || chain.proofs === "prefer") return;
      const reason = headerMismatch(answer, header);
      if (reason === null) return;
      throw new ProofMismatchError(
        `node ${node} gave a header of block ${header.number} that its hash does not name (${reason}): it is broken or lies`,
        { details: { block: header.number, hash: header.hash, reason, check: "header", answered: excerptOf(answer) } },
      );
    },

    async prove(answers, signal) {
      const raw = await rawTransactions(
        rpc,
        { block: answers.block, needed: rawTransactionsNeeded(answers.block, profile) },
        signal,
      );
      const proof = proveBlock({ ...answers, raw }, { profile, senders: "all" });
      if (proof.proven) {
        for (const part of proof.uncovered)
          tellOnce(`uncovered ${part}`, { part }, "no root of this chain covers this part: it is agreed, not proven");
        return proof.uncovered.length === 0;
      }
      const { check, reason } = proof;
      const details = { block: answers.header.number, hash: answers.header.hash, reason };
      if (proof.kind === "unsupported") {
        // Also what a lying node could pretend to downgrade a block, by a transaction of an unknown type: never silent.
        tellOnce(
          check,
          details,
          "a block cannot be recomputed, it is agreed, not proven; every alert from such a block says so",
        );
        return false;
      }
      if (chain.proofs === "prefer") {
        tellOnce(check, details, "a block does not match its hash and is believed all the same (proofs: prefer)");
        return false;
      }
      throw new ProofMismatchError(
        `node ${node} gave block ${answers.header.number} with content that does not match its hash (${check}: ${reason}): it is broken or lies, and the block is not scanned`,
        {
          details: { ...details, check, asked: `block ${answers.header.hash}`, answered: excerptOf(answers) },
        },
      );
    },
  };
}

function headerMismatch(answer: unknown, header: Header): string | null {
  try {
    proveHeader(fieldsOf(answer, "block"), header);
    return null;
  } catch (error) {
    if (!(error instanceof Unproven)) throw error;
    return error.kind === "mismatch" ? error.message : null;
  }
}

/** Bytes of the transactions that JSON does not tell in full; those the node does not give stay unproven. */
export async function rawTransactions(
  rpc: RpcCaller,
  { block, needed }: { block: unknown; needed: readonly number[] },
  signal: AbortSignal,
): Promise<Map<number, string>> {
  const raw = new Map<number, string>();
  if (needed.length === 0) return raw;
  const transactions = listOf(fieldsOf(block, "block")["transactions"], "block.transactions");
  for (const index of needed) {
    try {
      const answer = await rpc.call(
        "eth_getRawTransactionByHash",
        [fieldsOf(transactions[index], `transaction ${index}`)["hash"]],
        signal,
      );
      if (typeof answer === "string") raw.set(index, answer);
    } catch (error) {
      if (!isMethodMissing(error)) throw error;
      return raw;
    }
  }
  return raw;
}
