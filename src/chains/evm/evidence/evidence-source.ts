/** The proof of an alert's transfers, asked of one node anew: the block by its hash, its receipts, traces where they are told of. */
import { AppError, describeError } from "../../../lib/errors.ts";
import { redactText } from "../../../lib/redact.ts";
import type { Header } from "../../../types/chain.ts";
import type { EvidenceClaims, FoundEvidence } from "../../../types/evidence.ts";
import { receiptsOf } from "../ask-receipts.ts";
import { decodeHeader, transactionHashesOf } from "../decode-block.ts";
import type { ValueFrame } from "../decode-traces.ts";
import { profileOf } from "../proof/profiles.ts";
import { rawTransactionsNeeded } from "../proof/prove-block.ts";
import { rawTransactions } from "../prover.ts";
import type { RpcClient } from "../rpc-client.ts";
import type { Tracer } from "../tracer.ts";
import { makeEvmProof } from "./make-proof.ts";
import { isFromTrace } from "./read-proof.ts";

/** As `ChainAdapter.evidence`. */
export function createEvidenceSource({ rpc, tracer }: { rpc: RpcClient; tracer: Tracer }) {
  return async (claims: EvidenceClaims, signal: AbortSignal): Promise<FoundEvidence | null> => {
    const block = await rpc.call("eth_getBlockByHash", [claims.block.hash, true], signal);
    const receiptsAnswer = block === null ? null : await receiptsOf(rpc, claims.block, signal);
    if (receiptsAnswer === null) return null;
    const receipts = "chunks" in receiptsAnswer ? receiptsAnswer.result() : receiptsAnswer;
    const header = decodeHeader(block);
    const profile = profileOf(Number(claims.chain.slice("eip155:".length)));
    const raw = await rawTransactions(rpc, { block, needed: rawTransactionsNeeded(block, profile) }, signal);
    const traced = await callsOf({ tracer, header, block }, claims, signal);
    const answers = { header: { ...header, ...claims.block }, block, receipts, raw };
    const found = makeEvmProof({ answers, profile, calls: traced.calls }, claims);
    return { ...found, lacks: [...found.lacks, ...traced.lacks] };
  };
}

interface Traced {
  readonly calls: readonly ValueFrame[] | null;
  readonly lacks: readonly string[];
}

/** Only where something inside a call is claimed: tracing is the heaviest question there is. */
async function callsOf(
  { tracer, header, block }: { tracer: Tracer; header: Header; block: unknown },
  { transfers }: EvidenceClaims,
  signal: AbortSignal,
): Promise<Traced> {
  const claim = transfers.find(isFromTrace);
  if (claim === undefined) return { calls: null, lacks: [] };
  const gone = (why: string) => ({
    calls: null,
    lacks: [`The trace of the transaction is not in this bundle: ${why}.`],
  });
  const hashes = transactionHashesOf(block);
  try {
    const traces = await tracer.trace(header, { count: hashes.length, hashes: () => hashes }, signal);
    const calls = traces?.[hashes.indexOf(claim.txHash)]?.inner;
    return calls === undefined ? gone("the node does not trace this block (any more)") : { calls, lacks: [] };
  } catch (error) {
    if (!(error instanceof AppError) || signal.aborted) throw error;
    return gone(redactText(describeError(error)));
  }
}
