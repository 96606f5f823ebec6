/** Evidence bundles of real blocks (test/fixtures), made by the code that makes them in the daemon, the store aside. */
import { createStateCodec } from "../../../src/alerts/state-codec.ts";
import { makeBitcoinProof } from "../../../src/chains/bitcoin/evidence/make-proof.ts";
import { readBlock } from "../../../src/chains/bitcoin/read-block.ts";
import { createChecksum } from "../../../src/chains/evm/checksum.ts";
import { decodeTransfers } from "../../../src/chains/evm/decode-block.ts";
import type { TracedTransaction, ValueFrame } from "../../../src/chains/evm/decode-traces.ts";
import { makeEvmProof } from "../../../src/chains/evm/evidence/make-proof.ts";
import { profileOf } from "../../../src/chains/evm/proof/profiles.ts";
import { evidenceReaderOf } from "../../../src/chains/registry.ts";
import { partsOf } from "../../../src/daemon/evidence-parts.ts";
import type { Bundle, BundleParts } from "../../../src/evidence/bundle.ts";
import { parseEvidenceKey } from "../../../src/evidence/keys.ts";
import { makeBundle } from "../../../src/evidence/make-bundle.ts";
import { type Verdict, verifyBundle, type VerifyOptions } from "../../../src/evidence/verify-bundle.ts";
import { alertIdOf, hitIdOf } from "../../../src/lib/ids.ts";
import { decodeHit, encodeHit } from "../../../src/store/codec.ts";
import type { Header, Transfer } from "../../../src/types/chain.ts";
import type { EvidenceClaims, FoundEvidence } from "../../../src/types/evidence.ts";
import type { Hit } from "../../../src/types/hit.ts";
import { entry, event, foldGroups, incident, knownValue, NOW } from "../alerts/make.ts";
import { type FixtureBlock, type WholeBlock } from "../chains/bitcoin/fixtures.ts";
import { entryOf, followed, loadBlock, loadReceipts } from "../chains/proof/support.ts";

/** Of tests alone. */
export const KEY = parseEvidenceKey(`hwsk_${Buffer.alloc(32, 7).toString("base64")}`);
export const OTHER_KEY = parseEvidenceKey(`hwsk_${Buffer.alloc(32, 8).toString("base64")}`);
const VERSION = "0.0.0-test";

export type Pick = (transfer: Transfer) => boolean;

/** Whoever is on one side is listed, whoever is on the other is ours. */
function hitOf(chain: string, transfer: Transfer, subject: string): Hit {
  const listed = transfer.from ?? transfer.to ?? "";
  const side = transfer.from === null ? "to" : "from";
  const own = side === "from" ? transfer.to : null;
  return {
    hitId: hitIdOf({ chain, txHash: transfer.txHash, key: transfer.key }),
    alertId: alertIdOf({ chain, txHash: transfer.txHash, subject }),
    chain,
    transfer,
    asset: { id: transfer.assetId, symbol: "COIN", decimals: 8, listed: true, dustBelow: 0n },
    matches: [
      {
        side,
        basis: "exact",
        incident: incident(),
        entry: entry({ id: `heist-2025/${chain}/${listed}`, chain, address: listed }),
      },
    ],
    own:
      own === null
        ? null
        : { side: "to", address: { chain, address: own, customerRef: "deposit-88121", wallet: "deposit" } },
    subject,
    recordedOnly: null,
    value: knownValue(123_456n),
  };
}

/** The parts of the alert that these transfers of one transaction make, without a proof. */
export function partsOfAlert(chain: string, header: Header, transfers: readonly Transfer[]): BundleParts {
  const [first] = transfers;
  if (first === undefined) throw new Error("no such transfer");
  const subject = first.from === null ? (first.to ?? "") : (first.to ?? first.from);
  const hits = transfers.map((transfer) => hitOf(chain, transfer, subject));
  const block = { number: header.number, hash: header.hash, timestamp: header.timestamp, confirmations: 1 };
  const trust = { proven: true, operators: ["own-a", "own-b"], missing: [], traced: true };
  const [result] = foldGroups([hits.map((hit) => event("included", hit, { block, trust }))]);
  if (result === undefined || result.message === null) throw new Error("no alert");
  const { record, message } = result;
  const { alertId } = record;
  const act = { state: "open", version: 1, assignee: null, dueAt: null, reason: null } as const;
  return partsOf({
    alert: record,
    state: createStateCodec({ encodeHit, decodeHit }).decode(record.state),
    chainName: "the chain",
    configured: 2,
    messages: [message],
    deliveries: [
      {
        deliveryId: "dlv_1",
        webhookId: message.webhookId,
        alertId,
        type: message.type,
        revision: 1,
        sink: "desk",
        severity: "high",
        state: "delivered",
        attempts: 1,
        nextAttemptAt: null,
        deadReason: null,
        lastError: null,
        createdAt: NOW,
        deliveredAt: NOW + 40,
        replayOf: null,
        fallbackFor: null,
        tried: [{ at: NOW, durationMs: 40, result: "delivered", status: 204, error: null, excerpt: "" }],
      },
    ],
    triage: { alertId, ...act, changedAt: NOW },
    history: [
      {
        seq: 1,
        at: NOW,
        actor: "ann",
        action: "note",
        subject: alertId,
        why: "asked the customer",
        before: act,
        after: { ...act, version: 2 },
        approver: null,
        changeHash: null,
      },
    ],
  });
}

