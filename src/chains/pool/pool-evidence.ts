/** Proofs for an evidence bundle, of whichever node still has the block. */
import { AppError, describeError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import type { EvidenceClaims, FoundEvidence } from "../../types/evidence.ts";
import type { Endpoint } from "./endpoint.ts";
import { usable } from "./operator.ts";

/**
 * The first whole answer, own nodes first; else the one that proves most. Which block is asked about is known to every node
 * that is followed; what else an adapter asks is for it to ask of own nodes only. Where no node has it, what is missing says why.
 */
export async function findEvidence(
  endpoints: readonly Endpoint[],
  claims: EvidenceClaims,
  signal: AbortSignal,
): Promise<FoundEvidence> {
  const able = usable(endpoints).toSorted((a, b) => Number(b.own) - Number(a.own));
  const why: string[] = [];
  let best: FoundEvidence | null = null;
  for (const endpoint of able) {
    try {
      const found = await endpoint.ask(async (adapter) => (await adapter.evidence?.(claims, signal)) ?? null, {
        what: "content",
        signal,
        number: claims.block.number,
      });
      if (found === null) why.push(`node ${endpoint.name} does not have the block (any more)`);
      else if (found.proof !== null && found.lacks.length === 0) return found;
      else if (best === null || worthOf(found) > worthOf(best)) best = found;
    } catch (error) {
      if (!(error instanceof AppError) || signal.aborted) throw error;
      why.push(redactText(describeError(error)));
    }
  }
  const reasons = why.length === 0 ? "no node of this chain is in use" : why.join("; ");
  return best ?? { proof: null, lacks: [`Nothing of the chain is proven: ${reasons}.`] };
}

/** A proof is worth more than none, fewer holes more than many. */
function worthOf({ proof, lacks }: FoundEvidence): number {
  return (proof === null ? -1_000_000 : 0) - lacks.length;
}
