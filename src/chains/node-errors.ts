/** What a node is caught at: see pool/endpoint.ts for what follows. */
import { AppError } from "../lib/errors.ts";

/** The node's content and its hashes disagree. */
export class ProofMismatchError extends AppError {
  override readonly code = "proof_mismatch";
  override readonly retryable = true;
}

/** The node serves another chain than the one it is configured for. */
export class WrongChainError extends AppError {
  override readonly code = "wrong_chain";
}