export function claimsOf({ alert, block, transfers }: BundleParts): EvidenceClaims {
  if (block === null) throw new Error("in no block");
  return {
    chain: alert.chain.id,
    block,
    transfers: transfers.map(({ asset, ...transfer }) => ({ ...transfer, assetId: asset.id })),
  };
}

export function withProof(parts: BundleParts, { proof, lacks }: FoundEvidence): BundleParts {
  return { ...parts, proof: proof as BundleParts["proof"], lacks: [...lacks] };
}

const checksum = createChecksum();

/** A recorded EVM block as its node answered, with these frames as the trace of one of its transactions. */
export function evmBlock(number: number, traced: { index: number; inner: readonly ValueFrame[] } | null = null) {
  const recorded = entryOf(number);
  const [block, receipts] = [loadBlock(recorded), loadReceipts(recorded)];
  const header = followed(block);
  const context = { chain: "eip155:1", nativeAssetId: "eip155:1/slip44:60", checksum };
  const traces = block.transactions.map(({ from, to, value }, index): TracedTransaction => {
    const top = {
      from: checksum(from as string),
      to: to === null ? null : checksum(to as string),
      amount: BigInt(value as string),
    };
    return { top, inner: index === traced?.index ? traced.inner : [] };
  });
  const transfers = decodeTransfers({ header, block, receipts, traces: traced === null ? null : traces }, context);
  return { header, block, receipts, transfers };
}

/** The transfers that `pick` takes, of the first transaction that has one. */
export function pickTransfers(transfers: readonly Transfer[], pick: Pick): Transfer[] {
  const first = transfers.find(pick);
  if (first === undefined) throw new Error("the block has no such transfer");
  return transfers.filter((one) => one.txHash === first.txHash && pick(one));
}

export function evmParts(number: number, pick: Pick, traced: Parameters<typeof evmBlock>[1] = null): BundleParts {
  const { header, block, receipts, transfers } = evmBlock(number, traced);
  const parts = partsOfAlert("eip155:1", header, pickTransfers(transfers, pick));
  const options = { answers: { header, block, receipts }, profile: profileOf(1), calls: traced?.inner ?? null };
  return withProof(parts, makeEvmProof(options, claimsOf(parts)));
}

/** `parentOf`: transactions of other blocks. */
export async function bitcoinParts(
  of: WholeBlock,
  pick: Pick,
  parentOf: (txid: string) => Uint8Array | string = () => "it is not recorded",
): Promise<BundleParts> {
  const { transfers } = readBlock({ ...of, watched: null });
  return bitcoinPartsOf(of, pickTransfers(transfers, pick), parentOf);
}

export async function bitcoinPartsOf(
  { header, block, network }: FixtureBlock,
  transfers: readonly Transfer[],
  parentOf: (txid: string) => Uint8Array | string,
): Promise<BundleParts> {
  const parts = partsOfAlert(network.chainId, header, transfers);
  const options = { block, network, parentOf: (txid: string) => Promise.resolve(parentOf(txid)) };
  return withProof(parts, await makeBitcoinProof(options, claimsOf(parts)));
}

export function bundleOf(parts: BundleParts, key = KEY): string {
  return makeBundle({ parts, key, now: NOW, version: VERSION });
}

/** The same parts changed and signed anew: what a forger with a key of their own can hand out. */
export function forged(parts: BundleParts, change: (copy: BundleParts) => void, key = OTHER_KEY): string {
  const copy = structuredClone(parts);
  change(copy);
  return bundleOf(copy, key);
}

export function verify(text: string | Uint8Array, options: Partial<VerifyOptions> = {}): Verdict {
  return verifyBundle(typeof text === "string" ? Buffer.from(text) : text, { readerOf: evidenceReaderOf, ...options });
}

/** Why it does not hold; throws where it does. */
export function reasonOf(text: string | Uint8Array, options: Partial<VerifyOptions> = {}): string {
  const verdict = verify(text, options);
  if (verdict.ok) throw new Error("it verifies");
  return verdict.reason;
}

export function parsed(text: string): Bundle {
  return JSON.parse(text) as Bundle;
}
