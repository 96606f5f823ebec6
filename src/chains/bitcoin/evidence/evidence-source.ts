/** The proof of an alert's transfers, asked of one node anew: the raw block by its hash, and what made the spent coins. */
import type { EvidenceClaims, FoundEvidence } from "../../../types/evidence.ts";
import type { Network } from "../networks.ts";
import { isRefusal, RPC_NOT_FOUND } from "../node-answers.ts";
import type { NodeClient } from "../node-client.ts";
import { withRawBlock } from "../raw-block.ts";
import { bytesOf } from "../verbose-block.ts";
import { makeBitcoinProof } from "./make-proof.ts";

/** As `ChainAdapter.evidence`. `own`: the node may be asked about single transactions, which tells whom we watch. */
export function createEvidenceSource({ client, network, own }: { client: NodeClient; network: Network; own: boolean }) {
  async function parentOf(txid: string, signal: AbortSignal): Promise<Uint8Array | string> {
    if (!own) return `node ${client.name} is not our own, and is not asked about single transactions`;
    try {
      return bytesOf(await client.call("getrawtransaction", [txid, false], signal));
    } catch (error) {
      if (!isRefusal(error, RPC_NOT_FOUND)) throw error;
      return `node ${client.name} cannot look it up (Bitcoin Core needs txindex=1 for it)`;
    }
  }

  return async (claims: EvidenceClaims, signal: AbortSignal): Promise<FoundEvidence | null> => {
    // The client overwrites its bytes, and parents are asked for meanwhile.
    const read = (bytes: Uint8Array) => Uint8Array.from(bytes);
    const block = await withRawBlock(client, { hash: claims.block.hash, read }, signal);
    if (block === null) return null;
    return makeBitcoinProof({ block, network, parentOf: (txid) => parentOf(txid, signal) }, claims);
  };
}
