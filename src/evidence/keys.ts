/** The key that signs bundles: ed25519, written as `hwsk_` (private) and `hwpk_` (public) with base64 of 32 bytes. */
import { createHash, sign, verify } from "node:crypto";
import { newSeed, privateKeyOf, PUBLIC_KEY_BYTES, publicBytesOf, publicKeyFrom, SEED_BYTES } from "../lib/ed25519.ts";
import { ConfigError, RefutedError } from "../lib/errors.ts";
import type { Bundle } from "./bundle.ts";

const PRIVATE = "hwsk_";
const PUBLIC = "hwpk_";
const SIGNATURE_BYTES = 64;

export interface EvidenceKey {
  /** Short name, for people. */
  readonly keyId: string;
  /** `hwpk_...` */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Bundle["signature"];
}

/** A new `hwsk_...`: whoever has it can make bundles in the house's name. */
export function newEvidenceKey(): string {
  return `${PRIVATE}${newSeed().toString("base64")}`;
}

/** Throws ConfigError; no part of the text is in the error. */
export function parseEvidenceKey(text: string): EvidenceKey {
  const seed = bytesOf(text, PRIVATE, SEED_BYTES);
  if (seed === null) throw new ConfigError(`an evidence key is ${PRIVATE} and the base64 of ${SEED_BYTES} bytes`);
  const privateKey = privateKeyOf(seed);
  const bytes = publicBytesOf(privateKey);
  const names = { keyId: keyIdOf(bytes), publicKey: `${PUBLIC}${bytes.toString("base64")}` };
  return {
    ...names,
    sign: (signed) => ({
      algorithm: "ed25519",
      ...names,
      value: sign(null, signed, privateKey).toString("base64"),
    }),
  };
}

/** The 32 bytes behind a `hwpk_...`; null: it is none. */
export function parsePublicKey(text: string): Buffer | null {
  return bytesOf(text, PUBLIC, PUBLIC_KEY_BYTES);
}

/** Throws RefutedError unless the signature is of these bytes, by the key it names. */
export function checkSignature(signed: Uint8Array, { keyId, publicKey, value }: Bundle["signature"]): void {
  const key = parsePublicKey(publicKey);
  if (key === null) throw new RefutedError("the signature's public key is not one");
  if (keyId !== keyIdOf(key)) throw new RefutedError("the signature's keyId is not that of its public key");
  const bytes = bytesOf(value, "", SIGNATURE_BYTES);
  if (bytes === null || !verify(null, signed, publicKeyFrom(key), bytes))
    throw new RefutedError("the signature does not fit the manifest: one of the two was changed");
}

export function keyIdOf(publicBytes: Uint8Array): string {
  return createHash("sha256").update(publicBytes).digest("hex").slice(0, 16);
}

/** Null unless it is the one way to write that many bytes. */
function bytesOf(text: string, prefix: string, size: number): Buffer | null {
  if (!text.startsWith(prefix)) return null;
  const encoded = text.slice(prefix.length);
  const bytes = Buffer.from(encoded, "base64");
  return bytes.length === size && bytes.toString("base64") === encoded ? bytes : null;
}
