/** What shows a third party that a transfer is in a block. Text and numbers only: it travels in a file. */

/** A `Transfer` as a bundle claims it. All of one bundle belong to one transaction, or to none. */
export interface ClaimedTransfer {
  readonly key: string;
  readonly category: string;
  readonly txHash: string;
  readonly txIndex: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly assetId: string;
  /** Base units, decimal. */
  readonly amount: string;
}

export interface ClaimedBlock {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

export interface EvidenceClaims {
  /** CAIP-2. */
  readonly chain: string;
  readonly block: ClaimedBlock;
  /** At least one. */
  readonly transfers: readonly ClaimedTransfer[];
}

/** What a node's answers give as proof. */
export interface FoundEvidence {
  /** In the form of its chain family; null: nothing can be proven. */
  readonly proof: object | null;
  /** What is missing and why, in sentences. */
  readonly lacks: readonly string[];
}

/** What a proof shows and what it does not, in sentences for a person. */
export interface ProofFindings {
  readonly proven: readonly string[];
  readonly trusted: readonly string[];
}

/** Reads the proofs of one chain family: no network, nothing but what it is given. */
export interface EvidenceReader {
  /** Throws RefutedError where the proof is malformed, is written in another way than its one way, or shows something else. */
  read(proof: unknown, claims: EvidenceClaims): ProofFindings;
}
