import { AppError } from "../../lib/errors.ts";

/** What a node gave is malformed or does not match its hash: the node is broken or lies. `check` names what failed. */
export class ProofError extends AppError {
  override readonly code = "proof_mismatch";
  override readonly retryable = true;
  readonly check: string;

  constructor(check: string, reason: string) {
    super(`${check}: ${reason}`, { details: { check, reason } });
    this.check = check;
  }
}
