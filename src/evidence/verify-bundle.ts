/**
 * A bundle's bytes -> what it proves, what is only said, and by whom; or why it does not hold. No network, no clock, no
 * configuration: the same bytes give the same answer everywhere.
 *
 * In this order: the one way to write it, the signature, the digests, the ids, the claims against the proof.
 */
import { canonicalJson } from "../lib/canonical-json.ts";
import { RefutedError } from "../lib/errors.ts";
import { alertIdOf, hitIdOf } from "../lib/ids.ts";
import type { ClaimedTransfer, EvidenceReader, ProofFindings } from "../types/evidence.ts";
import { type Bundle, type BundleParts, type BundleTransfer, PART_NAMES } from "./bundle.ts";
import { checkSignature } from "./keys.ts";
import { digestsOf } from "./make-bundle.ts";
import { readBundle } from "./read-bundle.ts";
import { saidSentences } from "./words.ts";

export interface VerifyOptions {
  /** The reader of a chain's proofs; null: a chain that is not read here. */
  readonly readerOf: (chain: string) => EvidenceReader | null;
  /** `hwpk_...` that must have signed it. */
  readonly key?: string | undefined;
  /** The hash that the block must have. */
  readonly blockHash?: string | undefined;
}

export interface Findings extends ProofFindings {
  readonly bundle: Bundle;
  /** True: signed by the key that was asked for. False: by one that nobody vouches for here. */
  readonly isPinned: boolean;
  /** True: the block has the hash that was asked for. */
  readonly isBlockPinned: boolean;
}

export type Verdict =
  | { readonly ok: true; readonly findings: Findings }
  | { readonly ok: false; readonly reason: string };

/** Never throws for what stands in the bytes. */
export function verifyBundle(bytes: Uint8Array, options: VerifyOptions): Verdict {
  try {
    return { ok: true, findings: findingsOf(readBundle(bytes), options) };
  } catch (error) {
    if (!(error instanceof RefutedError)) throw error;
    return { ok: false, reason: error.message };
  }
}

function findingsOf(bundle: Bundle, options: VerifyOptions): Findings {
  const { manifest, parts, signature } = bundle;
  checkSignature(Buffer.from(canonicalJson(manifest)), signature);
  if (options.key !== undefined && signature.publicKey !== options.key)
    throw new RefutedError(
      `the bundle is signed by another key than the one asked for: by ${signature.publicKey} (${signature.keyId})`,
    );
  checkDigests(bundle);
  checkIds(bundle);
  parts.transfers.forEach(checkParties);
  parts.revisions.forEach((revision) => checkRevision(revision, parts.alert.alertId));
  checkBlock(parts, options.blockHash);
  const { proven, trusted } = readProof(parts, options);
  const isBlockPinned = options.blockHash !== undefined;
  return {
    bundle,
    isPinned: options.key !== undefined,
    isBlockPinned,
    proven,
    trusted: [...trusted, ...saidSentences(parts, isBlockPinned)],
  };
}

function checkDigests({ manifest, parts }: Bundle): void {
  const digests = digestsOf(parts);
  for (const name of PART_NAMES)
    if (digests[name].sha256 !== manifest.parts[name].sha256 || digests[name].bytes !== manifest.parts[name].bytes)
      throw new RefutedError(`the part ${name} is not the one that the manifest names: it was changed`);
}

/** Ids are made from what happened: an alert cannot borrow another one's. */
function checkIds({ manifest, parts: { alert, transfers } }: Bundle): void {
  const chain = alert.chain.id;
  if (manifest.chain !== chain || manifest.alertId !== alert.alertId)
    throw new RefutedError("the manifest is that of another alert");
  if (alert.alertId !== alertIdOf({ chain, txHash: alert.transaction, subject: alert.subject }))
    throw new RefutedError("the alert's id is not that of its chain, transaction and subject");
  for (const { hitId, key, txHash } of transfers) {
    if (txHash !== alert.transaction) throw new RefutedError(`${key} is of another transaction than the alert`);
    if (hitId !== hitIdOf({ chain, txHash, key }))
      throw new RefutedError(`the id of ${key} is not that of its chain, transaction and place`);
  }
  const keys = new Set(transfers.map(({ key }) => key));
  if (keys.size !== transfers.length) throw new RefutedError("a transfer is there twice");
}

/**
 * Whom a list or the house names must be a party of the transfer. Of an input or output of a UTXO transaction the other side
 * is all the others together: whether they are among them is told apart (`words.ts`).
 */
function checkParties(transfer: BundleTransfer): void {
  const { key, own, matches } = transfer;
  const isOther = (side: "from" | "to", address: string) => transfer[side] !== null && transfer[side] !== address;
  if (own !== null && isOther(own.side, own.address))
    throw new RefutedError(`${key}: the own address is not the one on its side`);
  // The address of the same key is another text, and only the daemon knew the key.
  for (const { side, basis, entry } of matches)
    if (basis !== "keyEquivalent" && isOther(side, entry.address))
      throw new RefutedError(`${key}: the listed address of ${entry.id} is not the one on its side`);
}

function checkRevision({ revision, body }: BundleParts["revisions"][number], alertId: string): void {
  let told: unknown;
  try {
    told = JSON.parse(body);
  } catch {
    throw new RefutedError(`revision ${revision} is not JSON`);
  }
  const data = (told as { data?: { alertId?: unknown; revision?: unknown } | null } | null)?.data;
  if (data?.alertId !== alertId || data.revision !== revision)
    throw new RefutedError(`revision ${revision} is a message about something else`);
}

function checkBlock({ block }: BundleParts, asked: string | undefined): void {
  if (asked === undefined || block?.hash === asked) return;
  throw new RefutedError(
    block === null ? "the bundle is about no block" : `the bundle is about block ${block.hash}, not ${asked}`,
  );
}

function readProof({ alert, block, proof, transfers }: BundleParts, { readerOf }: VerifyOptions): ProofFindings {
  if (proof === null) return { proven: [], trusted: [] };
  if (block === null) throw new RefutedError("the bundle holds a proof of no block");
  const chain = alert.chain.id;
  const reader = readerOf(chain);
  if (reader === null) throw new RefutedError(`proofs of ${chain} cannot be read here`);
  return reader.read(proof, { chain, block, transfers: transfers.map(claimOf) });
}

function claimOf({ key, category, txHash, txIndex, from, to, asset, amount }: BundleTransfer): ClaimedTransfer {
  return { key, category, txHash, txIndex, from, to, assetId: asset.id, amount };
}
