/** Why a block is not proven: thrown inside the proof, a value at its edge (`prove-block.ts`). */

/** The step of the proof that failed. */
export type ProofCheck = "header" | "transactions" | "receipts" | "bloom" | "gas" | "withdrawals" | "senders";

/**
 * `malformed`: a field is missing or is not what it must be. `mismatch`: the node's content and its hashes disagree.
 * `unsigned`: a transaction that does not match its hash and carries no signature: a test node's, in somebody's name, or
 * a lie. `unsupported`: nothing speaks against the content, but it cannot be recomputed: agreed, not proven.
 */
export type UnprovenKind = "malformed" | "mismatch" | "unsigned" | "unsupported";

export class Unproven extends Error {
  readonly check: ProofCheck;
  readonly kind: UnprovenKind;

  constructor(check: ProofCheck, kind: UnprovenKind, reason: string) {
    super(reason);
    this.check = check;
    this.kind = kind;
  }
}

/** Runs `step` for one item of a list; a failure inside names the item. */
export function inItem<T>(what: string, index: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Unproven)) throw error;
    throw new Unproven(error.check, error.kind, `${what} ${index}: ${error.message}`);
  }
}
