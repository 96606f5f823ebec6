/** The parts of a bundle -> its file: a manifest with the digest of each part, signed. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../lib/canonical-json.ts";
import { type Bundle, type BundleParts, FORMAT, type Manifest, PART_NAMES } from "./bundle.ts";
import type { EvidenceKey } from "./keys.ts";

export interface MakeBundleOptions {
  readonly parts: BundleParts;
  readonly key: EvidenceKey;
  /** Unix milliseconds. */
  readonly now: number;
  readonly version: string;
}

/** The file's text, which is the one way to write it (RFC 8785), without a line break at its end. */
export function makeBundle({ parts, key, now, version }: MakeBundleOptions): string {
  const manifest: Manifest = {
    format: FORMAT,
    alertId: parts.alert.alertId,
    chain: parts.alert.chain.id,
    madeAt: new Date(now).toISOString(),
    madeBy: `heistwatch ${version}`,
    parts: digestsOf(parts),
  };
  const bundle: Bundle = { manifest, parts, signature: key.sign(Buffer.from(canonicalJson(manifest))) };
  return canonicalJson(bundle);
}

export function digestsOf(parts: BundleParts): Manifest["parts"] {
  const entries = PART_NAMES.map((name) => {
    const text = Buffer.from(canonicalJson(parts[name]));
    return [name, { bytes: text.length, sha256: createHash("sha256").update(text).digest("hex") }] as const;
  });
  return Object.fromEntries(entries) as Manifest["parts"];
}
